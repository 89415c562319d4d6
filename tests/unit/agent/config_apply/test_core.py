"""A document is applied whole or not at all: whatever fails, wherever it is killed."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_agent.config_apply.core import (
    CONFIRM_MS,
    Application,
    Await,
    Confirmed,
    Did,
    Do,
    Drop,
    Keep,
    Look,
    LookBack,
    Record,
    SectionPlan,
    Tick,
    Whole,
)
from roost_agent.config_apply.step import PutFile, PutValue, Unit, undoing

RESTART = Unit("restart", "chrony.service")
TIME = (PutFile("etc/chrony", None, b"new"), RESTART)
KERNEL = (PutFile("etc/sysctl", b"old", b"new"), PutValue("proc/a", b"1", b"2"))
STEPS = (*TIME, *KERNEL)


def whole(*, needs_confirm=False):
    return Whole((SectionPlan("time", TIME), SectionPlan("kernel", KERNEL)), needs_confirm)


@dataclass
class SmallMachine:
    """Files in a dict; ``record`` is root's file: the journal, and whether it is kept."""

    files: dict = field(default_factory=lambda: {"etc/sysctl": b"old", "proc/a": b"1"})
    journal: tuple = ()
    is_kept: bool = False
    acted: list = field(default_factory=list)

    def act(self, action):
        self.acted.append(action)
        match action:
            case Record(steps):
                self.journal, self.is_kept = steps, False
            case Do(_, step):
                self.put(step)
            case Keep():
                self.journal, self.is_kept = (), True
            case Drop():
                self.journal = ()

    def put(self, step):
        if isinstance(step, Unit):
            return
        if step.after is None:
            self.files.pop(step.path, None)
        else:
            self.files[step.path] = step.after

    def recover(self):
        for step in undoing(self.journal):
            self.put(step)
        self.journal = ()


OLD = SmallMachine().files
NEW = {"etc/chrony": b"new", "etc/sysctl": b"new", "proc/a": b"2"}


def run(machine, application, *, fails_at=None, ends_at=None, confirms=True):
    """Carry an application as the shell does; ``ends_at`` actions later it is killed."""
    action, count, now_ms = application.start(0), 0, 0
    while action is not None:
        if count == ends_at:
            return
        machine.act(action)
        if isinstance(action, Await):
            now_ms = action.until_ms
            action = application.handle(Confirmed() if confirms else Tick(), now_ms)
        else:
            why = "no" if count == fails_at else ""
            action = application.handle(Did(why), now_ms)
        count += 1
    assert application.is_ended


def test_steps_are_recorded_done_looked_at_and_kept():
    machine, application = SmallMachine(), Application(whole())
    run(machine, application)
    kinds = [type(action).__name__ for action in machine.acted]
    assert kinds == ["Record", *["Do"] * 4, "Look", "Look", "Keep"]
    assert (machine.files, machine.is_kept, application.is_kept) == (NEW, True, True)
    assert machine.journal == ()


def test_what_is_as_it_should_be_is_looked_at_and_nothing_is_done():
    machine = SmallMachine()
    run(
        machine,
        Application(
            Whole(
                (SectionPlan("time", ()),),
            )
        ),
    )
    assert machine.acted == [Look("time"), Keep()]


def test_a_look_that_finds_another_value_keeps_nothing():
    machine = SmallMachine()
    application = Application(Whole((SectionPlan("time", ()),)))
    run(machine, application, fails_at=0)
    assert (application.failed, application.is_kept) == (("time", "no"), False)
    assert machine.acted == [Look("time")]


def test_a_journal_that_does_not_reach_the_disk_stops_it_before_the_first_step():
    machine, application = SmallMachine(), Application(whole())
    run(machine, application, fails_at=0)
    assert application.failed == ("", "no")
    assert [type(action).__name__ for action in machine.acted] == ["Record"]


@pytest.mark.parametrize(("fails_at", "section"), [(1, "time"), (3, "kernel"), (6, "kernel")])
def test_what_fails_is_undone_whole_and_told_with_its_section(fails_at, section):
    machine, application = SmallMachine(), Application(whole())
    run(machine, application, fails_at=fails_at)
    assert application.failed == (section, "no")
    assert (machine.files, machine.journal, application.is_kept) == (OLD, (), False)


def test_units_act_once_more_after_their_files_are_as_before():
    machine, application = SmallMachine(), Application(whole())
    run(machine, application, fails_at=6)
    undone = [action.step for action in machine.acted if isinstance(action, Do)][len(STEPS) :]
    assert undone[-1] == RESTART
    assert RESTART not in undone[:-1]


def test_steps_that_were_not_begun_are_not_undone():
    machine, application = SmallMachine(), Application(whole())
    run(machine, application, fails_at=1)
    assert [action.step.path for action in machine.acted if isinstance(action, Do)] == [
        "etc/chrony",
        "etc/chrony",
    ]


def test_what_cannot_be_undone_stays_in_the_journal_and_the_rest_is_undone():
    machine, application = SmallMachine(), Application(whole())
    action, machine_fails = application.start(0), False
    while action is not None:
        machine.act(action)
        why = ""
        if isinstance(action, Look):
            why, machine_fails = "other", True
        elif machine_fails and isinstance(action, Do) and action.step == KERNEL[1].inverse():
            why = "busy"
        action = application.handle(Did(why), 0)
    assert application.left == ("busy",)
    assert machine.journal == STEPS
    assert "etc/chrony" not in machine.files


def test_what_does_not_read_as_before_after_an_undo_is_told_and_the_journal_stays():
    machine, application = SmallMachine(), Application(whole())
    action = application.start(0)
    while action is not None:
        machine.act(action)
        whys = {Look("kernel"): "other", LookBack("time"): "time is new"}
        action = application.handle(Did(whys.get(action, "")), 0)
    backs = [each for each in machine.acted if isinstance(each, LookBack)]
    assert backs == [LookBack("time"), LookBack("kernel")]
    assert (application.left, machine.journal) == (("time is new",), STEPS)
    assert (application.failed, application.is_kept) == (("kernel", "other"), False)


def test_a_drop_or_a_keep_that_does_not_reach_the_disk_is_told():
    dropped = Application(whole())
    run(SmallMachine(), dropped, fails_at=6)
    action = Application(whole())
    machine = SmallMachine()
    run(machine, action, fails_at=7)  # Keep
    assert (machine.files, action.is_kept, action.failed) == (OLD, False, ("kernel", "no"))
    last = Application(Whole((SectionPlan("time", TIME[:1]),)))
    step = last.start(0)
    for why in ("", "no", "", "", "full"):  # Record, Do, Do back, LookBack, Drop
        step = last.handle(Did(why), 0)
    assert (step, last.left, last.is_kept) == (None, ("full",), False)


def test_what_could_cut_the_node_off_is_kept_by_the_agents_word_alone():
    machine, application = SmallMachine(), Application(whole(needs_confirm=True))
    run(machine, application)
    assert (machine.files, application.is_kept) == (NEW, True)
    silent, undone = SmallMachine(), Application(whole(needs_confirm=True))
    run(silent, undone, confirms=False)
    assert (silent.files, undone.is_kept) == (OLD, False)
    assert f"{CONFIRM_MS // 1000} s" in undone.failed[1]


def test_a_word_of_the_agent_at_another_time_is_none():
    application = Application(whole(needs_confirm=True))
    application.start(0)
    assert application.handle(Confirmed(), 0) is None
    assert application.handle(Tick(), CONFIRM_MS * 2) is None
    waiting = None
    while not isinstance(waiting, Await):
        waiting = application.handle(Did(), 5)
    assert application.handle(Tick(), CONFIRM_MS + 4) is None
    assert application.handle(Did(), CONFIRM_MS + 4) is None  # it waits for no action


def test_at_a_boot_nobody_has_to_confirm_again():
    machine = SmallMachine()
    run(machine, Application(whole(needs_confirm=True), is_confirmed=True))
    assert not any(isinstance(action, Await) for action in machine.acted)


@given(
    ends_at=st.integers(0, 20),
    fails_at=st.none() | st.integers(0, 20),
    confirms=st.booleans(),
    needs_confirm=st.booleans(),
)
def test_killed_anywhere_a_machine_is_old_or_new_after_its_next_start(
    ends_at, fails_at, confirms, needs_confirm
):
    machine = SmallMachine()
    application = Application(whole(needs_confirm=needs_confirm))
    run(machine, application, fails_at=fails_at, ends_at=ends_at, confirms=confirms)
    machine.recover()
    assert machine.files == (NEW if machine.is_kept else OLD)
