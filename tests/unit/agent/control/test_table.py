"""A status for a person."""

import pytest

from roost_agent.control.table import duration, table

STATUS = {
    "node": "lab.n1", "version": "0.1.0", "incarnation": 3, "running_s": 3_700,
    "faults": ["disk full"], "refused": {"oversize": 2},
    "paths": [
        {"path": "wan1", "kind": "wan", "state": "up", "for_s": 61, "rtt_us": 1_540,
         "loss_permille": 15, "broker": "mqtt://x:1883", "why": "answered", "held_s": None},
        {"path": "lan1", "kind": "site", "state": "down", "for_s": 5, "rtt_us": None,
         "loss_permille": 0, "broker": "mqtt://y:1883", "why": "x", "held_s": 90},
    ],
    "outbox": [{"lane": "alarm", "waiting_items": 1, "waiting_bytes": 70, "ring_bytes": 0,
                "dropped": 0, "last": 1, "mark": 0}],
    "alarms": {"active": 3, "severities": {"critical": 1, "major": 0, "minor": 2}},
    "inventory": {"gen": None, "digest": None, "probing": True},
}  # fmt: skip


def test_it_is_aligned_and_says_what_is_wrong():
    assert table(STATUS) == (
        "lab.n1  agent 0.1.0  incarnation 3  running 1 h 1 min\n"
        "FAULT  disk full\n"
        "\n"
        "PATH  KIND  STATE  FOR        RTT     LOSS   BROKER         WHY\n"
        "wan1  wan   up     1 min 1 s  1.5 ms  1.5 %  mqtt://x:1883  answered\n"
        "lan1  site  down   5 s        -       0 %    mqtt://y:1883"
        "  held by an operator for another 1 min 30 s\n"
        "\n"
        "LANE   WAITING  BYTES  RING BYTES  DROPPED  LAST  CENTRAL HAS\n"
        "alarm  1        70     0           0        1     0\n"
        "\n"
        "inventory  generation -  digest -  probing now\n"
        "alarms     3 stand: 1 critical, 2 minor\n"
        "refused messages  oversize 2\n"
    )


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59, "59 s"), (60, "1 min 0 s"), (90_000, "1 d 1 h")]
)
def test_a_duration_has_its_two_largest_units(seconds, text):
    assert duration(seconds) == text
