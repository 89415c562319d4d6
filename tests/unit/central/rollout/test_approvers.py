"""How many must approve is never the plan's word alone."""

from roost_central.rollout.approvers import approvers_of
from roost_central.rollout.plan_file import read_plan

HEAD = 'name = "x"\ncomponent = "app/pump"\nversion = "1.1.0"\n'


def plan(text=""):
    return read_plan((HEAD + text).encode())


def test_the_plan_cannot_ask_for_fewer_approvers_than_the_signer():
    one = plan("approvers = 0")
    assert approvers_of(one, 10, least=2) == 2
    assert approvers_of(one, 2_000, least=1) == 2
    assert approvers_of(plan("approvers = 3"), 10, least=1) == 3
    assert approvers_of(one, 10, least=0) == 0  # a demo
