"""A component's class says which kinds it takes; one that came as a plugin is for two of them."""

import pytest

from roost_protocol.release.kinds import BUILT_IN, OF_CLASS, PLUGGED, refusal

NAMES = {"agent": "agent", "os": "os"}


@pytest.mark.parametrize("of", OF_CLASS)
@pytest.mark.parametrize("kind", [*BUILT_IN, "rauc"])
def test_a_class_takes_its_own_kinds_and_perhaps_a_plugins(of, kind):
    is_taken = kind in OF_CLASS[of] or (kind == "rauc" and of in PLUGGED)
    assert (refusal(NAMES.get(of, f"{of}/x"), kind) == "") is is_taken


def test_a_refusal_says_what_is_taken():
    assert refusal("config/acme", "deb") == (
        "config/acme cannot be of kind deb: config takes files"
    )
    assert refusal("os", "files") == (
        "os cannot be of kind files: os takes deb, or what comes as plugin/KIND"
    )
