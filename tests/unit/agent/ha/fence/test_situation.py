"""Fencing over whole cores: rows of the table of scenarios, and what must never come of them."""

import pytest
from ha_fences import STEP_MS, Fenced

from roost_agent.ha import core_events as ev
from roost_agent.ha.fence.event import Ask, Drive, NoProof, Power, Proven, Verb
from roost_agent.ha.fence.ladder import KEEP_OFF_MS
from roost_agent.ha.fence.situation import UNHEARD_MS, situation
from roost_agent.ha.gateway import STALE_MS
from roost_agent.ha.member import MemberState

pytestmark = pytest.mark.untraced

NO_PROOF = "400.804"
FULL_CUT = {(0, 1, None), (1, 0, None)}  # each still hears itself by its own broker


def pair(tmp_path, on_full_cut="keep_incumbent", **more):
    said = f'on_full_cut = "{on_full_cut}"'
    return Fenced(tmp_path, names=("c0", "c1"), more=said, **more)


def settled(site):
    """Start it, and return who holds the group and who could."""
    holder = site.settled()
    return holder, 1 - holder


def looked(site, index, **how):
    box = site.boxes[index]
    return situation(box.core, site.clock(box), **{"has_carrier": True, **how})


def cut(site):
    site.cut = set(FULL_CUT)


def test_while_all_are_heard_there_is_no_case(tmp_path):
    site = pair(tmp_path)
    owner, standby = settled(site)
    seen = looked(site, standby)
    assert seen.cases == ()
    assert seen.present == {owner}
    assert seen.boots == {owner: site.boxes[owner].boot}
    assert seen.is_sticky
    assert not seen.is_owner
    assert looked(site, owner).is_owner
    assert looked(site, owner, has_carrier=False).is_isolated


def test_row_4_power_is_lost_and_reads_off_so_the_standby_takes_over(tmp_path):
    site = pair(tmp_path)
    owner, standby = settled(site)
    site.lose_power(owner)
    site.until(lambda: site.holders() == [standby])
    assert site.cuts() == []
    site.run(KEEP_OFF_MS)
    assert site.power[owner] is Power.OFF, "what was found off stays off"


def test_row_5_its_bmc_is_dead_too_so_nobody_takes_over_and_it_is_said(tmp_path):
    site = pair(tmp_path, "fence_incumbent")
    owner, standby = settled(site)
    site.bmc[owner] = "dead"
    site.lose_power(owner)
    site.run(60_000)
    assert site.holders() == []
    raised = site.boxes[standby].of(ev.Raise, type=NO_PROOF)
    assert "no answer within 10 s" in raised[-1].params["reason"]
    assert site.boxes[standby].of(ev.Clear, type=NO_PROOF) == []
    site.tell(standby, ev.Proven(owner, "an operator's word"))
    site.until(lambda: site.holders() == [standby])
    site.until(lambda: site.boxes[standby].of(ev.Clear, type=NO_PROOF), ms=STEP_MS)


def test_row_13_keep_a_full_cut_with_power_on_changes_nothing(tmp_path):
    site = pair(tmp_path, "keep_incumbent")
    owner, _ = settled(site)
    cut(site)
    site.run(60_000)
    assert site.holders() == [owner]
    assert site.cuts() == site.of(Ask) == site.of(Proven) == []


def test_row_13_fence_a_full_cut_ends_the_owner_and_the_standby_takes_over(tmp_path):
    site = pair(tmp_path, "fence_incumbent")
    owner, standby = settled(site)
    site.boots = False
    cut(site)
    site.until(lambda: site.holders() == [standby])
    assert site.cuts() == [(standby, owner)], "an owner fences nobody"
    site.until(lambda: site.power[owner] is Power.ON)


def test_row_14_without_a_fence_the_incumbent_keeps(tmp_path):
    site = pair(tmp_path, "fence_incumbent")
    owner, standby = settled(site)
    site.bmc = dict.fromkeys(site.bmc, "dead")
    cut(site)
    site.run(60_000)
    assert site.holders() == [owner]
    assert site.boxes[standby].of(ev.Raise, type=NO_PROOF)
    site.cut = set()
    site.run(20_000)
    assert site.holders() == [owner]
    assert site.boxes[standby].of(ev.Clear, type=NO_PROOF)


def test_row_33_a_fenced_owner_that_boots_into_the_cut_starts_nothing_and_fences_nobody(tmp_path):
    site = pair(tmp_path, "fence_incumbent")
    owner, standby = settled(site)
    cut(site)
    site.until(lambda: site.holders() == [standby])
    site.run(60_000)
    assert site.boxes[owner].is_up
    assert site.holders() == [standby]
    assert site.cuts() == [(standby, owner)]
    site.cut = set()
    site.run(30_000)
    assert site.holders() == [standby]
    assert site.boxes[standby].core.members.state(owner) is MemberState.ALIVE


def test_row_24_a_pair_that_starts_alone_takes_a_group_once_its_peer_reads_off(tmp_path):
    site = pair(tmp_path)
    owner, standby = settled(site)
    for index in (owner, standby):
        site.lose_power(index)
    site.power[standby] = Power.ON
    site.power[owner] = Power.ON
    site.start(standby)
    site.run(UNHEARD_MS + 60_000)
    assert site.holders() == [], "it waits: the peer may run"
    assert "its power reads On" in site.of(NoProof)[-1][1].sentence
    site.power[owner] = Power.OFF
    site.until(lambda: site.holders() == [standby])
    assert site.cuts() == []


def test_a_node_that_does_not_even_hear_itself_fences_nobody(tmp_path):
    site = pair(tmp_path, "fence_incumbent")
    owner, standby = settled(site)
    site.cut = {(None, None, None)}
    site.run(60_000)
    assert looked(site, standby).is_isolated
    assert site.cuts() == []
    assert site.holders() == [owner]


def test_a_node_without_a_carrier_fences_nobody(tmp_path):
    site = pair(tmp_path, "fence_incumbent")
    owner, _ = settled(site)
    site.has_carrier = False
    cut(site)
    site.run(60_000)
    assert site.cuts() == []
    assert site.holders() == [owner]


def test_a_node_whose_gateway_fell_silent_with_the_owner_switches_nobody_off(tmp_path):
    site = pair(tmp_path, "fence_incumbent")
    site.gateway = True
    owner, standby = settled(site)
    cut(site)
    site.gateway = False
    site.run(60_000)
    assert looked(site, standby, gateways=site.gateways[standby]).unsure == {owner}
    assert site.cuts() == []
    assert site.holders() == [owner]
    assert "gateway fell silent" in site.of(NoProof)[-1][1].sentence
    site.gateway = True  # it is there after all, so the owner is the one
    site.until(lambda: site.holders() == [standby])


def test_power_that_reads_off_is_proof_whatever_the_gateway_does(tmp_path):
    site = pair(tmp_path, "fence_incumbent")
    site.gateway = True
    owner, standby = settled(site)
    site.gateway = False  # both on one supply
    site.lose_power(owner)
    site.until(lambda: site.holders() == [standby])


@pytest.mark.parametrize("gateway", [None, False, True])
def test_without_a_gateway_or_with_one_long_dead_an_owner_is_switched_off(tmp_path, gateway):
    site = pair(tmp_path, "fence_incumbent")
    site.gateway = None if gateway is None else True
    _, standby = settled(site)
    site.gateway = gateway
    if gateway is False:
        site.run(STALE_MS + 10_000)
    cut(site)
    site.until(lambda: site.holders() == [standby])


def test_an_owner_under_maintenance_is_not_fenced(tmp_path):
    site = pair(tmp_path, "fence_incumbent")
    owner, standby = settled(site)
    box = site.boxes[owner]
    site.tell(owner, ev.Pause("main", site.clock(box) + 3_600_000))
    site.run(2_000)
    assert looked(site, standby).spared == {owner}
    cut(site)
    site.run(60_000)
    assert site.cuts() == []


def test_an_owner_that_left_is_spared(tmp_path):
    site = pair(tmp_path)
    owner, standby = settled(site)
    site.tell(owner, ev.Leave())
    site.until(lambda: looked(site, standby).spared == {owner})


def test_an_owner_that_hears_the_question_gives_back_and_is_not_switched_off(tmp_path):
    site = pair(tmp_path, "fence_incumbent")
    owner, standby = settled(site)
    box = site.boxes[standby]
    epoch = box.lease().belief(site.clock(box)).epoch
    site.tell(standby, ev.Yield(owner, "main", epoch))
    site.until(lambda: site.holders() == [standby])
    assert site.cuts() == []


def three(tmp_path):
    return Fenced(tmp_path, hard_by_fence=True)


def test_hard_by_fencing_nobody_takes_over_after_the_promise_without_a_proof(tmp_path):
    site = three(tmp_path)
    owner, standby = settled(site)
    site.bmc[owner] = "dead"
    site.lose_power(owner)
    site.run(60_000)  # many times the promise
    assert site.holders() == []
    assert "no answer" in site.boxes[standby].of(ev.Raise, type=NO_PROOF)[-1].params["reason"]
    site.bmc[owner] = "well"
    site.until(lambda: site.holders() == [standby])
    assert site.cuts() == [], "it reads Off already"


def test_hard_by_fencing_a_majority_ends_an_owner_that_is_cut_off(tmp_path):
    site = three(tmp_path)
    owner, standby = settled(site)
    site.boots = False
    site.cut = {(owner, None, None), (None, owner, None)}
    site.until(lambda: site.holders() == [standby])
    assert site.cuts() == [(standby, owner)]
    site.until(lambda: [each.node for _, each in site.of(Drive, verb=Verb.ON)] == [owner])


def test_hard_by_fencing_a_switchover_needs_no_fence(tmp_path):
    site = three(tmp_path)
    owner, standby = settled(site)
    site.tell(owner, ev.Give("main", "ordered", standby))
    site.until(lambda: site.holders() == [standby])
    assert site.cuts() == []


def test_hard_by_fencing_a_node_whose_own_fence_fails_does_not_stand(tmp_path):
    site = three(tmp_path)
    site.bmc = dict.fromkeys(site.bmc, "dead")
    site.start()
    site.run(60_000)
    assert site.holders() == []
    assert "its own fence: no answer" in site.boxes[0].core.bar("main")
    site.bmc = dict.fromkeys(site.bmc, "well")
    site.until(lambda: len(site.holders()) == 1, ms=600_000)


def test_without_hard_by_fencing_a_majority_takes_over_and_fences_nobody(tmp_path):
    site = Fenced(tmp_path)
    owner, standby = settled(site)
    site.bmc[owner] = "dead"
    site.cut = {(owner, None, None), (None, owner, None)}
    site.until(lambda: standby in site.holders())
    assert site.of(NoProof) == []
    assert site.cuts() == []


def test_row_3_power_that_reads_off_ends_a_promise_before_its_time(tmp_path):
    """Three voters: the promise outlasts a watchdog that a node without power does not need."""

    def taken_ms(bmc):
        hard = ('name = "db"\n', 'name = "db"\nexclusive = "hard"\n')
        site = Fenced(tmp_path, replaced=hard)
        owner, standby = settled(site)
        site.bmc[owner] = bmc
        site.lose_power(owner)
        took_ms = site.until(lambda: site.holders() == [standby])
        assert site.cuts() == site.of(NoProof) == []
        return took_ms, site.config.timing

    (early_ms, timing), (late_ms, _) = taken_ms("well"), taken_ms("dead")
    assert late_ms > timing.promise_ms(timing.watchdog_ms) - timing.lease_ms // 2
    assert early_ms < late_ms - 1_000


def test_with_three_voters_power_that_reads_on_changes_nothing_and_is_no_alarm(tmp_path):
    site = Fenced(tmp_path)
    owner, standby = settled(site)
    site.cut = {(owner, None, None), (None, owner, None)}
    site.until(lambda: site.holders() == [standby])
    site.run(20_000)
    assert site.of(Drive), "it was read"
    assert site.cuts() == site.of(NoProof) == site.of(Proven) == []


@pytest.mark.parametrize("seed", range(2))
def test_two_in_a_full_cut_end_with_one_owner_whoever_is_faster(tmp_path, seed):
    site = pair(tmp_path, "fence_incumbent", seed=seed)
    _, standby = settled(site)
    cut(site)
    for _ in range(20):
        site.run(2_000)
        assert len(site.holders()) <= 1
    assert site.holders() == [standby]
