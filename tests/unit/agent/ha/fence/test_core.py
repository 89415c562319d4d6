"""For whom fencing begins, and when; and whether each fence would work."""

from fence_alone import BOOT, LATER, LOST, ME, OTHER, OWNER, PAIR, UUIDS, Fence
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace

from roost_agent.ha.fence.budget import HOUR_MS, HOURLY_MAX
from roost_agent.ha.fence.core import FENCED_MAX, FenceCore
from roost_agent.ha.fence.event import (
    Case,
    Drive,
    Driven,
    Elsewhere,
    Keep,
    KeepFailed,
    Kept,
    NoProof,
    Power,
    Proven,
    Situation,
    Tick,
    Tried,
    Verb,
)
from roost_agent.ha.fence.ladder import (
    CONFIRM_MS,
    KEEP_OFF_MS,
    RETRY_MS,
    SETTLE_MS,
    SWITCH_MS,
)


def test_without_a_majority_nobody_is_switched_off():
    quorum = replace(PAIR, is_sticky=False, has_majority=False)
    fence = Fence(quorum).run(HOUR_MS)
    assert fence.cuts() == []
    assert "this node hears no majority" in fence.of(NoProof)[0].sentence
    fence.tell(replace(quorum, has_majority=True))
    fence.run(RETRY_MS + CONFIRM_MS)
    assert len(fence.cuts()) == 1


def test_in_a_pair_an_owner_fences_nobody():
    fence = Fence(replace(PAIR, is_owner=True)).run(SETTLE_MS + HOUR_MS // 60)
    assert fence.cuts() == []
    assert "an owner fences nobody" in fence.of(NoProof)[0].sentence


def test_in_a_pair_a_boot_that_was_never_heard_is_not_switched_off():
    fence = Fence(replace(PAIR, cases=(replace(LOST, is_heard=False),))).run(HOUR_MS // 60)
    assert fence.cuts() == []
    assert "this boot of node 0 was not heard yet" in fence.of(NoProof)[0].sentence


def test_this_node_is_never_fenced_by_itself():
    own = replace(LOST, node=ME)
    fence = Fence(replace(PAIR, cases=(own,), boots={}, holders={"main": ME}))
    fence.run(HOUR_MS // 60)
    assert fence.cuts() == fence.of(Proven) == []
    assert fence.core.doing == ""


def test_who_left_or_is_under_maintenance_is_not_switched_off():
    fence = Fence(replace(PAIR, spared=frozenset({OWNER})))
    fence.run(HOUR_MS // 60)
    assert fence.cuts() == fence.of(Proven) == []
    fence.power[OWNER] = Power.OFF
    fence.run(HOUR_MS // 60)
    assert fence.of(Proven), "a person did it"
    fence = Fence().run(CONFIRM_MS)
    fence.tell(replace(PAIR, spared=frozenset({OWNER})))
    fence.run(HOUR_MS // 60)
    assert fence.cuts() == []


def test_a_node_that_may_be_cut_off_itself_touches_nothing():
    fence = Fence(replace(PAIR, is_isolated=True)).run(HOUR_MS // 60)
    assert fence.cuts() == []


def test_a_node_without_a_fence_is_left_to_the_operator():
    fence = Fence(replace(PAIR, cases=(replace(LOST, node=9),))).run(HOUR_MS // 60)
    assert fence.cuts() == []


def test_the_attempts_of_before_and_of_others_count():
    fence = Fence(spent_ms=(-1, -2))
    fence.tell(Elsewhere(OTHER, BOOT))
    fence.tell(Elsewhere(OTHER, BOOT))
    assert fence.core.spent(0) == HOURLY_MAX
    fence.run(HOUR_MS // 60)
    assert fence.cuts() == []
    fence.run(HOUR_MS)
    assert fence.cuts()


def test_only_so_many_fencings_of_others_are_remembered():
    fence = Fence()
    for number in range(FENCED_MAX + 1):
        fence.tell(Elsewhere(OTHER, bytes([number]) * 16))
    assert fence.core.spent(0) == FENCED_MAX + 1
    fence.tell(Elsewhere(OTHER, bytes(16)))
    assert fence.core.spent(0) == FENCED_MAX + 2


def test_what_an_agent_before_left_off_is_switched_on_again():
    fence = Fence(Situation(), off=(OWNER, 9), now_ms=5)
    fence.power[OWNER] = Power.OFF
    fence.run(KEEP_OFF_MS - 6)
    assert fence.of(Drive, verb=Verb.ON) == []
    fence.run(3 * CONFIRM_MS)
    assert len(fence.of(Drive, node=OWNER, verb=Verb.ON)) == 1
    assert fence.of(Keep)[-1].off == ()


def test_what_an_agent_before_left_off_and_is_heard_needs_nothing():
    fence = Fence(Situation(present=frozenset({OWNER})), off=(OWNER,))
    assert fence.of(Keep)[-1].off == ()
    fence.run(2 * KEEP_OFF_MS)
    assert fence.of(Drive, verb=Verb.ON) == []


def test_what_an_agent_before_left_off_is_proven_first_where_a_lease_waits():
    fence = Fence(off=(OWNER,))
    fence.power[OWNER] = Power.OFF
    fence.run(SETTLE_MS + LOST.wait_ms + CONFIRM_MS)
    assert fence.of(Proven)
    fence.tell(replace(PAIR, cases=(), holders={"main": OTHER}))
    fence.run(3 * CONFIRM_MS)
    assert len(fence.of(Drive, verb=Verb.ON)) == 1
    assert fence.cuts() == []


def test_two_leases_of_one_node_wait_for_one_act():
    web = replace(LOST, lease="web", may_off=False)
    fence = Fence(replace(PAIR, cases=(web, LOST), holders={"main": OWNER, "web": OWNER}))
    fence.run(SETTLE_MS + LOST.wait_ms + CONFIRM_MS)
    assert len(fence.cuts()) == 1
    fence.tell(replace(PAIR, cases=(web,), holders={"main": ME, "web": OWNER}))
    fence.run(3 * CONFIRM_MS)
    assert fence.of(Drive, verb=Verb.ON) == []
    fence.tell(replace(PAIR, cases=(), holders={"main": ME, "web": ME}))
    fence.run(3 * CONFIRM_MS)
    assert len(fence.of(Drive, verb=Verb.ON)) == 1


def test_the_next_node_has_its_turn_while_the_first_is_not_proven():
    second = replace(LOST, lease="web", node=OTHER)
    both = replace(PAIR, cases=(LOST, second), holders={"main": OWNER, "web": OTHER})
    fence = Fence(both)
    fence.faults[OWNER] = "no answer"
    fence.power[OTHER] = Power.OFF
    fence.run(3 * (SETTLE_MS + LOST.wait_ms + CONFIRM_MS))
    assert [each.node for each in fence.of(Proven)][:1] == [OTHER]


def test_each_fence_is_tried_at_the_start_and_every_hour():
    fence = Fence(Situation()).run(HOUR_MS // 60)
    assert {(each.node, each.fault) for each in fence.of(Tried)} == {
        (ME, ""), (OWNER, ""), (OTHER, ""),
    }  # fmt: skip
    fence.run(HOUR_MS + HOUR_MS // 10)
    assert len(fence.of(Tried)) == 2 * len(UUIDS)


def test_a_trial_fails_by_fault_by_machine_and_by_what_is_known_anyway():
    fence = Fence(Situation(present=frozenset({OWNER})))
    fence.power |= {ME: Power.OFF, OWNER: Power.OFF, OTHER: Power.UNKNOWN}
    fence.run(HOUR_MS // 60)
    assert fence.of(Tried, node=ME)[0].fault == "its power reads Off, and the node is heard"
    assert fence.of(Tried, node=OWNER)[0].fault == "its power reads Off, and the node is heard"
    assert fence.of(Tried, node=OTHER)[0].fault == "its power reads neither On nor Off"
    fence.uuids[ME] = UUIDS[OWNER]
    fence.faults[OTHER] = "401"
    fence.told.clear()
    fence.run(HOUR_MS // 10)
    assert "its device says machine" in fence.of(Tried, node=ME)[0].fault
    assert fence.of(Tried, node=OTHER)[0].fault == "401"


SITUATIONS = st.builds(
    Situation,
    cases=st.lists(
        st.builds(
            Case,
            st.sampled_from(["main", "web"]),
            st.sampled_from([ME, OWNER, OTHER]),
            st.integers(0, 40),
            st.sampled_from([BOOT, LATER]),
            is_heard=st.booleans(),
            may_off=st.booleans(),
            wait_ms=st.sampled_from([0, 600]),
        ),
        max_size=2,
    ).map(tuple),
    present=st.frozensets(st.sampled_from([OWNER, OTHER]), max_size=1),
    spared=st.frozensets(st.sampled_from([OWNER, OTHER]), max_size=1),
    boots=st.fixed_dictionaries({OWNER: st.sampled_from([BOOT, LATER])}),
    holders=st.fixed_dictionaries({"main": st.sampled_from([None, ME, OWNER])}),
    has_majority=st.booleans(),
    is_sticky=st.booleans(),
    is_owner=st.booleans(),
    is_isolated=st.booleans(),
)


FLAWS = {
    "no majority": {"is_sticky": False, "has_majority": False},
    "an owner": {"is_sticky": True, "is_owner": True},
    "spared": {"spared": frozenset({OWNER})},
    "isolated": {"is_isolated": True},
    "not heard": {"is_sticky": True, "cases": (replace(LOST, is_heard=False),)},
    "not to be": {"cases": (replace(LOST, may_off=False),)},
    "itself": {"cases": (replace(LOST, node=ME),)},
}


class Ladder(RuleBasedStateMachine):
    """I11, judged by what was told last, without a line of the core's own judgement."""

    @initialize()
    def begin(self):
        self.now_ms = 0
        self.core = FenceCore(ME, UUIDS)
        self.situation = Situation()
        self.waits = []  # effects that want an answer
        self.cuts_ms = []
        self.counted = 0
        self.off_reads = {}  # node -> when its power read Off in a row
        self.switched_off = set()

    def tell(self, event):
        for effect in self.core.handle(event, self.now_ms):
            if isinstance(effect, Keep | Drive):
                self.waits.append(effect)
            if isinstance(effect, Drive) and effect.verb is Verb.OFF:
                self._judge_cut(effect.node)
            if isinstance(effect, Drive) and effect.verb is Verb.ON:
                assert effect.node in self.switched_off, "what was found off stays off"
            if isinstance(effect, Proven):
                self._judge_proof(effect)

    def _judge_cut(self, node):
        now = self.situation
        cases = [each for each in now.cases if each.node == node and each.may_off]
        assert node != ME
        assert cases
        assert node not in now.present | now.spared
        assert not now.is_isolated
        if now.is_sticky:
            assert not now.is_owner
            assert any(each.is_heard for each in cases)
        else:
            assert now.has_majority
        self.cuts_ms = [each for each in self.cuts_ms if self.now_ms - each < HOUR_MS]
        assert len(self.cuts_ms) < HOURLY_MAX
        assert self.counted > 0, "counted on disk first"
        self.counted -= 1
        self.cuts_ms.append(self.now_ms)
        self.switched_off.add(node)

    def _judge_proof(self, proof):
        times = self.off_reads.get(proof.node, [])
        assert len(times) > 1
        assert times[-1] - times[0] >= CONFIRM_MS
        assert proof.node not in self.situation.present

    @rule(situation=SITUATIONS)
    def look(self, situation):
        self.situation = situation
        self.tell(situation)

    @rule(is_sticky=st.booleans(), flaw=st.sampled_from(["", "", *FLAWS]))
    def lose_the_owner(self, is_sticky, flaw):
        """Lose it with every right to act, or with all but one."""
        self.now_ms += HOUR_MS if flaw else 0  # so that no budget hides what is wrong
        now = replace(PAIR, is_sticky=is_sticky, has_majority=not is_sticky)
        self.look(replace(now, **FLAWS.get(flaw, {})))

    @rule(power=st.sampled_from([Power.ON, Power.OFF]), steps=st.integers(1, 20))
    def go_on(self, power, steps):
        """Let everything be answered in time, as it is nearly always."""
        for _ in range(steps):
            while self.waits:
                self.answer(0, power, is_well=True)
            due_ms = self.core.due_ms(self.now_ms)
            self.now_ms = max(self.now_ms, self.now_ms + 1 if due_ms is None else due_ms)
            self.tell(Tick(0.5))

    @rule(ms=st.sampled_from([1, CONFIRM_MS, SETTLE_MS, RETRY_MS, SWITCH_MS, KEEP_OFF_MS]))
    def pass_time(self, ms):
        self.now_ms += ms
        self.tell(Tick(0.5))

    @rule(
        place=st.integers(0, 5),
        power=st.sampled_from(list(Power)),
        is_well=st.booleans(),
    )
    def answer(self, place, power, is_well):
        if not self.waits:
            return
        effect = self.waits.pop(place % len(self.waits))
        if isinstance(effect, Keep):
            self.counted = 1 if is_well else self.counted
            self.tell(Kept(effect.token) if is_well else KeepFailed(effect.token, "full"))
            return
        reads = self.off_reads.setdefault(effect.node, [])
        if power is not Power.OFF or not is_well:
            reads.clear()
        elif effect.verb is Verb.STATUS:
            reads.append(self.now_ms)
        fault = "" if is_well else "no answer"
        self.tell(Driven(effect.token, power, UUIDS[effect.node], fault))

    @invariant()
    def one_act_of_few_steps(self):
        due_ms = self.core.due_ms(self.now_ms)
        assert due_ms is None or due_ms - self.now_ms <= 2 * HOUR_MS


TestLadder = Ladder.TestCase
TestLadder.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)
