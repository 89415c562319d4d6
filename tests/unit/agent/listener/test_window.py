"""What is kept of the frames that came, before anybody looks into one."""

from lldp_sender import frame

from roost_agent.listener.window import (
    KEPT_MS_MAX,
    PORT_FRAMES_MAX,
    Heard,
    decoded,
    encoded,
    keep,
)


def sender(number):
    return frame(sender=f"0200000000{number:02x}")


def test_the_last_frame_of_each_sender_is_kept():
    kept = {}
    for at_ms, raw in ((1, sender(1)), (2, sender(2)), (3, sender(1) + b"new")):
        keep(kept, Heard("eth0", at_ms, raw))
    assert sorted(each.heard_ms for each in kept.values()) == [2, 3]


def test_a_port_that_floods_crowds_out_neither_its_neighbour_nor_another_ports():
    kept = {}
    for number in range(50):
        keep(kept, Heard("eth0", 10 + number, sender(number)), since_ms=10)
    keep(kept, Heard("eth1", 99, sender(1)), since_ms=10)
    assert [each.heard_ms for each in kept.values()] == [*range(10, 10 + PORT_FRAMES_MAX), 99]


def test_who_was_heard_before_this_window_makes_room():
    kept = {}
    for number in range(PORT_FRAMES_MAX):
        keep(kept, Heard("eth0", number, sender(number)))
    keep(kept, Heard("eth0", 500, sender(99)), since_ms=400)
    assert sorted(each.heard_ms for each in kept.values()) == [1, 2, 3, 4, 5, 500]


def test_what_is_no_frame_is_not_kept():
    kept = {}
    keep(kept, Heard("eth0", 1, b"\0" * 14))
    assert kept == {}


def test_what_was_written_is_known_to_the_next_window():
    heard = Heard("eth0", KEPT_MS_MAX, sender(1))
    kept = {}
    for each in (heard, Heard("eth0", 0, sender(2)), Heard("gone0", KEPT_MS_MAX, sender(3))):
        keep(kept, each)
    raw = encoded(kept, ["eth0"], KEPT_MS_MAX)
    assert list(decoded(raw).values()) == [heard], "neither too old nor of a port that went"


def test_a_file_that_makes_no_sense_is_as_none():
    for raw in (b"{", b"[]", b'{"frames": [{"port": "x"}]}', b'{"frames": 3}'):
        assert decoded(raw) == {}
