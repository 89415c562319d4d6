"""What is done about one node, step by step."""

import pytest
from fence_alone import BOOT, LATER, LOST, ME, OWNER, PAIR, UUIDS, Fence
from msgspec.structs import replace

from roost_agent.ha.fence.budget import HOUR_MS, HOURLY_MAX
from roost_agent.ha.fence.event import (
    Ask,
    Drive,
    Driven,
    Keep,
    Kept,
    NoProof,
    Power,
    Proven,
    Situation,
    Tick,
    Verb,
)
from roost_agent.ha.fence.ladder import (
    ATTEMPTS_MAX,
    CONFIRM_MS,
    KEEP_OFF_MS,
    READING_MS,
    RETRY_MS,
    SETTLE_MS,
    SWITCH_MS,
)
from roost_protocol.explain import Explain


def test_an_owner_that_is_found_off_is_read_twice_and_proven_without_being_touched():
    fence = Fence(replace(PAIR, cases=(replace(LOST, may_off=False),)))
    fence.power[OWNER] = Power.OFF
    fence.run(SETTLE_MS + LOST.wait_ms)
    assert fence.of(Proven) == []
    fence.run(CONFIRM_MS)
    assert fence.of(Proven) == [Proven(OWNER, BOOT, "its power reads Off")]
    fence.tell(replace(PAIR, cases=(), holders={"main": ME}))
    fence.run(KEEP_OFF_MS)
    assert fence.of(Drive, verb=Verb.ON) == fence.cuts() == [], "what was found off stays off"
    assert fence.core.doing == ""


def test_one_reading_proves_nothing():
    fence = Fence(replace(PAIR, cases=(replace(LOST, may_off=False),)))
    fence.power[OWNER] = Power.OFF
    fence.run(SETTLE_MS + LOST.wait_ms)
    fence.power[OWNER] = Power.ON
    fence.run(CONFIRM_MS)
    assert fence.of(Proven) == []
    why = "its power reads On, and the configuration lets nobody switch it off"
    assert fence.of(NoProof) == [NoProof(f"nothing proves that node 0 is off: {why}")]


def test_the_ladder_asks_switches_off_verifies_keeps_off_and_switches_on_once_it_is_won():
    fence = Fence().run(SETTLE_MS + LOST.wait_ms + CONFIRM_MS)
    assert fence.of(Ask) == [Ask(OWNER, "main", 32)] * 3
    kept = fence.of(Keep)
    assert kept[0].off == (OWNER,)
    assert len(kept[0].spent_ms) == 1
    assert fence.told.index(kept[0]) < fence.told.index(fence.cuts()[0]), "counted, then done"
    assert len(fence.cuts()) == 1
    assert fence.of(Proven) == [Proven(OWNER, BOOT, "it was switched off, and its power reads Off")]
    assert "switches node 0 off: it is lost, and holds main" in [
        each.sentence for each in fence.of(Explain)
    ]
    fence.run(10 * CONFIRM_MS)
    assert len(fence.of(Proven)) > 1, "said until it had its effect"
    assert fence.of(Drive, verb=Verb.ON) == []
    fence.tell(replace(PAIR, cases=(), holders={"main": ME}))
    fence.run(4 * CONFIRM_MS)
    assert len(fence.of(Drive, verb=Verb.ON)) == 1
    assert fence.of(Keep)[-1].off == ()
    assert fence.of(Explain)[-1].sentence == "node 0 is switched on again"


def test_an_owner_that_gives_its_lease_back_when_asked_is_let_be():
    fence = Fence().run(CONFIRM_MS)
    assert fence.of(Ask)
    fence.tell(replace(PAIR, cases=(), holders={"main": None}))
    fence.run(SETTLE_MS + SWITCH_MS)
    assert fence.of(Drive, node=OWNER, verb=Verb.OFF) == []
    assert fence.of(Explain)[-1].sentence == "node 0 is let be: no lease waits for its end"


def test_a_lease_whose_turn_is_not_known_is_not_asked_for():
    fence = Fence(replace(PAIR, cases=(replace(LOST, epoch=0),))).run(CONFIRM_MS)
    assert fence.of(Ask) == []


def test_a_node_stays_off_no_longer_than_its_bound_though_nobody_wins():
    fence = Fence().run(SETTLE_MS + LOST.wait_ms + CONFIRM_MS)
    fence.run(KEEP_OFF_MS)
    assert len(fence.of(Drive, verb=Verb.ON)) == 1


def test_a_majority_that_is_lost_while_the_attempt_is_counted_spares_the_node():
    fence = Fence(replace(PAIR, is_sticky=False, has_majority=True))
    fence.tell(Tick(0.5))
    fence.tell(Tick(0.5))
    fence.now_ms = SETTLE_MS + LOST.wait_ms
    [read] = fence.tell(Tick(0.5))
    [keep] = fence.tell(Driven(read.token, Power.ON, UUIDS[OWNER]))
    fence.tell(replace(PAIR, is_sticky=False, has_majority=False))
    effects = fence.tell(Kept(keep.token))
    assert not any(isinstance(each, Drive) for each in effects)
    assert fence.of(Keep)[-1].off == (), "it was not touched, so it is not switched on either"
    assert fence.tell(Kept(keep.token)) == []


def test_an_owner_that_is_heard_again_is_let_be_at_any_step():
    back = replace(PAIR, present=frozenset({OWNER}))
    fence = Fence().run(CONFIRM_MS)
    fence.tell(back)
    assert fence.core.doing == ""
    fence = Fence()
    fence.obeys = False
    fence.run(SETTLE_MS + LOST.wait_ms + CONFIRM_MS)
    assert fence.core.doing == "node 0: waits until it is off"
    fence.tell(back)
    assert fence.core.doing == ""
    assert fence.of(Keep)[-1].off == ()
    fence.run(HOUR_MS // 60)
    assert len(fence.cuts()) == 1


def test_a_boot_that_was_heard_since_needs_another_proof():
    fence = Fence().run(CONFIRM_MS)
    fence.tell(replace(PAIR, boots={OWNER: LATER}))
    assert fence.of(Explain)[-1].sentence == "node 0 is let be: node 0 has booted since"
    fence.power[OWNER] = Power.OFF
    fence.run(HOUR_MS // 60)
    assert fence.of(Proven) == []


def test_a_device_of_another_machine_is_not_believed():
    fence = Fence()
    fence.uuids[OWNER] = UUIDS[ME]
    fence.power[OWNER] = Power.OFF
    fence.run(HOUR_MS // 60)
    assert fence.of(Proven) == fence.cuts() == []
    assert "its device says machine" in fence.of(NoProof)[0].sentence
    fence.uuids[OWNER] = ""
    fence.run(RETRY_MS + CONFIRM_MS)
    assert "its device says no machine's UUID" in fence.of(NoProof)[1].sentence


def test_a_device_that_does_not_answer_proves_nothing_until_it_does():
    fence = Fence()
    fence.faults[OWNER] = "no answer within 10 s"
    fence.run(HOUR_MS // 60)
    assert fence.cuts() == fence.of(Proven) == []
    assert fence.of(NoProof) == [
        NoProof("nothing proves that node 0 is off: no answer within 10 s")
    ]
    fence.faults.clear()
    fence.run(RETRY_MS + 3 * CONFIRM_MS)
    assert fence.of(NoProof)[-1] == NoProof("")
    assert fence.of(Proven)


def test_a_power_that_is_neither_is_no_proof():
    fence = Fence()
    fence.power[OWNER] = Power.UNKNOWN
    fence.run(SETTLE_MS + LOST.wait_ms)
    assert "neither On nor Off" in fence.of(NoProof)[0].sentence


def test_what_stays_on_is_tried_twice_then_left_to_an_operator():
    fence = Fence()
    fence.obeys = False
    fence.run(SETTLE_MS + LOST.wait_ms + ATTEMPTS_MAX * (SWITCH_MS + CONFIRM_MS))
    assert len(fence.cuts()) == ATTEMPTS_MAX
    assert fence.of(Proven) == []
    why = "it was to be switched off 2 times: its power still reads on"
    assert fence.of(NoProof)[-1].sentence == f"nothing proves that node 0 is off: {why}"
    fence.run(2 * RETRY_MS + SWITCH_MS)
    assert len(fence.cuts()) == HOURLY_MAX, "no more within the hour"
    fence.run(10 * RETRY_MS)
    assert len(fence.cuts()) == HOURLY_MAX
    assert "3 attempts of this hour's 3 are spent" in fence.of(NoProof)[-1].sentence
    fence.power[OWNER] = Power.OFF  # by hand
    fence.run(RETRY_MS + 2 * CONFIRM_MS)
    assert fence.of(Proven)


def test_a_command_that_fails_is_read_once_and_tried_once_more():
    fence = Fence()
    fence.now_ms = SETTLE_MS + LOST.wait_ms
    fence.tell(Tick(0.5))
    fence.obeys = False
    fence.run(RETRY_MS)
    fence.told.clear()
    answers = {Verb.OFF: "401 Unauthorized", Verb.STATUS: ""}
    fence.driven = lambda drive: Driven(
        drive.token, Power.ON, UUIDS[drive.node], answers[drive.verb]
    )
    fence.run(2 * SWITCH_MS)
    assert "401 Unauthorized" in fence.of(NoProof)[0].sentence


def test_an_off_that_does_not_last_is_waited_for_again():
    fence = Fence()
    fence.obeys = False
    fence.run(SETTLE_MS + LOST.wait_ms + CONFIRM_MS)
    fence.power[OWNER] = Power.OFF
    fence.run(CONFIRM_MS // 2)
    while fence.core.doing != "node 0: reads again that it is off":
        fence.run(100)
    fence.power[OWNER] = Power.ON
    fence.run(CONFIRM_MS)
    assert fence.of(Proven) == []
    fence.power[OWNER] = Power.OFF
    fence.run(3 * CONFIRM_MS)
    assert fence.of(Proven)


def test_what_cannot_be_counted_is_not_done():
    fence = Fence()
    fence.disk = "voter: No space left on device"
    fence.run(HOUR_MS // 60)
    assert fence.cuts() == []
    assert "No space left" in fence.of(NoProof)[0].sentence


def test_the_last_attempt_of_an_hour_is_not_followed_by_a_second_one():
    fence = Fence(spent_ms=(-1, -2))
    fence.obeys = False
    fence.run(SETTLE_MS + LOST.wait_ms + 2 * SWITCH_MS)
    assert len(fence.cuts()) == 1


def test_a_right_that_is_gone_when_a_second_attempt_is_due_ends_it():
    fence = Fence()
    fence.obeys = False
    fence.run(SETTLE_MS + LOST.wait_ms + CONFIRM_MS)
    fence.tell(replace(PAIR, is_owner=True))
    fence.run(SWITCH_MS)
    assert len(fence.cuts()) == 1


@pytest.mark.parametrize(
    "cases", [(), (replace(LOST, is_heard=False),), (replace(LOST, may_off=False),)]
)
def test_a_second_attempt_is_judged_by_what_holds_then(cases):
    fence = Fence()
    fence.obeys = False
    fence.run(SETTLE_MS + LOST.wait_ms + CONFIRM_MS)
    fence.tell(replace(PAIR, cases=cases))
    fence.run(HOUR_MS // 60)
    assert len(fence.cuts()) == 1


def test_a_node_that_does_not_come_on_is_left_to_an_operator():
    fence = Fence(Situation(), off=(OWNER,))
    fence.power[OWNER] = Power.OFF
    fence.obeys = False
    fence.run(KEEP_OFF_MS + ATTEMPTS_MAX * (SWITCH_MS + 2 * CONFIRM_MS))
    assert len(fence.of(Drive, verb=Verb.ON)) == ATTEMPTS_MAX
    assert "stays off, switch it on by hand: its power reads off" in (
        fence.of(Explain)[-1].sentence
    )


def test_a_node_that_reads_on_is_known_to_for_a_while():
    fence = Fence(replace(PAIR, cases=(replace(LOST, may_off=False),)))
    assert not fence.core.reads_on(OWNER, 0)
    fence.run(SETTLE_MS + LOST.wait_ms)
    assert fence.core.reads_on(OWNER, fence.now_ms)
    assert not fence.core.reads_on(OWNER, fence.now_ms + READING_MS + 1)
    fence.faults[OWNER] = "no answer"
    fence.run(RETRY_MS)
    assert not fence.core.reads_on(OWNER, fence.now_ms)


def test_an_answer_to_nobodys_question_changes_nothing():
    fence = Fence()
    assert fence.tell(Driven(99, Power.OFF)) == []
    assert fence.tell(Kept(99)) == []
