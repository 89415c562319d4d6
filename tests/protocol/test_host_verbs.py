"""The verbs of hosts: each names its host, and says no more than it may."""

import msgspec
import pytest

from roost_protocol.host_verbs import HOST_MAINTENANCE_S_MAX, HOST_VERBS

STATE = "unlocked/enabled/available"
IMAGE = {"component": "os", "version": "2.0", "digest": "0a" * 32, "length": 300}


@pytest.mark.parametrize("kind", HOST_VERBS.values())
def test_each_names_its_host_and_asks_for_a_reason(kind):
    assert kind.needs_reason
    assert kind.title
    image = IMAGE if kind.verb == "host-reinstall" else {}
    act = msgspec.convert({"node": "n1", "expect": STATE, "force": True} | image, kind)
    assert (act.node, act.expect, act.force) == ("n1", STATE, True)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({}, kind)


@pytest.mark.parametrize(
    "given",
    [
        {"node": ""},
        {"node": "x" * 33},
        {"node": "n1", "expect": "locked"},
        {"node": "n1", "expect": f"{STATE}\n"},
        {"node": "n1", "force": "yes"},
        {"node": "n1", "more": 1},
        {"node": "n1", "seconds": HOST_MAINTENANCE_S_MAX + 1},
    ],
)
def test_what_is_past_a_bound_is_refused(given):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, HOST_VERBS["host-maintenance"])


@pytest.mark.parametrize(
    "wrong", [{"digest": "0a"}, {"length": 0}, {"length": (16 << 20) + 1}, {"component": ""}]
)
def test_an_image_that_is_none_is_refused(wrong):
    kind = HOST_VERBS["host-reinstall"]
    assert msgspec.convert({"node": "n1"} | IMAGE, kind).length == 300
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"node": "n1"} | IMAGE | wrong, kind)
