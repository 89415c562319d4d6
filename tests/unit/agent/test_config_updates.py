"""The ``[updates]`` table: what is taken, and every fault with its key."""

import pytest

from roost_agent.config_updates import UpdatesConfig, updates_config


def read(said):
    faults = {}
    return updates_config(said, faults.__setitem__), faults


def test_nothing_said_is_the_usual_places():
    assert read({}) == (UpdatesConfig(), {})


def test_what_is_said_counts():
    config, faults = read({"source": "/mnt/a,/mnt/b", "verify_s": 30, "trust": "/t"})
    assert (config.source, config.verify_s, config.trust, faults) == ("/mnt/a,/mnt/b", 30, "/t", {})


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("verify_s", 9, "10 to 590"),
        ("verify_s", 591, "10 to 590"),
        ("verify_s", True, "10 to 590"),
        ("bytes_max", -1, "0 to"),
        ("trust", "here", "absolute"),
        ("root", 5, "absolute"),
        ("source", 5, "folders"),
    ],
)
def test_a_fault_is_told_with_its_key_and_bound(key, value, says):
    _, faults = read({key: value})
    assert [*faults] == [key]
    assert says in faults[key]
