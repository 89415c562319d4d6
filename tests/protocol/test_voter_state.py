"""A voter's file: what was written is read, and what is no state is not taken for a new disk."""

import pytest
from msgspec.structs import replace

from roost_protocol.errors import ProtocolError
from roost_protocol.voter_state import Record, VoterState, load

STATE = VoterState(1, b"v" * 16, 4, b"b" * 16, {"main": Record(97, 1, b"c" * 16, 7, True, 0, 64)})


def test_what_was_written_is_read():
    assert load(STATE.blob()) == STATE
    assert len(STATE.blob()) < 100


def test_a_blank_state_knows_nothing():
    assert VoterState.blank(b"v" * 16) == VoterState(1, b"v" * 16, 0, bytes(16), {})


@pytest.mark.parametrize("blob", [b"", STATE.blob()[:-1], STATE.blob() + b"x", b"\x95\x09"])
def test_what_is_cut_or_of_another_version_is_refused(blob):
    with pytest.raises(ProtocolError):
        load(blob)


MINE = Record(97, 1, b"c" * 16, 7, True, 0, 64, 0, 97, 7)


def test_what_this_node_won_and_kept_is_still_its_own():
    state = VoterState(1, b"v" * 16, 4, b"b" * 16, {"main": MINE})
    assert load(state.blob()) == state
    assert MINE.is_still_mine(1, 7)


@pytest.mark.parametrize(
    "other",
    [
        {"owner": 0},  # it promised another
        {"max_epoch": 129},  # a later epoch, of which nobody knows whether it was won
        {"given_back": 97},
        {"endless": False},  # voters of which a majority decides
        {"won": 0},
        {"won_under": 8},  # other voters since
    ],
)
def test_what_may_be_anothers_is_not_its_own(other):
    assert not replace(MINE, **other).is_still_mine(1, 7)
