"""A whole node: three cores that beat, vote, hold and give back, and what surrounds them breaks."""

import pytest
from ha_cores import Cores

from roost_agent.ha import core_events as ev
from roost_agent.ha import lease_events as le
from roost_agent.ha.abstaining import ABSTAINS
from roost_agent.ha.candidacy import PAUSE_MS_MAX
from roost_agent.ha.config import SITE_LEASE
from roost_agent.ha.guard_fitness import LOST, REFUSED_MS
from roost_agent.ha.lacking import NO_PROOF
from roost_agent.ha.member import MemberState
from roost_agent.ha.quorum_watch import NO_QUORUM
from roost_protocol.explain import Explain


@pytest.fixture
def site(tmp_path):
    return Cores(tmp_path)


@pytest.fixture
def pair(tmp_path):
    return Cores(tmp_path, names=("c0", "c1"), more="")


@pytest.fixture
def lonely(tmp_path):
    return Cores(tmp_path, names=("c0", "c1"), more='cold_start_alone = "last_holder"')


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
    assert site.boxes[0].of(ev.Clear, type=ABSTAINS), "it votes again, and says so"


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


def test_a_hold_without_end_stops_under_a_guard_that_could_not_keep_it(pair):
    """Nothing arms it again by itself: what another guard says of its device has to end it."""
    active = pair.settled()
    box = pair.boxes[active]
    epoch = box.runs["main"]
    assert box.core.leases["main"].valid_ms is None
    pair.tell(active, ev.GuardSaid({"main": "its watchdog bites too late"}, pid=9))
    pair.until(lambda: pair.holders() == [1 - active])
    assert "the guard refuses it: its watchdog bites too late" in [
        each.why for each in box.of(ev.Stop, lease="main")
    ]
    assert pair.boxes[1 - active].runs["main"] > epoch
    assert box.core.leases["web"].is_held == ("web" in box.runs), "only what it could not keep"


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


def test_the_last_holder_of_a_pair_starts_alone_after_both_lost_their_power(lonely):
    active = lonely.settled()
    epoch = lonely.boxes[active].runs["main"]
    for index in (0, 1):
        lonely.reboot(index)
    lonely.start(1 - active)
    lonely.run(30_000)
    assert lonely.holders() == [], "the other one waits for it"
    lonely.boxes[1 - active].is_up = False
    lonely.start(active)
    lonely.until(lambda: lonely.holders() == [active])
    assert lonely.boxes[active].runs["main"] > epoch
    told = [each.sentence for each in lonely.boxes[active].of(Explain)]
    assert any("nobody else can have had it since" in sentence for sentence in told)
    lonely.start(1 - active)
    lonely.run(10_000)
    assert lonely.holders() == [active], "it keeps it when the other one is back"


def test_where_the_last_holder_starts_alone_no_proof_moves_what_it_has(lonely):
    active = lonely.settled()
    standby = 1 - active
    lonely.boxes[active].is_up = False
    lonely.boxes[active].runs.clear()
    lonely.run(5_000)
    lonely.tell(standby, ev.Proven(active, "an operator's word", lonely.boxes[active].boot))
    lonely.run(20_000)
    assert lonely.holders() == []


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


def test_proof_of_a_node_that_was_never_heard_proves_nothing(pair):
    pair.start(0)
    pair.run(1_000)
    pair.tell(0, ev.Proven(1, "an operator's word"))
    assert pair.boxes[0].core.members.state(1) is not MemberState.FENCED


def test_a_late_tick_catches_up_and_a_very_late_one_does_not(site):
    site.settled()
    box = site.boxes[0]
    h_ms = site.config.timing.beat_ms
    for late_ms, next_ms in ((40, h_ms - 40), (3 * h_ms, h_ms)):
        due_ms = box.core._beat_ms
        box.core.handle(le.Tick(0.5), due_ms + late_ms)
        assert box.core._beat_ms == due_ms + late_ms + next_ms


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
