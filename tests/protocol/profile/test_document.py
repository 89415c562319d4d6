"""The desired document on the wire: canonical, bounded, refused whole."""

from pathlib import Path

import msgpack
import pytest

import roost_protocol
from roost_protocol.catalogue import decode_catalogue
from roost_protocol.codec import encode
from roost_protocol.errors import ProtocolError
from roost_protocol.order import body_digest
from roost_protocol.profile.document import (
    DOCUMENT_BYTES_MAX,
    Desired,
    decode_desired,
    decode_settings,
    encode_desired,
    encode_settings,
    settings_digest,
)
from roost_protocol.profile.thresholds import LIMITS

DOCUMENT = Desired(
    "lab.n1", 3, {"kernel": {"sysctl": {"vm.swappiness": 10}}, "dns": {"attempts": 2}}
)


def test_a_document_comes_back_as_it_was():
    assert decode_desired(encode_desired(DOCUMENT)) == DOCUMENT


def test_the_reference_package_writes_the_same_bytes():
    plain = {
        "generation": 3,
        "node": "lab.n1",
        "sections": {"dns": {"attempts": 2}, "kernel": {"sysctl": {"vm.swappiness": 10}}},
        "v": 1,
    }
    assert msgpack.packb(plain) == encode_desired(DOCUMENT)


def test_the_digest_is_of_the_settings_alone_in_any_order():
    one = {"dns": {"attempts": 2, "timeout_s": 1}, "log": {"level": "info"}}
    other = {"log": {"level": "info"}, "dns": {"timeout_s": 1, "attempts": 2}}
    assert settings_digest(one) == settings_digest(other)
    assert settings_digest(one) != settings_digest({**one, "log": {"level": "debug"}})
    assert len(settings_digest(one)) == 32


@pytest.mark.parametrize(
    ("sections", "code", "named"),
    [
        ({"kernel": {"sysctl": {"kernel.core_pattern": "|/x"}}}, "field", "core_pattern"),
        ({"bmc": {}}, "later", "bmc"),
        ({"dns": {"attempts": 6}}, "value", "dns.attempts"),
        ({"update-window": {"start": "02:00"}}, "together", "update-window.start"),
    ],
)
def test_one_wrong_setting_refuses_the_whole_document(sections, code, named):
    good = {"log": {"level": "info"}}
    with pytest.raises(ProtocolError) as refused:
        decode_desired(encode(Desired("lab.n1", 1, {**good, **sections})))
    assert refused.value.code == code
    assert named in refused.value.field


@pytest.mark.parametrize(
    "change",
    [
        {"generation": 0},
        {"node": ""},
        {"more": 1},
        {"v": 3},
        {"sections": {"dns": 1}},
        {"sections": []},
    ],
)
def test_what_is_no_document_is_refused(change):
    plain = {"generation": 3, "node": "lab.n1", "sections": {}, "v": 1}
    with pytest.raises(ProtocolError):
        decode_desired(msgpack.packb({**plain, **change}))


def test_a_document_has_a_bound():
    many = {f"node{n}": 1 for n in range(64)}
    with pytest.raises(ProtocolError, match="oversize"):
        encode_desired(Desired("lab.n1", 1, {"x": {"y" * DOCUMENT_BYTES_MAX: many}}))
    with pytest.raises(ProtocolError, match="oversize"):
        decode_desired(bytes(DOCUMENT_BYTES_MAX + 1))


def test_the_limits_are_those_of_the_catalogue_that_agents_judge_by():
    body = (Path(roost_protocol.__file__).parent / "catalogue.json").read_bytes()
    there = {
        each.name: set(each.limits)
        for each in decode_catalogue(body).values()
        if each.limits and each.source == "agent"
    }
    assert {name: set(limits.severities) for name, limits in LIMITS.items()} == there


def test_settings_come_back_and_the_digest_of_their_bytes_is_theirs():
    payload = encode_settings(DOCUMENT.sections)
    assert decode_settings(payload) == DOCUMENT.sections
    assert body_digest(payload) == settings_digest(DOCUMENT.sections).hex()


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"\x82\xa3log\x80\xa3dns\x80", "canonical"),
        (encode({"dns": {"attempts": 6}}), "value"),
        (encode({"update-window": {"start": "02:00"}}), "together"),
        (encode({"dns": 1}), "type"),
        (bytes(DOCUMENT_BYTES_MAX + 1), "oversize"),
    ],
)
def test_settings_that_are_wrong_or_written_another_way_are_refused(payload, code):
    with pytest.raises(ProtocolError) as refused:
        decode_settings(payload)
    assert refused.value.code == code
