"""All processes of a node: which are watched, what is told, and nothing impossible ever."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from roost_agent.host.processes.core import Now, Processes
from roost_agent.host.processes.definition import Definition, Mode
from roost_agent.host.processes.event import (
    Answered,
    Checked,
    Died,
    Look,
    Looked,
    Ping,
    Restart,
    Restarted,
)
from roost_protocol.severity import Severity


def defined(name, **said):
    return Definition(**({"process": name, "file": "f", "pidfile": f"/run/{name}"} | said))


def test_what_its_file_ignores_or_another_role_has_is_told_and_not_watched():
    core = Processes(
        [defined("a", mode=Mode.IGNORE), defined("b", subfunction="worker"), defined("c")], (), 0
    )
    assert list(core.watched) == ["c"]
    report = core.report(Now(0, 0))
    assert [(row.name, row.state.value) for row in report.processes] == [
        ("a", "ignored"),
        ("b", "ignored"),
        ("c", "starting"),
    ]
    assert "worker" in report.processes[1].reason
    assert list(Processes([defined("b", subfunction="worker")], ("worker",), 0).watched) == ["b"]


def fallen(**severities):
    core = Processes([defined(name, severity=each) for name, each in severities.items()], (), 0)
    for name in severities:
        core.handle(Looked(name, 7), 0)
        core.handle(Died(name, 7), 0)
    core.tick(2_000)
    return core


def test_the_worst_that_failed_degrades_the_node_and_minor_does_not():
    assert fallen(a="minor").failed() == {"a": Severity.MINOR}
    assert fallen(a="minor").report(Now(0, 0)).degrade == {}
    assert fallen(a="minor", b="major").report(Now(0, 0)).degrade == {"process": "major"}
    assert fallen(b="major", c="critical").report(Now(0, 0)).degrade == {"process": "critical"}


def test_a_process_of_the_quorum_counts_once_its_restarts_are_used_up():
    core = Processes([defined("sm", quorum=True, restarts=1), defined("b")], (), 0)
    for name in ("sm", "b"):
        core.handle(Looked(name, 7), 0)
        core.handle(Died(name, 7), 0)
    assert core.quorum() == "", "it may be restarted yet"
    core.tick(2_000)
    for at_ms in (10_000, 20_000, 30_000):
        core.handle(Restarted("sm", ""), at_ms)
        core.tick(at_ms + 8_000)
    assert core.quorum().startswith("sm is "), core.watched["sm"].state


def test_times_are_told_by_the_wall_clock_and_counted_by_the_other():
    core = fallen(a="minor")
    assert core.report(Now(10_000, 1_000_000)).processes[0].since_ms == 1_000_000 - 8_000
    assert core.report(Now(10_000, 5)).processes[0].since_ms == 0


def test_what_nobody_watches_is_nobodys_event():
    assert Processes([], (), 0).handle(Died("x", 7), 0) == []
    assert Processes([], (), 0).due_ms() is None


def test_long_sentences_and_many_faults_are_cut_to_what_a_report_may_hold():
    report = Processes([], (), 0).report(Now(0, 0), ["x" * 999] * 40)
    assert (len(report.faults), len(report.faults[0].encode())) == (16, 255)


SAID = {
    "restarts": st.integers(0, 3),
    "interval": st.integers(0, 9),
    "debounce": st.integers(1, 30),
    "startuptime": st.integers(1, 9),
    "service": st.sampled_from(["", "unit"]),
    "mode": st.sampled_from([Mode.PASSIVE, Mode.ACTIVE, Mode.STATUS]),
    "threshold": st.integers(1, 3),
}


class Machine(RuleBasedStateMachine):
    """Deaths, answers, restarts by us and by others, in any order and at any time."""

    def __init__(self):
        super().__init__()
        self.now_ms = 0
        self.core = None
        self.pid = 1
        self.asked = []
        self.failed_ms = {}

    @precondition(lambda self: self.core is None)
    @rule(said=st.fixed_dictionaries(SAID))
    def begin(self, said):
        self.core = Processes([defined("a", port=2101, script="/x", **said)], (), 0)

    @property
    def one(self):
        return self.core.watched["a"]

    def do(self, actions):
        for each in actions:
            match each:
                case Restart():
                    assert self.one.definition.service
                    assert self.asked == [], "one at a time"
                    self.asked.append(each)
                case Ping():
                    assert self.one.definition.mode is Mode.ACTIVE
                case Look():
                    assert self.one.definition.mode is not Mode.STATUS

    def tell(self, event):
        self.do(self.core.handle(event, self.now_ms))

    @precondition(lambda self: self.core is not None)
    @rule(seconds=st.floats(0, 40))
    def wait(self, seconds):
        end_ms = self.now_ms + round(seconds * 1000)
        ticks = 0
        while (due_ms := self.core.due_ms()) is not None and due_ms <= end_ms:
            self.now_ms = max(self.now_ms, due_ms)
            self.do(self.core.tick(self.now_ms))
            ticks += 1
            assert ticks < 1_000, "it ticks without getting on"
            self.settles_only_when_due()
        self.now_ms = end_ms

    @precondition(
        lambda self: self.core is not None and self.one.definition.mode is not Mode.STATUS
    )
    @rule(is_there=st.booleans())
    def look(self, is_there):
        self.pid += is_there
        self.tell(Looked("a", self.pid if is_there else 0))

    @precondition(lambda self: self.core is not None and self.core.watched["a"].pid)
    @rule()
    def die(self):
        self.tell(Died("a", self.one.pid))
        assert self.one.pid == 0

    @precondition(lambda self: self.asked)
    @rule(error=st.sampled_from(["", "", "failed", "timeout", "unknown", "busy", "gone"]))
    def restarted(self, error):
        self.asked.clear()
        self.tell(Restarted("a", error, error))

    @precondition(lambda self: self.core is not None)
    @rule(seq=st.integers(1, 5))
    def answer(self, seq):
        self.tell(Answered("a", seq))

    @precondition(lambda self: self.core is not None and self.one.definition.mode is Mode.STATUS)
    @rule(complaint=st.sampled_from(["", "bad"]))
    def check(self, complaint):
        self.tell(Checked("a", complaint))

    @invariant()
    def holds(self):
        if self.core is not None:
            self.one.check_invariants()
            self.settles_only_when_due()
            self.core.report(Now(self.now_ms, self.now_ms))

    def settles_only_when_due(self):
        """A failure is over after its debounce at the earliest."""
        if not self.one.has_failed:
            began_ms = self.failed_ms.pop("a", None)
            if began_ms is not None:
                assert self.now_ms - began_ms >= self.one.definition.debounce * 1000
        else:
            self.failed_ms.setdefault("a", self.now_ms)


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_what_is_defined_as_before_goes_on_as_before_and_the_others_begin_anew():
    core = Processes([defined("a"), defined("b"), defined("c"), defined("d")], (), 0)
    for name in "abcd":
        core.handle(Looked(name, 7), 0)
    left = core.define([defined("a"), defined("b", restarts=1), defined("e")], 9, {"e": "why"})
    assert left == ["b", "c", "d"]
    assert (core.watched["a"].pid, core.watched["b"].pid) == (7, 0)
    assert core.ignored["e"][1] == "why"
    assert core.handle(Died("c", 7), 10) == []
