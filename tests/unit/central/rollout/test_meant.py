"""For whom a rollout is meant: who was there when it was made, and a few that may come later."""

import msgspec
import pytest
from rollout_fleet import OLD, SmallFleet

from roost_central.rollout.job import Job
from roost_central.rollout.meant import late_max, shown, tree_of
from roost_protocol.release.meant import LATE_MAX, former_leaf, holds, site_leaf


@pytest.fixture
def rollout():
    made = SmallFleet().rollout
    made.put(Job(site="late", wave=0, nodes=("late.n1",), former=OLD, is_late=True))
    return made


def test_who_came_later_changes_nothing_of_what_was_approved(rollout):
    before = tree_of(SmallFleet().rollout.jobs.values())
    tree = tree_of(rollout.jobs.values())
    assert (tree.root, tree.count) == (before.root, 30)


def test_a_site_is_shown_with_its_former_release_and_a_late_one_by_that_alone(rollout):
    tree = tree_of(rollout.jobs.values())
    one, late = (shown(rollout.head, tree, rollout.jobs[name]) for name in ("s0003", "late"))
    assert holds(tree.root, site_leaf("s0003", OLD[1]), one.proof)
    assert holds(tree.root, former_leaf(OLD[1]), late.proof)
    assert (one.rollout, one.former) == (rollout.head.id, OLD[1])


def test_as_many_come_later_as_the_plan_says_and_none_of_a_part_of_the_fleet(rollout):
    plan = msgspec.structs.replace(rollout.plan, late_max_pct=10)
    head = msgspec.structs.replace(rollout.head, is_whole=True)
    assert late_max(rollout.head, plan) == 0
    assert late_max(head, plan) == 3
    many = msgspec.structs.replace(head, sites=100_000)
    assert late_max(many, plan) == LATE_MAX
