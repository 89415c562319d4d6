"""The state of one lease at one node."""

import pytest
from leases import D1, D3, lease

from roost_agent.ha.lease_phase import Phase


@pytest.mark.parametrize(
    ("phase", "is_held"),
    [
        (Phase.FOLLOWING, False),
        (Phase.ACQUIRE, False),
        (Phase.HOLDING, True),
        (Phase.STOPPING, True),
        (Phase.DISARMING, True),
        (Phase.RELEASING, False),
    ],
)
def test_it_is_held_until_the_guard_let_go(phase, is_held):
    turn = lease()._turn
    turn.phase = phase
    assert turn.is_held == is_held


def test_a_right_without_end_has_no_first_deadline():
    turn = lease()._turn
    assert turn.d1_ms() is None
    assert not turn.is_past_d1(1 << 40)
    turn.valid_ms = D3
    assert turn.d1_ms() == D1
    assert not turn.is_past_d1(D1 - 1)
    assert turn.is_past_d1(D1)
