"""Neighbours as inventory: which are there, and until when."""

import json

from lldp_sender import frame, heard, switch

from roost_agent.discovery.lldp import FILE, STALE_MS, Windows, lldp, section_of
from roost_agent.discovery.reader import Reader
from roost_agent.ports import SystemClock

ENDED_MS = 1_000_000


def windows(*frames, ended_ms=ENDED_MS):
    return {"v": 1, "ended_ms": ended_ms, "ports": ["eth0"], "frames": list(frames)}


def found(tree, *frames):
    tree.plant({FILE: json.dumps(windows(*frames))})
    return lldp(tree.reader())


def test_a_neighbour_is_an_item_by_both_ends_of_the_cable(tree):
    section = found(tree, heard("eth0", switch(), ENDED_MS - 5_000))
    assert list(section.items) == ["eth0 02:00:00:00:00:01 Gi1/0/1"]
    (item,) = section.items.values()
    assert (item["ifname"], item["system_name"], item["ttl_s"]) == ("eth0", "sw1", 120)
    assert (item["chassis_id"], item["chassis_id_type"]) == ("02:00:00:00:00:01", "mac")
    assert (item["port_id"], item["port_id_type"], item["pvid"]) == ("Gi1/0/1", "ifname", 10)


def test_an_entry_ends_with_its_time_to_live(tree):
    assert found(tree, heard("eth0", frame(ttl=120), ENDED_MS - 119_999)).items
    ended = found(tree, heard("eth0", frame(ttl=120), ENDED_MS - 120_000))
    assert (ended.items, ended.missing) == ({}, {"*": "absent"})


def test_a_neighbour_that_takes_itself_back_is_gone_at_once(tree):
    said = heard("eth0", frame(ttl=120), ENDED_MS - 9_000)
    assert found(tree, heard("eth0", frame(ttl=0), ENDED_MS - 1_000), said).items == {}


def test_what_was_said_last_counts(tree):
    old = heard("eth0", switch("old"), ENDED_MS - 9_000)
    section = found(tree, heard("eth0", switch("new"), ENDED_MS - 1_000), old)
    assert [item["system_name"] for item in section.items.values()] == ["new"]


def test_where_nobody_listened_it_says_so(tree):
    assert lldp(tree.reader()).missing == {"*": "denied"}
    tree.plant({FILE: "{"})
    assert lldp(tree.reader()).missing == {"*": "unsupported"}
    assert found(tree, {"port": "eth0", "heard_ms": ENDED_MS, "frame": "?"}).items == {}


def test_what_was_heard_long_ago_is_not_told_of_a_living_machine(monkeypatch, tree):
    now_ms = SystemClock().boot_ms()
    monkeypatch.setattr(Reader, "is_live", True)
    for age_ms, why in ((STALE_MS - 60_000, None), (STALE_MS + 1, "timeout")):
        ended_ms = now_ms - age_ms
        tree.plant({FILE: json.dumps(windows(heard("e", frame(), ended_ms), ended_ms=ended_ms))})
        assert lldp(tree.reader()).missing.get("*") == why


def test_no_frame_makes_the_class_fail():
    section_of(Windows(1, 0, [], []))
