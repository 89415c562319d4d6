"""A rollout that is at its end says so."""

from roost_central.rollout.head import Head, begun
from roost_central.rollout.table import ROLLOUT_ENDS, RolloutState

HEAD = Head(
    id="0" * 32, name="x", component="app/pump", version="1", digest="0" * 64, size=0,
    plan_digest="0" * 64, by="ann", reason="", made_ms=1, changed_ms=1,
)  # fmt: skip


def test_it_is_at_its_end_in_the_states_that_nothing_leads_out_of():
    ended = {
        state
        for state in RolloutState
        if Head(
            **{**{n: getattr(HEAD, n) for n in HEAD.__struct_fields__}, "state": state}
        ).is_ended
    }
    assert ended == ROLLOUT_ENDS


def test_a_new_one_waits_for_approval_or_for_its_start():
    assert begun(HEAD, RolloutState.SCHEDULED, 5).changed_ms == 5
    assert begun(HEAD, RolloutState.AWAITING_APPROVAL, 5).state is RolloutState.AWAITING_APPROVAL
