"""A difference that lasts although its node is heard is one alarm a site and kind."""

import pytest

from roost_central.alarms.facts import OwnCleared, OwnRaised
from roost_central.ingest.sync import BEHIND_MS, SyncWatch


class Fleet:
    def __init__(self):
        self.nodes = {"lab.n1", "lab.n2", "far.n1"}
        self.watch = SyncWatch(self.nodes.__contains__)

    def note(self, node, now_ms, *, what="alarms", is_behind=True):
        return self.watch.note(node, what, now_ms, is_behind=is_behind)


@pytest.fixture
def fleet():
    return Fleet()


def test_one_that_lasts_is_raised_once_and_cleared_when_the_last_node_agrees(fleet):
    assert fleet.note("lab.n1", 0) is None
    assert fleet.note("lab.n2", 5) is None
    assert fleet.note("lab.n1", BEHIND_MS - 1) is None
    raised = fleet.note("lab.n1", BEHIND_MS)
    assert isinstance(raised, OwnRaised)
    assert (raised.type, raised.entity, raised.site) == ("280.002", "site=lab,what=alarms", "lab")
    assert raised.params == {"s": BEHIND_MS // 1000}
    assert fleet.note("lab.n1", BEHIND_MS + 1) is None
    assert fleet.note("lab.n1", BEHIND_MS + 2, is_behind=False) is None, "n2 still differs"
    cleared = fleet.note("lab.n2", BEHIND_MS + 3, is_behind=False)
    assert cleared == OwnCleared("280.002", "site=lab,what=alarms")


def test_one_that_is_mended_in_time_is_none(fleet):
    fleet.note("lab.n1", 0)
    assert fleet.note("lab.n1", BEHIND_MS - 1, is_behind=False) is None
    assert fleet.note("lab.n1", BEHIND_MS) is None
    assert fleet.note("lab.n1", BEHIND_MS + 1) is None


def test_sites_and_kinds_count_apart(fleet):
    fleet.note("lab.n1", 0)
    fleet.note("lab.n1", 9, what="inventory")
    fleet.note("far.n1", 9)
    assert fleet.note("far.n1", BEHIND_MS) is None
    assert fleet.note("lab.n1", BEHIND_MS, what="inventory") is None
    assert fleet.note("lab.n1", BEHIND_MS) is not None


def test_a_node_that_is_not_ours_any_more_holds_nothing_up(fleet):
    fleet.note("lab.n1", 0)
    fleet.note("lab.n2", 1)
    assert fleet.note("lab.n2", BEHIND_MS + 1) is not None
    fleet.nodes.discard("lab.n1")
    assert fleet.note("lab.n2", BEHIND_MS + 2, is_behind=False) is not None
