"""The numbers of a node's rounds."""

from roost_agent.ha.ballot import Ballots
from roost_protocol.ha import Kind, Nonce
from roost_protocol.voter_state import Record, VoterState

BOOT = b"b" * 16


def ballots(**record):
    state = VoterState(1, b"v" * 16, 3, BOOT, {"main": Record(**record)})
    return Ballots("main", 5, BOOT, watchdog_ms=7, state=state)


def test_an_epoch_is_above_all_that_was_heard_of_and_the_nodes_own():
    one = ballots(max_epoch=37, given_back=69)
    assert one.next_epoch() == 101
    one.hear(101)
    assert one.next_epoch() == 133
    one.hear(40)
    assert one.next_epoch() == 133


def test_each_round_has_a_later_nonce_which_its_frames_carry():
    one = ballots()
    first, second = one.nonce(), one.nonce()
    assert first == Nonce(b"v" * 16, 3, 1) < second
    send = one.send(2, Kind.RENEW, 5, second)
    assert (send.to, send.nonce, send.owner, send.owner_boot, send.watchdog_ms) == (
        2, second, 5, BOOT, 7,
    )  # fmt: skip
