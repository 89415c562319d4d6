"""This host to itself: enabled by a sequence, locked by a person, failed by what it lacks."""

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from roost_agent.host import transitions as tr
from roost_agent.host.action import Check, Keep, Moved
from roost_agent.host.core import (
    EXHAUSTED_TYPE,
    LOCKED_TYPE,
    MAINTENANCE_MS_MAX,
    SETTLED_MS,
    HostCore,
)
from roost_agent.host.enable import DEADLINES_MS, SOAK_MS, Facts, Stage
from roost_agent.host.event import Begin, Intend, Lock, Look, Maintain, NotRebooted, Recover, Unlock
from roost_agent.host.kept import Kept, Pending
from roost_agent.host.ladder import EXHAUSTED, HEARD_MS, RECOVERIES
from roost_agent.host.moment import Moment
from roost_agent.host.transitions import TransitionError
from roost_protocol.host import Admin, HostSaid, is_legal

BOOT, OTHER = "aa" * 16, "bb" * 16
WALL = 1_800_000_000_000
WELL = Look(Facts(), {})
ILL = Look(Facts(health="disk: bad"), {})


def at(ms):
    return Moment(ms, WALL + ms)


def begun(kept=None, boot=BOOT):
    core = HostCore(boot)
    return core, core.handle(Begin(kept), at(0))


def enabled(look=WELL):
    core, _ = begun()
    core.handle(look, at(0))
    core.handle(look, at(SOAK_MS))
    assert core.state in tr.ENABLED
    return core


def kept_of(actions):
    return [each.kept for each in actions if isinstance(each, Keep)]


def test_a_new_host_is_enabled_once_its_sequence_is_through():
    core, actions = begun()
    assert core.state == tr.INTEST
    assert Check() in actions
    assert core.bar == "the host is not enabled yet: config"
    core.handle(WELL, at(0))
    assert core.bar == "", "the same second: nothing was to be waited for"
    [moved, keep] = core.handle(WELL, at(SOAK_MS))
    assert moved == Moved(tr.INTEST, tr.AVAILABLE, "its enable sequence is through")
    assert keep.kept == Kept(Admin.UNLOCKED, BOOT, is_enabled=True)
    said = core.said("n1", 60)
    assert (said.since_ms, said.cause, said.task) == (WALL + SOAK_MS, moved.cause, "")


def test_an_agent_that_starts_again_goes_on_and_a_machine_that_booted_begins_anew():
    kept = Kept(Admin.UNLOCKED, BOOT, is_enabled=True)
    core, actions = begun(kept)
    assert core.state == tr.AVAILABLE
    assert (core.bar, Check() in actions) == ("", False)
    core, actions = begun(kept, boot=OTHER)
    assert core.state == tr.INTEST
    assert Check() in actions
    core, actions = begun(Kept(Admin.UNLOCKED, BOOT))
    assert core.state == tr.INTEST, "it was not through when its agent ended"


def test_a_locked_host_stays_locked_over_boots_and_says_by_whom():
    core = enabled()
    [moved, keep] = core.handle(Lock("ann", "fan"), at(20_000))
    assert (moved.after, moved.cause) == (tr.LOCKED_ONLINE, "locked by ann: fan")
    assert core.bar == "the host is locked by ann"
    assert core.alarms == {LOCKED_TYPE: {"by": "ann", "reason": "fan"}}
    again, actions = begun(keep.kept, boot=OTHER)
    assert again.state == tr.LOCKED_ONLINE
    assert again.alarms == core.alarms
    assert Check() not in actions
    again.handle(WELL, at(60_000))
    assert again.state == tr.LOCKED_ONLINE, "it does not come into service by itself"
    again.handle(Unlock("bob", "done"), at(70_000))
    assert (again.state, again.alarms) == (tr.INTEST, {})


def test_the_counter_of_a_failure_is_kept_before_it_is_acted_on_and_over_a_restart():
    core, _ = begun()
    actions = core.handle(ILL, at(1_000))
    assert core.state == tr.FAILED
    assert core.bar == "the host failed: health: disk: bad"
    assert kept_of(actions)[-1].attempts == {Stage.HEALTH: 1}
    again, _ = begun(kept_of(actions)[-1])
    for attempt in range(2, RECOVERIES[Stage.HEALTH].attempts + 1):
        actions = again.handle(ILL, at(attempt * 100_000))
        assert kept_of(actions)[-1].attempts == {Stage.HEALTH: attempt}
        again.handle(WELL, at(attempt * 100_000 + 50_000))
    again.handle(ILL, at(900_000))
    again.handle(NotRebooted("no helper"), at(900_001))
    assert (again.state, again.task) == (tr.FAILED, EXHAUSTED)
    assert again.cause == "health: disk: bad; not rebooted: no helper"
    count = RECOVERIES[Stage.HEALTH].attempts + 1
    assert again.alarms == {EXHAUSTED_TYPE: {"max": count, "cause": Stage.HEALTH}}
    again.handle(WELL, at(9_000_000))
    assert again.state == tr.FAILED, "nothing more by itself"
    again.handle(Recover("ann"), at(9_100_000))
    assert (again.state, again.alarms) == (tr.INTEST, {})


def exhausted():
    core, _ = begun()
    for attempt in range(RECOVERIES[Stage.HEALTH].attempts + 1):
        core.handle(ILL, at(attempt * 100_000))
        core.handle(WELL, at(attempt * 100_000 + 50_000))
    actions = core.handle(NotRebooted("no helper"), at(900_000))
    assert core.task == EXHAUSTED
    return kept_of(actions)[-1]


@pytest.mark.parametrize("boot", [BOOT, OTHER])
def test_who_failed_too_often_is_not_tried_again_because_it_was_restarted(boot):
    core, actions = begun(exhausted(), boot)
    assert (core.state, core.task, Check() in actions) == (tr.FAILED, EXHAUSTED, False)
    assert EXHAUSTED_TYPE in core.alarms
    core.handle(WELL, at(9_000_000))
    assert core.state == tr.FAILED
    core.handle(Recover("ann"), at(9_100_000))
    assert (core.state, core.alarms) == (tr.INTEST, {})


def test_who_failed_too_often_serves_all_the_same_where_nobody_else_does():
    last = Look(Facts(health="disk: bad"), {}, is_last=True)
    core, _ = begun(exhausted(), OTHER)
    core.handle(last, at(HEARD_MS - 1))
    assert core.state == tr.FAILED, "the others may not be heard yet"
    core.handle(last, at(HEARD_MS))
    core.handle(last, at(HEARD_MS + 1_000))
    assert (core.state, list(core.reasons)) == (tr.DEGRADED, ["enable"])
    assert EXHAUSTED_TYPE in core.alarms, "it is not well for that"


def test_a_count_of_a_cause_that_this_version_does_not_know_bars_nothing():
    core, _ = begun(Kept(Admin.UNLOCKED, attempts={"weather": 99}))
    assert core.state == tr.INTEST


def test_an_act_that_is_refused_changes_nothing():
    core, _ = begun(Kept(Admin.LOCKED, by="ann", reason="fan", attempts={"health": 1}))
    before = core.alarms
    for act in (Lock("bob", "again"), Recover("bob")):
        with pytest.raises(TransitionError):
            core.handle(act, at(1))
    assert core.alarms == before
    [keep] = core.handle(Maintain(WALL + 9), at(2))
    assert (keep.kept.by, keep.kept.attempts) == ("ann", {"health": 1})


def test_what_is_told_of_a_host_has_its_bounds_whatever_a_check_or_an_operator_says():
    core, _ = begun()
    core.handle(Look(Facts(health="x" * 5_000), {}), at(0))
    said = core.said("n1", 60)
    assert msgspec.json.decode(msgspec.json.encode(said), type=HostSaid) == said


def test_a_failed_host_is_tried_again_after_the_interval_of_its_cause():
    core, _ = begun()
    core.handle(ILL, at(0))
    wait_ms = RECOVERIES[Stage.HEALTH].interval_ms
    core.handle(WELL, at(wait_ms - 1))
    assert core.state == tr.FAILED
    core.handle(WELL, at(wait_ms))
    assert core.state == tr.INTEST


def test_the_last_host_of_a_site_is_degraded_and_not_failed():
    last = Look(Facts(health="disk: bad"), {}, is_last=True)
    core, _ = begun()
    core.handle(last, at(0))
    assert core.state == tr.DEGRADED
    assert (core.bar, list(core.reasons)) == ("", ["enable"])
    core = enabled()
    critical = Look(Facts(), {"process": 5}, critical="nginx is gone", is_last=True)
    core.handle(critical, at(20_000))
    assert (core.state, core.reasons) == (tr.DEGRADED, {"process": 5})


def test_a_maintenance_ends_within_its_longest_though_a_clock_was_set_back_by_years():
    core = enabled()
    core.handle(Maintain(WALL + 11 * 365 * 86_400_000), at(20_000))
    [keep, *_] = core.handle(Look(Facts(), {}), at(21_000))
    assert keep.kept.maintenance_until_ms == WALL + 21_000 + MAINTENANCE_MS_MAX


def test_what_it_cannot_do_without_fails_it_but_not_in_maintenance():
    critical = Look(Facts(), {"process": 5}, critical="nginx is gone")
    core = enabled()
    core.handle(critical, at(20_000))
    assert (core.state, core.cause) == (tr.FAILED, "processes: nginx is gone")
    core = enabled()
    core.handle(Maintain(WALL + 60_000), at(20_000))
    core.handle(critical, at(21_000))
    assert core.state == tr.DEGRADED
    [keep, *_] = core.handle(critical, at(60_000))
    assert keep.kept.maintenance_until_ms == 0, "it ends by itself"
    assert core.state == tr.FAILED


def test_the_degrade_set_is_what_stands_now():
    core = enabled()
    core.handle(Look(Facts(), {"resource": 1, "clock": 2}), at(20_000))
    assert (core.state, core.reasons) == (tr.DEGRADED, {"resource": 1, "clock": 2})
    core.handle(Look(Facts(), {"clock": 2}), at(21_000))
    assert core.reasons == {"clock": 2}
    [moved] = core.handle(WELL, at(22_000))
    assert (moved.after, core.reasons) == (tr.AVAILABLE, {})


def test_services_that_lack_degrade_until_they_are_there():
    lacking = Look(Facts(services="logs is not active"), {})
    core, _ = begun()
    end_ms = DEADLINES_MS[Stage.SERVICES]
    core.handle(lacking, at(0))
    core.handle(lacking, at(end_ms))
    core.handle(lacking, at(end_ms + SOAK_MS))
    assert (core.state, list(core.reasons)) == (tr.DEGRADED, ["enable"])
    core.handle(WELL, at(end_ms + SOAK_MS + 1))
    assert core.state == tr.AVAILABLE


def test_an_hour_in_service_forgets_what_failed_before():
    core, _ = begun()
    core.handle(ILL, at(0))
    core.handle(WELL, at(30_000))
    core.handle(WELL, at(31_000))
    core.handle(WELL, at(31_000 + SOAK_MS))
    served_ms = 31_000 + SOAK_MS
    assert core.handle(WELL, at(served_ms + SETTLED_MS - 1)) == []
    [keep] = core.handle(WELL, at(served_ms + SETTLED_MS))
    assert keep.kept.attempts == {}


def test_an_unknown_locker_is_no_empty_word_and_a_wrong_act_is_an_error():
    core, _ = begun(Kept(Admin.LOCKED))
    assert core.bar == "the host is locked"
    with pytest.raises(TransitionError):
        core.handle(Lock("ann", "again"), at(1))
    with pytest.raises(TransitionError):
        core.handle(Recover("ann"), at(1))


class Machine(RuleBasedStateMachine):
    """Whatever happens in whatever order: legal states, and no way around a lock."""

    @initialize(kept=st.sampled_from([None, Kept(Admin.LOCKED), Kept(Admin.UNLOCKED, OTHER)]))
    def begin(self, kept):
        self.ms = 0
        self.boots = 1
        self.core = HostCore(BOOT)
        self.last = None
        self._keep(self.core.handle(Begin(kept), at(0)))

    def _keep(self, actions):
        for each in actions:
            if isinstance(each, Keep):
                self.last = each.kept
        return actions

    @rule(
        ms=st.sampled_from([1, 1_000, 11_000, 30_000, 120_000, 600_000, 3_600_000]),
        config=st.sampled_from(["", "refused"]),
        health=st.sampled_from(["", None, "bad"]),
        processes=st.sampled_from(["", "down"]),
        services=st.sampled_from(["", "idle"]),
        reasons=st.sampled_from([{}, {"clock": 1}]),
        critical=st.sampled_from(["", "gone"]),
        is_last=st.booleans(),
    )
    def look(self, ms, config, health, processes, services, reasons, critical, is_last):  # noqa: PLR0913, PLR0917 - all that is the case
        self.ms += ms
        facts = Facts(config, health, processes, services)
        before = self.core.state
        self._keep(self.core.handle(Look(facts, reasons, critical, is_last), at(self.ms)))
        if is_last and before != tr.FAILED:
            assert self.core.state != tr.FAILED, "the last one"
        assert self.core.state[0] is before[0], "only a person locks or unlocks"

    @precondition(lambda self: self.core.state[0] is Admin.UNLOCKED)
    @rule()
    def lock(self):
        self._keep(self.core.handle(Lock("ann", "why"), at(self.ms)))
        assert self.last.admin is Admin.LOCKED

    @precondition(lambda self: self.core.state == tr.LOCKED_ONLINE)
    @rule()
    def unlock(self):
        self._keep(self.core.handle(Unlock("ann", "why"), at(self.ms)))
        assert self.last.admin is Admin.UNLOCKED

    @precondition(lambda self: self.core.state == tr.FAILED)
    @rule()
    def recover(self):
        self._keep(self.core.handle(Recover("ann"), at(self.ms)))

    @rule(seconds=st.integers(0, 7_200))
    def maintain(self, seconds):
        until = WALL + self.ms + seconds * 1_000 if seconds else 0
        self._keep(self.core.handle(Maintain(until), at(self.ms)))

    @precondition(lambda self: self.last is not None)
    @rule(boots=st.booleans())
    def start_again(self, boots):
        attempts, admin = dict(self.last.attempts), self.core.state[0]
        self.boots += boots
        self.ms += 1_000
        self.core = HostCore(f"{self.boots:02}" * 16)
        self._keep(self.core.handle(Begin(self.last), at(self.ms)))
        assert self.core.state[0] is admin, "a restart is no unlock"
        if boots and admin is Admin.UNLOCKED:
            is_spent = self.core.task == EXHAUSTED
            after = tr.FAILED if is_spent else tr.INTEST
            assert self.core.state == after, "a boot goes through the sequence"
        if self.last.attempts or attempts:
            assert self.last.attempts == attempts, "a restart forgets no failure"

    @invariant()
    def is_legal(self):
        if hasattr(self, "core"):
            assert is_legal(*self.core.state)
            assert bool(self.core.bar) >= (self.core.state[0] is Admin.LOCKED)
            if self.core.state in tr.ENABLED:
                assert (self.core.state == tr.DEGRADED) == bool(self.core.reasons)


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_an_agent_that_starts_again_while_its_services_run_stops_none_of_them():
    core, _ = begun()
    [kept] = kept_of(core.handle(WELL, at(0)))
    again, _ = begun(kept)
    assert (again.state, again.bar) == (tr.INTEST, ""), "the soak goes on"
    other, _ = begun(kept, boot=OTHER)
    assert other.bar, "a machine that booted begins anew"


def test_an_act_is_kept_until_it_is_over_and_a_lock_ends_it():
    core = enabled()
    pending = Pending("host-lock", "ann", "fan", BOOT, WALL + 1)
    [kept] = kept_of(core.handle(Intend(pending), at(20_000)))
    assert kept.pending == pending
    again, _ = begun(kept)
    assert again.pending == pending
    [kept] = kept_of(again.handle(Lock("ann", "fan"), at(1)))
    assert (kept.pending, kept.admin) == (None, Admin.LOCKED)
    assert kept_of(core.handle(Intend(None), at(20_001)))[0].pending is None
