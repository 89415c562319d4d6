"""What agents read of the catalogue: entities, severities, texts."""

import msgspec
import pytest

from roost_protocol.catalogue import AlarmType, cut, decode_catalogue, encode_catalogue, render
from roost_protocol.errors import ProtocolError
from roost_protocol.severity import Severity

FS = AlarmType(
    name="node.filesystem.high",
    source="agent",
    entity=["fs"],
    severities={"major": "{fs} {what} {value} % used"},
    default="major",
)
OWN = AlarmType(
    name="app.alarm",
    source="app",
    entity=["app", "unit?", "part?"],
    severities={"*": ""},
    default="major",
)


def test_a_type_takes_the_severities_it_has_a_text_for():
    assert FS.takes(Severity.MAJOR)
    assert not FS.takes(Severity.CRITICAL)
    assert not FS.takes(Severity.CLEARED)
    assert OWN.takes(Severity.WARNING)


@pytest.mark.parametrize(
    ("kinds", "fits"),
    [
        (["app"], True),
        (["app", "unit"], True),
        (["app", "part"], True),
        (["app", "unit", "part"], True),
        (["app", "part", "unit"], False),
        (["unit"], False),
        ([], False),
        (["app", "fs"], False),
    ],
)
def test_an_entity_has_the_kinds_of_its_type_in_their_order(kinds, fits):
    assert OWN.fits(kinds) is fits


def test_the_shape_of_an_entity_says_what_may_be_left_out():
    assert msgspec.structs.replace(OWN, entity=["app", "unit?"]).shape == "app=NAME[,unit=NAME]"
    assert msgspec.structs.replace(OWN, entity=["fs?"]).shape == "[fs=NAME]"
    assert msgspec.structs.replace(OWN, entity=[]).shape == "an empty entity"


def test_a_text_is_filled_from_entity_and_params():
    values = {"fs": "/var", "what": "bytes", "value": 93.25}
    assert FS.text(Severity.MAJOR, values) == "/var bytes 93.25 % used"
    assert FS.text(Severity.MAJOR, {"fs": "/", "value": True}) == "/ ? True % used"
    assert OWN.text(Severity.MINOR, {}, said="pump is dry") == "pump is dry"


def test_a_placeholder_reaches_no_attribute():
    assert render("{value.__class__} {0} {}", {"value": 1}) == "{value.__class__} {0} {}"


def test_a_long_text_is_cut_between_characters():
    assert cut("x" * 255) == "x" * 255
    short = cut("ä" * 200)
    assert short.endswith("…")
    assert len(short.encode()) <= 255


def test_a_catalogue_is_written_and_read():
    types = {"750.801": OWN, "100.104": FS}
    body = encode_catalogue(types)
    assert decode_catalogue(body) == types
    assert body.index(b"100.104") < body.index(b"750.801")


def test_what_is_no_catalogue_is_refused():
    with pytest.raises(ProtocolError, match="catalogue"):
        decode_catalogue(b'{"v": 1, "types": {"1": {}}}')
    with pytest.raises(ProtocolError, match="version"):
        decode_catalogue(msgspec.json.encode({"v": 2, "types": {}}))
