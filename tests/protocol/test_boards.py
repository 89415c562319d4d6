import pytest

from roost_protocol.boards import (
    BOARDS_OF_A_SITE_MAX,
    BoardAccess,
    BoardsDocument,
    BoardTold,
    GroupSettings,
    SensorSettings,
    about,
    access_faults,
    read_document,
    settings_faults,
)
from roost_protocol.codec import encode
from roost_protocol.errors import ProtocolError

SECRET = "canary-of-it"


def test_a_document_comes_back_as_it_was_said_and_is_about_one_node():
    access = BoardAccess(host="b", user="u", password=SECRET)
    sensors = SensorSettings(groups={"fans": GroupSettings(minor="log")})
    one = BoardTold(node="n1", access=access, sensors=sensors)
    said = BoardsDocument(v=1, reader="n1", boards=[one])
    assert read_document(encode(said)) == said
    assert about("lab.n1") != about("lab.n2")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xc1",
        encode({"v": 1, "boards": [{"node": ""}]}),
        encode({"v": 1, "boards": [{"node": "n1", "access": {"host": f"a {SECRET}"}}]}),
        encode({"v": 1, "boards": [{"node": "n1", "password": SECRET}]}),
        encode({"v": 1, "boards": [{"node": "n1"}] * (BOARDS_OF_A_SITE_MAX + 1)}),
    ],
)
def test_what_is_none_is_refused_without_a_word_of_it(raw):
    with pytest.raises(ProtocolError) as why:
        read_document(raw)
    assert SECRET not in str(why.value)


def faults(**said):
    return [field for field, _ in access_faults(BoardAccess(**{"host": "b", **said}))]


def test_what_bounds_let_through_and_is_wrong_is_named():
    assert faults(user="u", password="p") == []
    assert faults() == ["user", "password"]
    assert faults(host="local") == []
    assert faults(host="local", type="redfish") == ["type"]
    assert faults(user="u", password="a\nb") == faults(user="u", password="a\0b") == ["password"]
    assert faults(user="u", password="p", ca="x", certificate_sha256="a" * 64) == ["ca"]
    groups = {"fans": GroupSettings(interval_s=9), "power": GroupSettings(interval_s=10)}
    said = SensorSettings(interval_s=3, groups=groups)
    assert [field for field, _ in settings_faults(said)] == ["interval_s", "groups.fans.interval_s"]
