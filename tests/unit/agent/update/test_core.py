import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from roost_agent.update.core import ROLLBACKS_MAX, Node
from roost_agent.update.events import (
    Alarm,
    Ask,
    Cancel,
    Did,
    Do,
    Go,
    Known,
    Plan,
    Record,
    Refused,
    Started,
    Tick,
)
from roost_agent.update.step import BACK, HARMLESS, REBOOTS, TABLE, Step, Who
from roost_protocol.update import FailureType

BOOTS = Plan("j1", 1, needs_reboot=True, needs_drain=True, not_after_ms=10**12)
IN_SERVICE = replace(BOOTS, needs_reboot=False, needs_drain=False)
WAY = ["precheck", "download", "verify", "staged", "drain", "lock", "install", "reboot"]


def node(plan=BOOTS):
    made = Node(plan, None, "b1", 0)
    return made, made.handle(Started("b1"), 0)


def did(made, why="", **more):
    """Answer the step that is under way as whoever may."""
    who = TABLE[made.state.step].who
    return made.handle(Did(made.key, who, why, **more), 1)


def to(step, plan=BOOTS, **more):
    """Bring a node to a step, all going well."""
    made, _ = node(plan)
    while made.state.step != step:
        if made.state.step is Step.STAGED:
            made.handle(Go(5), 1)
        elif made.state.step in REBOOTS:
            made.handle(Started("b2"), 1)
        else:
            did(made, **(more if made.state.step is Step.DRAIN else {}))
    return made


def steps(actions):
    return [each.step for each in actions if isinstance(each, Do)]


def test_a_release_that_takes_a_boot_goes_the_whole_way():
    made, actions = node()
    seen = steps(actions)
    while not made.is_ended:
        if made.state.step is Step.STAGED:
            seen += [Step.STAGED, *steps(made.handle(Go(5), 1))]
        elif made.state.step is Step.REBOOT:
            assert did(made) == []  # asked for; the boot itself is the answer
            seen += steps(made.handle(Started("b2"), 1))
        else:
            seen += steps(did(made))
    assert seen == [*WAY, "verify_reboot", "commit", "unlock", "cleanup"]
    assert (made.outcome, made.state.committed) == ("succeeded", True)


def test_a_release_beside_what_runs_is_neither_drained_nor_booted():
    made = to(Step.STAGED, IN_SERVICE)
    assert steps(made.handle(Go(1), 1)) == [Step.INSTALL]
    assert steps(did(made)) == [Step.VERIFY_REBOOT]


def test_an_installer_may_say_that_it_takes_a_boot_after_all():
    made = to(Step.INSTALL, IN_SERVICE)
    assert steps(did(made, reboot=True)) == [Step.REBOOT]


def test_who_holds_a_lease_gives_it_away_before_it_is_locked():
    made = to(Step.DRAIN)
    assert steps(did(made, holds_lease=True)) == [Step.SWACT]
    assert steps(did(made)) == [Step.LOCK]


@pytest.mark.parametrize("step", [each for each in TABLE if each is not Step.STAGED])
def test_the_intent_of_a_step_is_recorded_before_it_begins(step):
    made = Node(BOOTS, replace(node()[0].state, step=Step.PRECHECK), "b1", 0)
    actions = made._enter(step, 1)
    assert isinstance(actions[0], Record)
    assert (actions[0].state.step, steps(actions)) == (step, [step])


def test_nothing_but_the_step_under_way_is_answered_and_by_nobody_else():
    made = to(Step.INSTALL)
    before = made.state
    for event in (
        Did("j1.1.lock", Who.NODE),
        Did("j1.2.install", Who.HELPER),
        Did(made.key, Who.NODE),
        Did(made.key, Who.SITE),
        Go(9),
        Known("j1.1.install.9", "done"),
        Known("j1.1.lock", "done"),
    ):
        (refused,) = made.handle(event, 1)
        assert isinstance(refused, Refused)
        assert made.state == before


def test_the_word_of_an_older_coordinator_is_refused():
    made = to(Step.STAGED)
    made.state = replace(made.state, epoch=7)
    assert isinstance(made.handle(Go(6), 1)[0], Refused)
    assert steps(made.handle(Go(7), 1)) == [Step.DRAIN]


@pytest.mark.parametrize(
    ("step", "goal", "failure"),
    [
        (Step.PRECHECK, Step.CLEANUP, FailureType.PRECHECK),
        (Step.DOWNLOAD, Step.CLEANUP, FailureType.DOWNLOAD),
        (Step.VERIFY, Step.CLEANUP, FailureType.VERIFY),
        (Step.DRAIN, Step.UNLOCK, FailureType.HEALTH),
        (Step.SWACT, Step.UNLOCK, FailureType.HEALTH),
        (Step.LOCK, Step.UNLOCK, FailureType.HEALTH),
        (Step.INSTALL, Step.ROLLBACK, FailureType.INSTALL),
        (Step.REBOOT, Step.ROLLBACK, FailureType.BOOT),
        (Step.VERIFY_REBOOT, Step.ROLLBACK, FailureType.HEALTH),
        (Step.COMMIT, Step.ROLLBACK, FailureType.INSTALL),
    ],
)
def test_an_error_leads_where_the_table_says_and_has_its_type(step, goal, failure):
    made = to(step, holds_lease=step is Step.SWACT)
    assert steps(did(made, "broken")) == [goal]
    assert (made.state.failure, made.state.detail) == (failure, f"{step}: broken")


def test_the_way_back_from_a_booted_release_is_a_boot_and_the_node_is_unlocked_after_it():
    made = to(Step.VERIFY_REBOOT)
    did(made, "no beat")
    assert steps(did(made)) == [Step.ROLLBACK_REBOOT]
    assert steps(made.handle(Started("b3"), 1)) == [Step.VERIFY_ROLLBACK]
    assert steps(did(made)) == [Step.UNLOCK]
    did(made)
    did(made)
    assert (made.outcome, made.state.failure) == ("rolled_back", FailureType.HEALTH)


def test_what_cannot_go_back_is_tried_three_times_stays_locked_and_raises_an_alarm():
    made = to(Step.INSTALL)
    actions = did(made, "broken")
    keys = {made.key}
    for _ in range(ROLLBACKS_MAX - 1):
        assert steps(did(made, "still")) == [Step.ROLLBACK]
        keys.add(made.key)
    actions = did(made, "still")
    assert [each.name for each in actions if isinstance(each, Alarm)] == ["rollback-failed"]
    assert (steps(actions), len(keys)) == ([Step.CLEANUP], ROLLBACKS_MAX)
    did(made)
    assert (made.outcome, made.state.stuck) == ("failed", True)


def test_a_node_that_cannot_be_unlocked_is_a_failure_with_an_alarm_and_stays_committed():
    made = to(Step.UNLOCK)
    actions = did(made, "no health")
    assert Alarm("unlock-failed", "no health") in actions
    did(made)
    assert (made.outcome, made.state.committed) == ("failed", True)


def test_a_cleanup_that_fails_is_an_alarm_and_no_failure():
    made = to(Step.CLEANUP)
    assert Alarm("cleanup-failed", "full") in did(made, "full")
    assert made.outcome == "succeeded"


@pytest.mark.parametrize("step", [s for s in TABLE if s not in {*BACK, Step.UNLOCK, Step.CLEANUP}])
def test_an_abort_is_looked_at_on_every_boundary_until_the_commit(step):
    made = to(step, holds_lease=step is Step.SWACT)
    actions = made.handle(Cancel(), 1)
    if step is Step.COMMIT:
        assert isinstance(actions[0], Refused)
        return
    if step is not Step.STAGED:
        assert isinstance(actions[0], Record)
        assert isinstance(made.handle(Cancel(), 1)[0], Record)  # once more changes nothing
        actions = made.handle(Started("b2"), 1) if step in REBOOTS else did(made)
    goal = Step.ROLLBACK if step in {Step.INSTALL, Step.REBOOT, Step.VERIFY_REBOOT} else None
    goal = goal or (Step.CLEANUP if step in HARMLESS else Step.UNLOCK)
    assert steps(actions) == [goal]
    assert made.state.failure is FailureType.OPERATOR
    assert isinstance(made.handle(Cancel(), 1)[0], Refused)


def test_an_abort_before_anything_was_changed_ends_as_canceled():
    for why, told in (("", "given up by an operator"), ("n2 failed", "n2 failed")):
        made = to(Step.STAGED)
        made.handle(Cancel(why), 1)
        did(made)
        assert (made.outcome, made.state.detail) == ("canceled", told)
        assert isinstance(made.handle(Cancel(), 1)[0], Refused)


def test_after_the_commit_an_abort_is_refused():
    made = to(Step.UNLOCK)
    assert isinstance(made.handle(Cancel(), 1)[0], Refused)


def test_a_step_has_a_deadline_and_what_waits_has_that_of_the_job():
    made = to(Step.LOCK)
    assert made.handle(Tick(0), made.due_ms - 1) == []
    assert steps(made.handle(Tick(0), made.due_ms)) == [Step.UNLOCK]
    assert made.state.failure is FailureType.TIMEOUT
    made = to(Step.STAGED)
    assert made.due_ms is None
    assert made.handle(Tick(10**12 - 1), 10**9) == []
    assert steps(made.handle(Tick(10**12, "opens at noon"), 10**9)) == [Step.CLEANUP]
    assert made.state.detail == "staged: not applied within the job's time: opens at noon"
    made = to(Step.DOWNLOAD)
    made.handle(Tick(10**12, "unreachable: no mirror"), 10**9)
    said = "download: not applied within the job's time: unreachable: no mirror"
    assert made.state.detail == said
    made = to(Step.PRECHECK)
    made.handle(Tick(10**12, "opens at noon"), 0)
    assert made.state.detail == "precheck: not applied within the job's time"
    made = to(Step.VERIFY_REBOOT)
    made.handle(Tick(0), made.due_ms)
    assert made.state.failure is FailureType.HEALTH
    made = to(Step.END)
    assert made.due_ms is None


def test_a_boot_that_was_asked_for_uses_up_its_nonce_and_goes_on_after_the_reboot():
    made = to(Step.REBOOT)
    nonce = made.state.nonce
    assert nonce
    (again,) = made.handle(Started("b1"), 1)  # the same boot: once more with the same nonce
    assert again == Do(Step.REBOOT, made.key, nonce)
    assert steps(made.handle(Started("b2"), 1)) == [Step.VERIFY_REBOOT]
    assert (made.state.nonce, made.state.boot_id) == ("", "b2")


@pytest.mark.parametrize("step", [Step.INSTALL, Step.VERIFY_REBOOT])
def test_a_boot_that_nobody_asked_for_is_a_failure(step):
    made = to(step)
    assert steps(made.handle(Started("b9"), 1)) == [Step.ROLLBACK]


@pytest.mark.parametrize("step", [Step.INSTALL, Step.COMMIT])
@pytest.mark.parametrize(
    ("word", "goal"),
    [("done", None), ("failed", Step.ROLLBACK), ("unknown", Step.ROLLBACK), ("running", "wait")],
)
def test_after_a_crash_the_helper_says_how_it_stands_with_what_it_was_doing(step, word, goal):
    made = to(step)
    assert made.handle(Started(made.state.boot_id), 1) == [Ask(made.key)]
    actions = made.handle(Known(made.key, word), 1)
    if goal == "wait":
        assert actions == []
    else:
        after = Step.REBOOT if step is Step.INSTALL else Step.UNLOCK
        assert steps(actions) == [goal or after]


def test_what_the_helper_committed_before_the_power_went_is_never_taken_back():
    made = to(Step.COMMIT)
    assert made.handle(Started("b9"), 1) == [Ask(made.key)]
    assert steps(made.handle(Known(made.key, "done"), 1)) == [Step.UNLOCK]
    assert made.state.committed


@pytest.mark.parametrize("boot_id", ["b1", "b9"])
@pytest.mark.parametrize("step", [Step.PRECHECK, Step.DOWNLOAD, Step.VERIFY, Step.UNLOCK])
def test_what_is_harmless_or_a_way_out_is_begun_again_after_a_crash(step, boot_id):
    assert steps(to(step).handle(Started(boot_id), 1)) == [step]


def test_who_waits_goes_on_waiting_after_a_crash():
    made = to(Step.STAGED)
    (record,) = made.handle(Started("b9"), 1)
    assert record.state.step is Step.STAGED


@pytest.mark.parametrize("step", [Step.DRAIN, Step.LOCK])
def test_going_down_is_done_again_in_the_same_boot_and_given_up_after_another(step):
    assert steps(to(step).handle(Started("b1"), 1)) == [step]
    assert steps(to(step).handle(Started("b9"), 1)) == [Step.UNLOCK]


def test_a_rollback_is_resumed_whatever_happened_and_knows_of_a_boot_in_between():
    made = to(Step.INSTALL)
    did(made, "broken")
    assert steps(made.handle(Started("b1"), 1)) == [Step.ROLLBACK]
    assert steps(made.handle(Started("b9"), 1)) == [Step.ROLLBACK]
    assert steps(did(made)) == [Step.ROLLBACK_REBOOT]
    made.handle(Started("b10"), 1)
    assert steps(made.handle(Started("b10"), 1)) == [Step.VERIFY_ROLLBACK]


def test_after_the_end_nothing_changes():
    made = to(Step.END)
    assert isinstance(made.handle(Go(9), 1)[0], Refused)
    assert to(Step.LOCK).outcome == ""


EVENTS = st.lists(
    st.sampled_from(
        ["did", "fail", "go", "cancel", "tick", "boot", "again", "known", "lost", "late", "dup"]
    ),
    max_size=60,
)


@given(EVENTS, st.booleans(), st.booleans())
def test_whatever_happens_a_node_is_old_or_new_and_says_which(events, boots, drains):  # noqa: C901 - one script
    """U2, U3, U4: driven by any order of events, then all going well to its end."""
    made = Node(replace(BOOTS, needs_reboot=boots, needs_drain=drains), None, "b0", 0)
    made.handle(Started("b0"), 0)
    boot, was_committed, last = 0, False, None
    for now, drawn in enumerate([*events, *["settle"] * 60]):
        name = drawn
        if made.is_ended:
            break
        step = made.state.step
        if name == "settle":
            name = {Step.STAGED: "go", Step.REBOOT: "boot", Step.ROLLBACK_REBOOT: "boot"}.get(
                step, "did"
            )
        if name == "boot":
            boot += 1
            actions = made.handle(Started(f"b{boot}"), now)
            if any(isinstance(each, Ask) for each in actions):
                made.handle(Known(made.key, "done"), now)
        elif name == "again":
            made.handle(Started(f"b{boot}"), now)
        elif name in {"did", "fail"}:
            if step is Step.STAGED:
                assert isinstance(did(made)[0], Refused)
            last = Did(made.key, TABLE[step].who, "x" if name == "fail" else "")
            made.handle(last, now)
        elif name == "dup" and last is not None and last.key != made.key:
            before = made.state
            made.handle(last, now)
            assert made.state == before
        elif name in {"known", "lost"}:
            made.handle(Known(made.key, "done" if name == "known" else "unknown"), now)
        elif name == "late":
            made.handle(Tick(0), now + 2_000_000)
        else:
            made.handle({"go": Go(1), "cancel": Cancel()}.get(name) or Tick(0), now)
        state = made.state
        assert not (was_committed and (state.step in BACK or not state.committed))
        was_committed = state.committed
        assert state.installed or state.step not in BACK
        assert state.failure is None or state.step not in {Step.INSTALL, Step.COMMIT}
    assert made.is_ended
    assert (made.outcome == "succeeded") == (was_committed and made.state.failure is None)
