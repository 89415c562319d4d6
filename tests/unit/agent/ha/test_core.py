"""A whole node: three cores that beat, vote, hold and give back, and what surrounds them breaks."""

import pytest
from ha_cores import START_MS, Cores
from ha_site import beat
from msgspec.structs import replace

from roost_agent.ha import core_events as ev
from roost_agent.ha import lease_events as le
from roost_agent.ha.candidacy import PAUSE_MS_MAX
from roost_agent.ha.config import SITE_LEASE
from roost_agent.ha.core import ABSTAINS
from roost_agent.ha.guard_fitness import LOST, REFUSED_MS
from roost_agent.ha.lacking import NO_PROOF
from roost_agent.ha.member import MemberState
from roost_agent.ha.membership_events import Replaced
from roost_agent.ha.moves import HELD_BACK, MOVES_MAX
from roost_agent.ha.proposer_events import Wanted
from roost_agent.ha.quorum_watch import NO_QUORUM
from roost_agent.ha.redundancy import RedundancyState
from roost_central.witness.core import SiteWitness
from roost_central.witness.events import FrameIn, Keep, Persisted, Tell, Tick
from roost_protocol.configuration import WITNESS
from roost_protocol.explain import Explain
from roost_protocol.ha import Echo, Header, Kind, LeaseFrame, Nonce
from roost_protocol.voter_events import Persist
from roost_protocol.voter_state import VoterState

SITES = (0, 1, 2)


@pytest.fixture
def site(tmp_path):
    return Cores(tmp_path)


@pytest.fixture
def pair(tmp_path):
    return Cores(tmp_path, names=("c0", "c1"), more="")


def promise_ms(site):
    return site.config.timing.promise_ms()


def test_a_cold_start_makes_one_node_active_and_one_the_coordinator(site):
    site.start()
    site.until(site.holders, ms=4_000)
    site.run(5_000)
    (active,) = site.holders()
    assert [box.lease().holder for box in site.boxes] == [active] * 3
    assert len({box.lease(SITE_LEASE).holder for box in site.boxes}) == 1
    assert len(site.boxes[active].of(ev.Start)) == 1
    assert not any(box.of(ev.Start, lease=SITE_LEASE) for box in site.boxes)


def test_nothing_is_asked_before_the_start_is_on_disk(site):
    for box in site.boxes:
        box.disk_fails = True
    site.start()
    site.run(5_000)
    assert all(box.core.leases == {} for box in site.boxes)
    assert site.boxes[0].of(ev.Raise, type=ABSTAINS)
    for box in site.boxes:
        box.disk_fails = False
    site.until(site.holders)


def test_the_standby_takes_over_when_the_promise_is_over_and_not_before(site):
    active = site.settled()
    epoch = site.boxes[active].runs["main"]
    site.boxes[active].is_up = False
    site.boxes[active].runs.clear()
    took_ms = site.until(site.holders)
    limit_ms = promise_ms(site)
    assert limit_ms - site.config.timing.lease_ms // 2 < took_ms < limit_ms + 2_000
    (standby,) = site.holders()
    assert standby == 1 - active
    assert site.boxes[standby].runs["main"] > epoch
    sentence = site.boxes[standby].of(Explain)[-1].sentence
    assert "took" in " ".join(each.sentence for each in site.boxes[standby].of(Explain)), sentence


def test_a_switchover_goes_to_the_node_named_within_a_blink(site):
    active = site.settled()
    standby = 1 - active
    answer = site.tell(active, ev.Give("main", "ordered", standby))
    assert answer.ok
    assert site.until(lambda: site.holders() == [standby]) < 1_000
    stop = site.boxes[active].of(ev.Stop)[0]
    assert stop.why == "ordered"
    assert stop.by_ms is not None


def test_an_order_to_a_node_that_holds_nothing_is_refused_with_the_reason(site):
    active = site.settled()
    answer = site.tell(1 - active, ev.Give("main", "ordered", active))
    assert not answer.ok
    assert "not held here" in answer.sentence


def test_a_holder_without_its_guard_gives_back(site):
    active = site.settled()
    site.boxes[active].guard = "gone"
    site.tell(active, le.GuardLost())
    site.until(lambda: site.boxes[active].of(ev.Stop))
    assert not site.boxes[active].of(ev.Stop, lease=SITE_LEASE), "that one runs nothing"


def test_what_the_guard_refuses_never_starts(site):
    for box in site.boxes[:2]:
        box.guard = "refuses"
    site.start()
    site.run(8_000)
    assert site.holders() == []
    assert any(box.of(ev.Stop) for box in site.boxes)


def test_a_guard_that_refuses_ends_the_election_and_not_for_ever(site):
    for box in site.boxes[:2]:
        box.guard = "refuses"
    site.start()
    site.run(REFUSED_MS - 5_000)
    tried = [len(box.of(ev.Arm, lease="main")) for box in site.boxes[:2]]
    assert tried == [1, 1]
    assert site.boxes[0].core.bar("main") == "the guard refused it: no-watchdog"
    assert all("main" in box.core.members.report(1 - box.index).barred for box in site.boxes[:2])
    for box in site.boxes[:2]:
        box.guard = "well"
    site.until(site.holders, ms=REFUSED_MS)


def test_a_guard_that_could_not_keep_a_lease_is_not_asked_to(site):
    site.start()
    for index in (0, 1):
        site.tell(index, ev.GuardSaid({"main": "its watchdog bites too late"}))
    site.run(8_000)
    assert [box.of(ev.Arm, lease="main") for box in site.boxes[:2]] == [[], []]
    sentence = "main cannot be active here: its watchdog bites too late"
    assert sentence in [each.sentence for each in site.boxes[0].of(Explain)]
    site.tell(1, ev.GuardSaid())
    site.until(lambda: site.holders() == [1])


def test_a_node_without_a_guard_stands_for_nothing_until_one_answers(site):
    site.boxes[0].guard = site.boxes[1].guard = "gone"
    site.start()
    site.run(20_000)
    turns = [{each.epoch for each in box.of(ev.Arm, lease="main")} for box in site.boxes[:2]]
    assert [len(epochs) for epochs in turns] == [1, 1]
    assert site.boxes[0].core.bar("main") == LOST
    site.boxes[0].guard = "well"
    site.tell(0, ev.GuardSaid())
    site.until(lambda: site.holders() == [0])


def test_a_node_that_runs_on_under_its_guard_goes_on_where_it_was(site):
    active = site.settled()
    epoch = site.boxes[active].runs["main"]
    site.boxes[active].is_up = False
    site.run(200)
    site.start(active)
    site.run(5_000)
    assert site.holders() == [active]
    assert site.boxes[active].runs["main"] == epoch
    assert site.boxes[1 - active].of(ev.Start) == []


def test_a_reboot_without_a_guard_waits_the_promises_out(site):
    site.settled()
    site.reboot(2)
    site.start(2, guarded=False)
    site.run(200)
    texts = [each.sentence for each in site.boxes[2].of(Explain)]
    assert any("votes for nobody" in text for text in texts)


def test_maintenance_keeps_a_group_away_and_ends_by_itself(site):
    active = site.settled()
    standby = site.boxes[1 - active]
    site.tell(standby.index, ev.Pause("main", site.clock(standby) + 8_000))
    assert standby.core.bar("main") == "maintenance"
    site.boxes[active].is_up = False
    site.boxes[active].runs.clear()
    site.run(7_500)
    assert site.holders() == []
    assert site.until(site.holders) < 3_000
    assert standby.core.bar("main") == ""


def test_maintenance_is_bounded_and_can_be_ended(site):
    site.settled()
    box = site.boxes[2]
    site.tell(2, ev.Pause("main", site.clock(box) + 10 * PAUSE_MS_MAX))
    assert box.core.candidacy.paused == {"main": site.clock(box) + PAUSE_MS_MAX}
    site.tell(2, ev.Pause("main", None))
    assert box.core.candidacy.paused == {}


def test_a_node_without_a_majority_says_so_until_it_has_one(site):
    active = site.settled()
    site.cut = {(None, active, None), (active, None, None)}
    site.run(promise_ms(site) + 2_000)
    assert site.boxes[active].of(ev.Raise, type=NO_QUORUM)[0].params == {
        "reason": "1 of 3 voters are heard"
    }
    assert site.boxes[active].of(ev.Stop), "it stopped by its deadline"
    assert not site.boxes[active].of(ev.Clear, type=NO_QUORUM)
    site.cut = set()
    site.run(3_000)
    assert site.boxes[active].of(ev.Clear, type=NO_QUORUM)
    assert len(site.boxes[active].of(ev.Raise, type=NO_QUORUM)) == 1


def test_a_disk_of_the_past_makes_the_voter_abstain_and_tell(site):
    site.settled()
    box = site.boxes[2]
    header = {"boot": site.boxes[0].boot, "inc": 1, "boot_ms": 0}
    for n in (1, 2):
        frame = beat(0, 10**6 + n, echo={2: (box.inc + 5, 9, 0)}, **header)
        site.tell(2, ev.FrameIn(0, replace(frame, site="lab")))
    assert len(box.of(ev.Raise, type=ABSTAINS)) == 1


def lease_frame(site, to, *, fresh=True, **more):
    """A frame of node 0, as node ``to`` could hear it."""
    box, sender = site.boxes[to], site.boxes[0]
    seq = box.core.fresh.sent(site.clock(box))
    pattern = beat(0, 10**6 + seq, boot=sender.boot, inc=sender.inc)
    header = {name: getattr(pattern, name) for name in Header.__struct_fields__}
    header["echo"] = {to: Echo(box.inc, seq, 0)} if fresh else {}
    said = {"kind": Kind.ATTEST, "name": "main", "owner": None, **more}
    nonce = Nonce(b"n" * 16, 1, 1)
    return LeaseFrame(**header, to=to, epoch=0, nonce=nonce, owner_boot=sender.boot, **said)


def answers(site, to, frame):
    box = site.boxes[to]
    effects = box.core.handle(ev.FrameIn(0, frame), site.clock(box))
    return [each.frame for each in effects if isinstance(each, ev.Send)]


def test_a_lease_that_the_own_file_does_not_have_is_attested_once_asked(site):
    site.settled()
    (answer,) = answers(site, 2, lease_frame(site, 2, name="other"))
    assert (answer.kind, answer.to, answer.owner, answer.epoch) == (Kind.ATTEST, 0, 2, 0)
    assert answers(site, 2, lease_frame(site, 2, name="other", owner=0)) == [], "an answer"
    site.boxes[2].core._holds["other"] = (5, None)
    assert answers(site, 2, lease_frame(site, 2, name="other")) == [], "the guard holds it"
    assert answers(site, 2, lease_frame(site, 2, name="other", kind=Kind.YIELD)) == []


def test_frames_that_are_stale_or_for_others_are_counted_or_left(site):
    site.settled()
    core = site.boxes[2].core
    (refusal,) = answers(site, 2, lease_frame(site, 2, kind=Kind.PREVOTE, fresh=False))
    assert (refusal.kind, refusal.reason) == (Kind.REFUSE, "stale")
    assert core.stale == 1
    assert answers(site, 2, replace(lease_frame(site, 2, name="other"), to=1)) == []


def test_the_worse_connected_holder_gives_way_once_and_is_barred(site):
    active = site.settled()
    site.cut = {(None, active, 0), (active, None, 0), (None, active, 3), (active, None, 3)}
    site.until(lambda: site.holders() == [1 - active])
    box = site.boxes[active]
    assert box.of(ev.Keep)[-1].state is RedundancyState.FAILED
    assert box.core.bar("main") == "another node is better connected"
    assert box.of(ev.Stop)[0].why == "another node is better connected"


def test_a_holder_gives_way_to_nobody_who_joined_a_moment_ago_and_then_does(site):
    active = site.settled()
    box = site.boxes[active]
    box.core.members.handle(Replaced(1 - active), site.clock(box))
    site.cut = {(None, active, 0), (active, None, 0), (None, active, 3), (active, None, 3)}
    site.run(20_000)
    assert box.core.members.redundancy is RedundancyState.FAILED
    assert site.holders() == [active]
    site.run(11_000)
    assert site.holders() == [1 - active]


def test_a_node_that_moved_too_often_stays(site):
    active = site.settled()
    core, now_ms = site.boxes[active].core, site.clock(site.boxes[active])
    for epoch in range(MOVES_MAX):
        core.moves.moved("main", 1_000 + epoch, now_ms)
    site.cut = {(None, active, 0), (active, None, 0), (None, active, 3), (active, None, 3)}
    site.run(4_000)
    assert core.members.redundancy is RedundancyState.FAILED
    assert site.holders() == [active]
    answer = site.tell(active, ev.Give("main", "db failed", is_chosen=True))
    assert (answer.ok, answer.sentence) == (False, HELD_BACK)
    assert f"main stays: {HELD_BACK}; db failed" in site.boxes[active].of(Explain)[-1].sentence


def test_chosen_moves_count_on_every_node_and_over_a_restart_of_the_agent(site):
    where = site.settled()
    for _ in range(MOVES_MAX):
        assert site.tell(where, ev.Give("main", "db failed", is_chosen=True)).ok
        where = 1 - where
        site.until(lambda: site.holders() == [where])  # noqa: B023 - it is called at once
        site.run(3_000)
    box = site.boxes[where]
    box.is_up = False
    site.run(50)
    site.start(where)
    site.run(3_000)
    assert site.tell(where, ev.Give("main", "db failed", is_chosen=True)).sentence == HELD_BACK
    assert site.tell(1 - where, ev.Give("main", "db failed", is_chosen=True)) is None, "holds none"
    assert site.tell(where, ev.Give("main", "ordered", 1 - where)).ok, "a person's word"


def test_who_lost_a_lease_to_another_joins_again(site):
    active = site.settled()
    site.tell(active, ev.Give("main", "ordered", 1 - active))
    site.until(lambda: site.holders() == [1 - active])
    site.run(1_000)
    assert site.boxes[2].core.members.state(active) is MemberState.JOINING
    box = site.boxes[active]
    assert box.core.members.joining_ms(active, site.clock(box)) > 0
    site.run(30_000)
    assert site.boxes[2].core.members.state(active) is MemberState.ALIVE


def test_a_host_is_sole_when_no_other_is_there(site):
    active = site.settled()
    core = site.boxes[active].core
    assert not core.is_sole("main")
    site.boxes[1 - active].is_up = False
    site.run(10_000)
    assert core.is_sole("main")


def test_services_that_could_not_run_here_bar_a_node(site):
    site.start(eligible=False)
    site.run(3_000)
    core = site.boxes[0].core
    assert site.holders() == []
    assert core.bar("main") == "its services were not looked at yet"
    assert core.bar(SITE_LEASE) == ""
    site.tell(0, ev.Eligible("main", ok=False, why="lag"))
    assert core.bar("main") == "lag"
    site.tell(0, ev.Eligible("main", ok=False))
    assert core.bar("main") == "its services could not run here"


def test_a_group_waits_for_the_one_that_it_needs(site):
    site.start(eligible=False)
    for index in (0, 1):
        site.tell(index, ev.Eligible("web", ok=True))
    site.run(4_000)
    assert site.holders("web") == []
    assert site.boxes[0].core.bar("web") == "main, which it requires, is active nowhere"
    for index in (0, 1):
        site.tell(index, ev.Eligible("main", ok=True))
    site.until(lambda: site.holders() and site.holders("web"))


def test_a_pair_needs_proof_and_says_so(pair):
    active = pair.settled()
    standby = pair.boxes[1 - active]
    assert pair.boxes[active].of(ev.Arm)[0].deadlines is None
    assert pair.boxes[active].of(ev.Stop) == []
    pair.boxes[active].is_up = False
    pair.boxes[active].runs.clear()
    pair.run(8_000)
    assert pair.holders() == []
    assert standby.of(ev.Raise, type=NO_PROOF)
    pair.tell(standby.index, ev.Proven(active, "an operator's word"))
    assert standby.core.members.state(active) is MemberState.FENCED
    pair.until(lambda: pair.holders() == [standby.index])
    pair.run(1_000)
    assert standby.of(ev.Clear, type=NO_PROOF)


def test_an_ordered_stop_of_a_pair_has_no_deadline(pair):
    active = pair.settled()
    pair.tell(active, ev.Give("main", "ordered", 1 - active))
    assert pair.boxes[active].of(ev.Stop)[0].by_ms is None
    pair.until(lambda: pair.holders() == [1 - active])


def test_a_proof_of_another_boot_than_the_one_that_is_known_proves_nothing(pair):
    active = pair.settled()
    standby = pair.boxes[1 - active]
    pair.reboot(active)
    pair.until(lambda: standby.of(ev.Raise, type="400.804"))
    pair.tell(standby.index, ev.Proven(active, "its power reads Off", b"z" * 16))
    pair.run(5_000)
    assert pair.holders() == []
    proof = ev.Proven(active, "its power reads Off", bytes([active]) * 16)
    pair.tell(standby.index, proof)
    standby.told.clear()
    pair.tell(standby.index, proof)
    assert not any("fenced" in each.sentence for each in standby.of(Explain)), "told once"
    pair.until(lambda: pair.holders() == [standby.index])


def test_a_lack_of_proof_is_told_once_of_each_group_that_lacks_it(pair):
    active = pair.settled()
    standby = pair.boxes[1 - active]
    pair.tell(standby.index, ev.NoProof(""))
    assert standby.of(ev.Clear, type="400.804") == [], "there was none"
    pair.reboot(active)
    pair.until(lambda: standby.of(ev.Raise, type="400.804"))
    groups = {"group=main"}  # what requires it does not stand, so it lacks nothing
    assert {each.entity for each in standby.of(ev.Raise)} == groups
    pair.tell(standby.index, ev.NoProof("its BMC is dead"))
    last = standby.of(ev.Raise)[-len(groups) :]
    assert {(each.entity, each.params["reason"]) for each in last} == {
        (group, "its BMC is dead") for group in groups
    }
    pair.tell(standby.index, ev.NoProof(""))
    assert standby.of(ev.Clear, type="400.804") == [], "the lease lacks it still"
    pair.tell(standby.index, ev.Proven(active, "an operator's word"))
    pair.until(lambda: {each.entity for each in standby.of(ev.Clear, type="400.804")} == groups)


def test_a_fence_that_proves_nothing_is_told_where_no_group_waits_for_it(pair):
    standby = pair.boxes[1 - pair.settled()]
    pair.tell(standby.index, ev.NoProof("its BMC is dead"))
    assert standby.of(ev.Raise)[-1].entity == ""
    pair.tell(standby.index, ev.NoProof(""))
    assert standby.of(ev.Clear)[-1].entity == ""


def test_proof_of_a_node_that_was_never_heard_proves_nothing(pair):
    pair.start(0)
    pair.run(1_000)
    pair.tell(0, ev.Proven(1, "an operator's word"))
    assert pair.boxes[0].core.members.state(1) is not MemberState.FENCED


def test_stalls_slow_disks_and_load_reach_the_detector(site):
    site.settled()
    core = site.boxes[0].core
    site.tell(0, ev.Lagged(10_000))
    site.tell(0, ev.Score(300))
    assert core.members.lhm == 3
    assert core.members.score == 300
    site.tell(0, ev.Persisted(10**9, 5_000))
    assert core.members.lhm == 4


def test_events_of_a_lease_that_is_not_there_change_nothing(site):
    site.settled()
    for said in (le.Armed(1), le.Disarmed(1), le.ArmRefused(1, "w")):
        assert site.tell(0, ev.OfLease("x", said)) is None


def test_a_late_tick_catches_up_and_a_very_late_one_does_not(site):
    site.settled()
    box = site.boxes[0]
    h_ms = site.config.timing.beat_ms
    for late_ms, next_ms in ((40, h_ms - 40), (3 * h_ms, h_ms)):
        due_ms = box.core._beat_ms
        box.core.handle(le.Tick(0.5), due_ms + late_ms)
        assert box.core._beat_ms == due_ms + late_ms + next_ms


def test_nodes_have_names_for_people(site):
    core = site.start().boxes[0].core
    assert [core.name_of(node) for node in (1, 9, None)] == ["c1", "node 9", "nobody"]
    assert site.now_ms == START_MS
    assert site.boxes[0].of(Persist)


# -- other voters ------------------------------------------------------------------------------


def coordinator(site):
    return next(box for box in site.boxes if box.is_up and box.lease(SITE_LEASE).is_held)


def change(site, node, *, is_added, **more):
    """Have the voters changed, and wait until all nodes are under the new configuration."""
    before = max(box.core.electorate.cfgver for box in site.boxes if box.is_up)
    assert site.tell(coordinator(site).index, Wanted(node, is_added=is_added, **more)).ok
    site.until(
        lambda: {box.core.electorate.cfgver for box in site.boxes if box.is_up} == {before + 1}
    )


def test_a_third_voter_joins_a_pair_and_its_right_has_an_end_from_then_on(tmp_path):
    site = Cores(tmp_path, names=("c0", "c1", "w1"), voters=("c0", "c1"), more="")
    active = site.settled()
    held = site.boxes[active]
    epoch = held.runs["main"]
    assert held.holds["main"] == (epoch, None)
    change(site, 2, is_added=True)
    assert {box.core.electorate.voters for box in site.boxes} == {(0, 1, 2)}
    assert not any(box.core.electorate.sticky for box in site.boxes)
    site.run(20_000)
    assert held.runs == {"main": epoch} | {k: v for k, v in held.runs.items() if k != "main"}
    assert held.holds["main"][1] is not None
    held.is_up = False
    held.runs.clear()
    assert site.until(site.holders) < promise_ms(site) + 2_000


def test_a_voter_leaves_and_the_pair_that_stays_has_a_right_without_end(site):
    active = site.settled()
    epoch = site.boxes[active].runs["main"]
    change(site, 2, is_added=False)
    site.run(20_000)
    held = site.boxes[active]
    assert held.core.electorate.voters == (0, 1)
    assert held.holds["main"] == (epoch, None)
    site.boxes[1 - active].is_up = False
    site.run(60_000)
    assert held.runs["main"] == epoch


def test_what_was_decided_outlives_every_restart(site):
    site.settled()
    change(site, 2, is_added=False)
    site.run(2_000)
    for box in site.boxes:
        site.reboot(box.index)
    site.start()
    site.until(site.holders)
    assert {box.core.electorate.voters for box in site.boxes} == {(0, 1)}
    site.until(lambda: any(box.lease(SITE_LEASE).is_held for box in site.boxes))
    assert coordinator(site).index in (0, 1)


def test_a_coordinator_that_votes_no_more_hands_over(site):
    site.settled()
    was = coordinator(site)
    site.tell(was.index, Wanted(was.index, is_added=False))
    site.run(30_000)
    hosts = {0, 1}
    if was.index in hosts:  # its services keep the pair from being one
        assert was.core.electorate.voters == (0, 1, 2)
    else:
        assert coordinator(site) is not was


def test_a_disk_that_is_gone_is_replaced_by_an_operators_word(pair):
    active = pair.settled()
    lost = pair.boxes[1 - active]
    held = coordinator(pair)
    if held is lost:
        pair.tell(lost.index, ev.Give(SITE_LEASE, "asked", active))
        pair.until(lambda: coordinator(pair) is pair.boxes[active])
    pair.reboot(lost.index)
    lost.state = VoterState.blank(b"n" * 16)
    pair.run(20_000)
    change(pair, lost.index, is_added=False, is_disk_gone=True)
    assert pair.boxes[active].core.electorate.voters == (active,)
    lost.inc = 0
    pair.start(lost.index)
    pair.until(lambda: lost.core.electorate.voters == (active,))
    pair.run(20_000)
    change(pair, lost.index, is_added=True)
    pair.run(20_000)
    assert len(pair.holders()) == 1
    assert pair.boxes[active].core.provable == {lost.index}


# -- a witness at the centre -------------------------------------------------------------------


class Afar:
    """The centre's witness of a pair, reached by no path of the site."""

    def __init__(self, site):
        self.site, self.is_up = site, True
        self.frames = []  # what came back
        self.core = SiteWitness("lab", b"w" * 16, 0, None)
        site.afar = self.take

    def take(self, box, frame):
        if self.is_up:
            now_ms = self.site.now_ms
            self.do(self.core.handle(Tick(), now_ms))
            self.do(self.core.handle(FrameIn(f"c{box.index}", frame), now_ms))

    def do(self, effects):
        for effect in effects:
            if isinstance(effect, Tell):
                self.frames.append(effect.frame)
                box = self.site.boxes[effect.frame.to]
                self.site.later(box, 20, ev.FrameIn(0, effect.frame))
            elif isinstance(effect, Keep):
                done = Persisted(effect.life, effect.token)
                self.do(self.core.handle(done, self.site.now_ms))


@pytest.fixture
def afar(tmp_path):
    more = 'witness = "central"\nwan_witness = {probe_s=1, gone_s=15, back_s=5, lost_s=15}'
    profile = ('profile = "fast"', 'profile = "default"')
    site = Cores(tmp_path, names=("c0", "c1"), more=more, replaced=profile)
    return Afar(site)


def voters(site):
    return {box.core.electorate.voters for box in site.boxes if box.is_up}


def test_a_pair_lets_the_witness_vote_while_it_answers_and_is_a_pair_without(afar):
    site = afar.site
    active = site.settled()
    site.until(lambda: voters(site) == {(0, 1, WITNESS)})
    core = site.boxes[0].core
    assert core.is_there(WITNESS, site.clock(site.boxes[0]))
    assert (core.name_of(WITNESS), core.hosts[SITE_LEASE]) == ("witness", (0, 1))
    afar.is_up = False
    site.until(lambda: voters(site) == {(0, 1)})
    assert site.holders() == [active]
    assert len(site.boxes[active].of(ev.Start, lease="main")) == 1


def test_with_its_vote_the_standby_takes_over_without_proof(afar):
    site = afar.site
    active = site.settled()
    site.until(lambda: voters(site) == {(0, 1, WITNESS)})
    site.run(3_000)
    site.boxes[active].is_up = False
    site.boxes[active].runs.clear()
    took_ms = site.until(site.holders)
    assert took_ms < promise_ms(site) + 2_000
    site.until(lambda: voters(site) == {(1 - active,)})


def test_what_claims_to_be_the_witness_and_is_not_its_vote_changes_nothing(afar, site):
    afar.site.settled()
    box = afar.site.boxes[0]
    again = ev.FrameIn(0, next(each for each in afar.frames if each.to == 0))
    before = len(box.told)
    afar.site.tell(0, again)
    afar.site.tell(0, ev.FrameIn(0, beat(WITNESS, 9)))
    assert len(box.told) == before
    site.settled()
    assert site.tell(0, again) is None
    assert not site.boxes[0].core.is_there(WITNESS, 0)


def test_who_takes_over_says_from_whom_and_why(site):
    """Over a whole site: this node's own voter is bound to it before its round is won."""

    def said(index):
        every = site.boxes[index].of(Explain)
        return [each.sentence for each in every if each.sentence.startswith("took main")][-1]

    first = site.settled()
    assert "nobody held it" in said(first)
    site.tell(first, ev.Give("main", "ordered", 1 - first))
    site.until(lambda: site.holders() == [1 - first])
    assert f"node {first} gave it back" in said(1 - first)
    site.run(1_000)
    site.reboot(1 - first)
    site.until(lambda: site.holders() == [first])
    assert f"node {1 - first} silent on" in said(first)
