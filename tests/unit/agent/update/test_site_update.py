"""A site of whole HA cores whose nodes are updated: who is let go, and who never is."""

import pytest
from updated_site import AT_WORK, DONE, NODES, OFFER, STAGED, UpdatedSite

from roost_agent.alarm_types import REDUNDANCY_LOST
from roost_agent.alarms.row import Row
from roost_agent.update.place import Near
from roost_agent.update.site_job import Phase
from roost_agent.update.site_lan import Lan
from roost_agent.update.site_standing import Head
from roost_agent.update.site_update import Here
from roost_agent.update.step import Step
from roost_protocol.severity import Severity
from roost_protocol.update import WaitReason


@pytest.fixture
def site(tmp_path):
    return UpdatedSite(tmp_path)


def test_who_holds_nothing_goes_first_one_at_a_time_and_who_runs_a_group_last(site):
    order = []
    while len(order) < 3:
        gone = site.turn()
        assert len(gone) == 1, [each and each.sentence for each in site.said]
        node = gone.pop()
        index = NODES.index(node)
        site.heads[index] = AT_WORK
        assert site.turn() == set(), "another one goes while this one is out"
        site.heads[index] = DONE
        order.append(index)
    last = {site.holder, site.coordinator, *site.cores.holders("web")}
    assert order[-1] in last
    assert order[0] not in last
    site.turn()
    assert site.said[site.coordinator].phase is Phase.SUCCEEDED


def test_the_last_that_could_take_a_group_is_not_let_go_before_its_heir_is_on_the_new_release(site):
    """Who would take the group is on the old release: the holder waits."""
    other = 1 - site.holder
    site.heads[2] = DONE
    site.heads[other] = Head(Step.DOWNLOAD)
    assert site.turn() == set()
    assert site.said[site.coordinator].phase is Phase.STAGING


def test_nobody_goes_while_one_of_the_site_is_silent(site):
    site.turn()
    site.cores.boxes[2].is_up = False
    site.cores.run(20_000)
    assert site.turn() == set()
    told = site.said[site.coordinator]
    assert (told.why, told.sentence) == (WaitReason.QUORUM, "not alive: lab.w1")


def test_a_node_that_fails_has_the_others_go_back(site):
    site.heads[2] = Head(Step.ROLLBACK, failure="health")
    assert site.turn() == set()
    back = {NODES[i] for i, each in enumerate(site.said) if NODES[i] in each.back}
    assert back == {"lab.c0", "lab.c1"}


def test_a_node_keeps_its_own_window_and_hold_whoever_lets_it_go(site):
    first = site.turn()
    (index,) = [NODES.index(each) for each in first]
    assert index != site.coordinator
    site.hold[index] = "until noon: stocktaking"
    assert site.turn() == set()
    assert site.said[index].why is WaitReason.HOLD
    site.hold[index], site.closed[index] = "", "the window opens at noon"
    site.turn()
    assert site.said[index].why is WaitReason.WINDOW


def test_a_window_of_a_nodes_own_binds_it_alone_and_the_plans_binds_the_site(site):
    first = site.turn()
    (index,) = [NODES.index(each) for each in first]
    site.closed[index], site.own[index] = "its profile's window opens at noon", True
    assert site.turn() == set(), "the next would run what it should take over"
    assert site.said[index].why is WaitReason.WINDOW
    assert site.told == (WaitReason.WINDOW, f"a window of its own keeps {NODES[index]}")
    site.closed[index] = ""
    one = site.coordinator
    site.closed[one], site.own[one] = "its profile's window opens at noon", True
    assert site.turn() == first
    site.own[one] = False
    assert site.turn() == set()


def test_an_alarm_of_any_node_keeps_the_site_with_no_centre_asked_and_goes_on_when_it_is_gone(site):
    first = site.turn()
    (index,) = [NODES.index(each) for each in first]
    row = Row("200.006", "process=web", Severity.MAJOR, 0, 0, "process web has failed")
    site.heads[index], site.alarms[index] = DONE, row
    assert site.turn() == set()
    text = f"alarm 200.006 stands on {NODES[index]}, and the plan's gates are alarms = permissive"
    assert site.told == (WaitReason.HEALTH, text)
    site.alarms[index] = None
    assert len(site.turn()) == 1


def test_a_node_that_was_let_go_looks_at_its_own_alarms_once_more(site):
    first = site.turn()
    (index,) = [NODES.index(each) for each in first]
    row = Row("200.006", "process=web", Severity.MAJOR, 0, 0, "process web has failed")
    verdict = site.of[index].ask(OFFER, STAGED, Here(takes_down=True, alarm=row))[1]
    assert (verdict.go, verdict.why) == ((), WaitReason.HEALTH)
    assert "200.006 (process web has failed) stands on" in verdict.sentence


def test_a_coordinator_says_when_its_own_window_opens(site):
    site.heads = [DONE] * 3
    one = site.coordinator
    site.heads[one] = STAGED
    site.closed[one], site.own[one] = "its window opens at noon", True
    assert site.turn() == set()
    text = f"a window of its own keeps {NODES[one]}: its window opens at noon"
    assert site.told == (WaitReason.WINDOW, text)


def test_nobody_is_let_go_while_the_site_has_lost_redundancy(site):
    for part in site.of:
        part._runtime.conditions[REDUNDANCY_LOST, "web"] = "web has no standby"
    assert site.turn() == set()
    told = site.said[site.coordinator]
    assert (told.why, told.sentence) == (WaitReason.HEALTH, "the site has lost redundancy")
    for part in site.of:
        part._runtime.conditions.clear()
    assert len(site.turn()) == 1


def test_a_coordinator_that_has_ended_goes_on_to_let_the_others_go(site):
    site.heads[site.coordinator] = DONE
    assert len(site.turn()) == 1


def test_another_coordinator_derives_the_same_from_the_beats(site):
    site.heads[2] = AT_WORK
    site.turn()
    old = site.coordinator
    site.cores.boxes[old].is_up = False
    site.cores.run(20_000)
    assert site.coordinator != old
    assert site.turn() == set()
    assert site.said[site.coordinator].phase is Phase.APPLYING


def test_a_release_that_takes_nobody_down_goes_in_one_after_the_other(site):
    assert len(site.turn(takes_down=False)) == 1


def test_one_node_fetches_for_the_site_and_the_others_ask_those_that_have_it(site):
    first = site.coordinator
    site.heads = [Head(Step.DOWNLOAD)] * 3
    site.turn()
    fetchers = [site.of[index].near(OFFER).fetcher for index in range(3)]
    assert fetchers == ["" if index == first else site.of[0]._names[first] for index in range(3)]
    site.heads[first] = STAGED
    site.turn()
    others = [site.of[index].near(OFFER) for index in range(3) if index != first]
    assert [each.fetcher for each in others] == ["", ""]
    address = f"10.0.0.{first + 1}:7788"
    assert [each.mirrors for each in others] == [[f"{site.of[0]._names[first]}@{address}"]] * 2
    site.heads[first] = Head(Step.END, "failed", failure="verify")
    site.turn()
    assert all(not site.of[index].near(OFFER).fetcher for index in range(3) if index != first)


def test_a_node_that_alone_needs_a_release_gets_it_though_the_others_have_it(site):
    """Those that have it open the job as ended: a mixed site is mended."""
    index = next(i for i in range(3) if i != site.coordinator)
    site.heads = [DONE] * 3
    site.heads[index] = Head(Step.DOWNLOAD)
    site.turn()
    assert site.of[index].near(OFFER) == Near([]), "nobody fetches for it: it need not wait"
    site.heads[index] = STAGED
    assert site.turn() == {NODES[index]}
    site.heads[index] = DONE
    site.turn()
    assert site.said[site.coordinator].phase is Phase.SUCCEEDED


def test_a_coordinator_that_alone_needs_a_release_goes_once_the_others_are_heard_to_have_it(site):
    index = site.coordinator
    site.heads = [DONE] * 3
    site.heads[index] = STAGED
    assert site.turn() == {NODES[index]}


def test_two_that_need_a_release_have_one_of_them_fetch_it(site):
    first, second = (i for i in range(3) if i != site.coordinator)
    site.heads = [Head(Step.DOWNLOAD)] * 3
    site.heads[site.coordinator] = DONE
    site.turn()
    fetchers = [site.of[each].near(OFFER).fetcher for each in (first, second)]
    assert fetchers == ["", site.of[0]._names[first]]


def test_who_has_no_identity_or_no_port_fetches_by_itself(site):
    assert site.of[0].near(OFFER).fetcher or site.coordinator == 0
    site.lan = Lan(object(), 0)
    assert site.part(0).near(OFFER) == Near()
    site.lan = Lan(None, 7_788)
    alone = site.part(0)
    assert (alone.near(OFFER), alone.lending()) == (Near(), ())


def test_a_site_is_cut_off_where_none_that_is_heard_is_reached_and_one_says_so(site):
    assert not site.of[2].is_cut_off, "nobody has said anything yet"
    site.turn()
    assert not site.of[2].is_cut_off, "both others are reached"
    site.reached = [False, True, False]
    site.turn()
    assert not site.of[2].is_cut_off, "one of them is"
    assert not site.of[0].is_cut_off
    assert site.of[1].is_cut_off, "its own way counts for the others alone"
    site.reached = [False] * 3
    site.turn()
    assert all(part.is_cut_off for part in site.of)
