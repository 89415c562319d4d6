import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from roost_agent.ha.config import Active, Budget, Group, Service, Vip
from roost_agent.ha.config import Run as How
from roost_agent.ha.services.core import IN_MAINTENANCE, STARTING_MAX, VIP_RETRY_MS, GroupCore
from roost_agent.ha.services.event import (
    Clear,
    Cured,
    Died,
    Emptied,
    End,
    Ended,
    Failed,
    KillAll,
    LookEmpty,
    LowerVips,
    Paused,
    Probe,
    Probed,
    RaiseVips,
    Restarting,
    Run,
    Running,
    Start,
    Started,
    Stop,
    StopConfirmed,
    Tick,
    VipsDown,
    VipsFailed,
    VipsUp,
)

ALL = ("restart:2/600", "failover", "node-fail", "reboot")


def service(name, *depends, **more):
    more = {"ladder": ALL, "budget": Budget(stop_s=1.5)} | more
    return Service(
        name=name, group="main", run=How(start=("/bin/x",)), depends=tuple(depends), **more
    )


def group(*services, vip=False):
    vips = (Vip(address="10.0.0.9/24", network="oam"),) if vip else ()
    return GroupCore(Group(name="main", model="2N", hosts=("a", "b"), vip=vips), services)


def running(*services, **options):
    core = group(*services, **options)
    core.handle(Start(5), 0)
    core.handle(VipsUp(), 0)
    for _ in services:
        for each in services:
            core.handle(Started(each.name), 0)
    assert core.state == "active"
    return core


def test_services_start_after_what_they_need_and_the_group_runs_with_the_last():
    core = group(service("web", "db"), service("db"))
    assert core.state == "initial"
    assert core.handle(Start(5), 0) == [Run("db", 5)]
    assert core.state == "go-active"
    assert core.handle(Started("db"), 10) == [Run("web", 5)]
    assert core.handle(Started("web"), 20) == [Running(5)]
    assert core.state == "active"
    assert core.services == {"web": "active", "db": "active"}


def test_two_start_at_a_time():
    core = group(*(service(name) for name in "abcd"))
    assert core.handle(Start(5), 0) == [Run("a", 5), Run("b", 5)]
    assert core.handle(Started("b"), 0) == [Run("c", 5)]
    assert core.handle(Started("a"), 0) == [Run("d", 5)]


def test_services_stop_before_what_they_need_and_the_end_is_confirmed_by_the_cgroup():
    core = running(service("web", "db"), service("db"))
    assert core.handle(Stop(), 100) == [End("web")]
    assert core.state == "go-standby"
    assert core.handle(Ended("web"), 110) == [End("db")]
    assert core.handle(Ended("db"), 120) == [LookEmpty()]
    assert core.handle(Tick(), 130) == []
    assert core.handle(Emptied(), 140) == [StopConfirmed(5)]
    assert core.state == "standby"
    assert core.handle(Emptied(), 150) == []


def test_stopping_what_has_stopped_is_confirmed_at_once():
    core = running(service("db"))
    core.handle(Stop(), 0)
    core.handle(Ended("db"), 0)
    core.handle(Emptied(), 0)
    assert core.handle(Stop(), 0) == [StopConfirmed(5)]
    assert core.handle(Stop(epoch=7), 0) == [StopConfirmed(7)]
    assert core.epoch == 7


def test_a_program_that_has_just_begun_does_not_take_its_groups_for_stopped():
    core = group(service("web", "db"), service("db"), vip=True)
    assert core.handle(Stop(epoch=37), 0) == [LowerVips(), End("web")]
    assert core.handle(VipsDown(), 0) == []
    assert core.handle(Ended("web"), 0) == [End("db")]
    assert core.handle(Ended("db"), 0) == [LookEmpty()]
    assert core.handle(Emptied(), 0) == [StopConfirmed(37)]


def test_an_empty_cgroup_counts_only_once_all_have_ended():
    core = running(service("db"))
    assert core.handle(Emptied(), 10) == []
    core.handle(Stop(), 20)
    assert core.handle(Emptied(), 30) == []
    assert core.handle(Ended("db"), 40) == [LookEmpty()]


def test_what_outlasts_its_budget_is_killed_alone():
    core = running(service("web", "db"), service("db"))
    core.handle(Stop(), 100)
    assert core.due_ms() == 1_600
    assert core.handle(Tick(), 1_599) == []
    assert core.handle(Tick(), 1_600) == [Clear("web")]
    assert core.handle(Tick(), 1_700) == []


def test_what_is_there_at_the_groups_deadline_is_killed_together():
    core = running(service("web", "db"), service("db"))
    core.handle(Stop(by_ms=900), 100)
    assert core.handle(Stop(by_ms=700), 200) == []  # the sooner one counts
    assert core.handle(Tick(), 700) == [KillAll()]
    assert core.handle(Ended("web"), 710) == [End("db")]
    assert core.handle(Ended("db"), 720) == [LookEmpty()]


def test_a_death_is_cleared_and_restarted_at_once_the_first_time():
    core = running(service("db"))
    died = core.handle(Died("db", "killed by signal 9"), 1_000)
    assert died == [Clear("db"), Restarting("db", 0, "killed by signal 9")]
    assert core.state == "go-active"
    assert core.handle(Tick(), 1_005) == []  # something of it may still run
    assert core.handle(Ended("db"), 1_010) == [Run("db", 5)]
    assert core.handle(Started("db"), 1_020) == [Running(5)]


def test_the_second_restart_waits():
    core = running(service("db"))
    core.handle(Died("db", "x"), 1_000)
    core.handle(Ended("db"), 1_000)
    assert core.handle(Started("db", failure="exit 1"), 1_100)[1] == Restarting(
        "db", 2_000, "exit 1"
    )
    core.handle(Ended("db"), 1_110)
    assert core.due_ms() == 3_100
    assert core.handle(Tick(), 3_099) == []
    assert core.handle(Tick(), 3_100) == [Run("db", 5)]


def fail_through(core, now_ms):
    """Let db fail until something other than a restart is wanted; return what."""
    while True:
        actions = core.handle(Died("db", "x"), now_ms)
        told = [each for each in actions if isinstance(each, Failed)]
        if told:
            return told[0]
        now_ms += 10_000
        core.handle(Ended("db"), now_ms)
        core.handle(Started("db"), now_ms)


def test_restarts_that_cure_nothing_climb_the_ladder_and_it_only_climbs():
    core = running(service("db"))
    now_ms = 1_000
    for epoch, step in enumerate(("failover", "node-fail", "reboot"), 6):
        assert fail_through(core, now_ms) == Failed("db", "critical", step, "x")
        assert core.status == "failed"
        core.handle(Stop(), now_ms)
        core.handle(Ended("db"), now_ms)
        assert core.handle(Emptied(), now_ms) == [StopConfirmed(epoch - 1)]
        assert core.handle(Start(epoch), now_ms) == [Run("db", epoch)]
        assert core.handle(Started("db"), now_ms) == [Cured("db"), Running(epoch)]
    assert fail_through(core, now_ms) == Failed("db", "critical", "", "x")


def test_without_a_ladder_in_the_file_a_critical_service_fails_over_in_the_end():
    core = running(service("db", ladder=None))
    for now_ms in (1_000, 3_000, 6_000):
        assert isinstance(core.handle(Died("db", "x"), now_ms)[1], Restarting)
        core.handle(Ended("db"), now_ms)
        core.handle(Tick(), now_ms + 4_000)
        core.handle(Started("db"), now_ms + 4_000)
    assert core.handle(Died("db", "x"), 11_000)[1] == Failed("db", "critical", "failover", "x")


def test_a_group_that_nobody_else_takes_is_tried_again_here():
    core = running(service("db", ladder=("failover",)))
    assert core.handle(Died("db", "x"), 1_000)[1] == Failed("db", "critical", "failover", "x")
    core.handle(Ended("db"), 1_010)
    assert core.handle(Tick(), 60_999) == []
    assert core.handle(Tick(), 61_000) == [Run("db", 5)]
    assert core.handle(Started("db"), 61_010) == [Cured("db"), Running(5)]


def test_an_older_epoch_starts_nothing():
    core = running(service("db"))
    core.handle(Stop(), 0)
    core.handle(Ended("db"), 0)
    core.handle(Emptied(), 0)
    assert core.handle(Start(4), 0) == []
    assert core.handle(Start(6), 0) == [Run("db", 6)]
    assert core.handle(Start(7), 0) == []  # it is started already


def test_past_the_top_of_the_ladder_it_is_tried_once_a_minute():
    core = running(service("db", ladder=()))
    died = core.handle(Died("db", "x"), 1_000)
    assert died == [Clear("db"), Failed("db", "critical", "", "x")]
    core.handle(Ended("db"), 1_010)
    assert core.handle(Tick(), 60_999) == []
    assert core.handle(Tick(), 61_000) == [Run("db", 5)]


@pytest.mark.parametrize(
    ("impact", "status"), [("none", "ok"), ("minor", "warn"), ("major", "degraded")]
)
def test_only_a_critical_service_climbs(impact, status):
    core = running(service("db", impact=impact))
    assert fail_through(core, 1_000) == Failed("db", impact, "", "x")
    assert core.status == status


def test_a_failed_service_that_is_still_being_cleared_is_waited_for():
    core = running(service("db"))
    core.handle(Died("db", "x"), 1_000)
    assert core.handle(Stop(), 1_001) == []
    assert core.handle(Ended("db"), 1_002) == [LookEmpty()]


def test_a_death_while_the_group_stops_is_no_failure():
    core = running(service("web", "db"), service("db"))
    core.handle(Stop(), 100)
    assert core.handle(Died("db", "x"), 110) == [Clear("db")]
    assert core.handle(Died("web", "x"), 110) == []  # it is being stopped
    core.handle(Ended("web"), 120)
    assert core.handle(Ended("db"), 130) == [LookEmpty()]


def test_words_about_what_does_not_run_change_nothing():
    core = group(service("db"))
    for event in (
        Started("db"),
        Ended("db"),
        Died("db", "x"),
        Probed("db", "pass"),
        Died("z", "x"),
    ):
        assert core.handle(event, 0) == []
    assert core.handle(VipsUp(), 0) == []
    assert core.handle(VipsDown(), 0) == []
    assert core.handle(VipsFailed("x"), 0) == []
    assert core.due_ms() is None


PROBED = Active(probe=("/bin/p",), interval_s=5, fail=2, pass_=2)


def test_probes_come_at_their_interval_with_jitter():
    core = running(service("db", active=PROBED))
    assert core.due_ms() == 5_000
    assert core.handle(Tick(), 5_000) == [Probe("db")]
    assert core.handle(Tick(), 9_000) == []  # one at a time
    core.handle(Probed("db", "pass", jitter=0.5), 10_000)
    assert core.due_ms() == 15_250


def test_probes_that_fail_in_a_row_are_a_failure():
    core = running(service("db", active=PROBED))
    assert core.handle(Probed("db", "fail"), 5_000) == []
    assert core.handle(Probed("db", "timeout"), 10_000) == [
        Clear("db"),
        Restarting("db", 0, "2 of 2 probes failed, the last by timeout"),
    ]


def test_passes_in_a_row_forgive_and_one_alone_does_not():
    core = running(service("db", active=PROBED))
    for outcome in ("fail", "pass", "pass", "fail", "pass"):
        assert core.handle(Probed("db", outcome), 0) == []
    assert core.handle(Probed("db", "fail"), 0)[0] == Clear("db")


def test_a_timeout_on_a_slow_node_is_not_counted():
    core = running(service("db", active=PROBED))
    for _ in range(5):
        assert core.handle(Probed("db", "timeout", is_slow=True), 0) == []


def test_a_service_without_a_probe_is_not_probed():
    assert running(service("db")).handle(Probed("db", "fail"), 0) == []


def test_while_it_is_paused_nothing_is_probed_and_a_death_is_left_alone():
    core = running(service("db", active=PROBED))
    assert core.handle(Probed("db", "fail"), 4_000) == []
    assert core.handle(Paused(is_on=True), 4_500) == []
    assert core.due_ms() is None
    assert core.handle(Probed("db", "fail"), 4_600) == [], "one that was on its way"
    assert core.handle(Died("db", "taken down by hand"), 5_000) == []
    assert core.services == {"db": "disabled"}
    assert core.handle(Tick(), 600_000) == []
    assert core.status == "ok"


def test_what_is_down_when_it_ends_is_started_and_counts_as_no_failure():
    core = running(service("web"), service("db", ladder=("failover",), active=PROBED))
    core.handle(Paused(is_on=True), 1_000)
    core.handle(Died("db", "x"), 2_000)
    assert core.handle(Paused(is_on=False), 90_000) == [
        Clear("db"),
        Restarting("db", 0, IN_MAINTENANCE),
    ]
    assert core.handle(Ended("db"), 90_010) == [Run("db", 5)]
    assert core.handle(Started("db"), 90_020) == [Running(5)]
    assert core.handle(Died("db", "x"), 91_000)[1] == Failed("db", "critical", "failover", "x")


def test_what_runs_when_it_ends_is_probed_anew():
    core = running(service("db", active=PROBED))
    core.handle(Probed("db", "fail"), 4_000)
    core.handle(Paused(is_on=True), 5_000)
    assert core.handle(Paused(is_on=False), 60_000) == []
    assert core.due_ms() == 65_000
    assert core.handle(Probed("db", "fail"), 65_000) == [], "what failed before is forgotten"


def test_a_restart_that_waits_and_a_start_that_fails_wait_for_the_end_of_it():
    core = running(service("db", ladder=("restart:5/600",)))
    for now_ms in (1_000, 2_000):
        core.handle(Died("db", "x"), now_ms)
        core.handle(Ended("db"), now_ms)
        core.handle(Tick(), now_ms)
        core.handle(Started("db"), now_ms)
    core.handle(Paused(is_on=True), 2_100)
    assert core.handle(Tick(), 30_000) == []
    assert core.handle(Paused(is_on=False), 31_000) == [Run("db", 5)]
    core.handle(Paused(is_on=True), 31_100)
    assert core.handle(Started("db", "exit 1"), 31_200) == [Clear("db")]
    assert core.handle(Ended("db"), 31_210) == []
    assert core.handle(Paused(is_on=False), 32_000) == [Run("db", 5)]


def test_a_word_about_maintenance_that_changes_nothing_forgets_nothing():
    core = running(service("db", active=PROBED))
    core.handle(Probed("db", "fail"), 4_000)
    assert core.handle(Paused(is_on=False), 4_100) == []
    assert core.handle(Probed("db", "fail"), 9_000)[0] == Clear("db")


def test_a_group_that_stops_during_maintenance_stops_in_its_order():
    core = running(service("web", "db"), service("db"))
    core.handle(Paused(is_on=True), 100)
    core.handle(Died("web", "x"), 200)
    assert core.handle(Stop(), 300) == [End("web")], "somebody may have started it again"
    assert core.handle(Ended("web"), 310) == [End("db")]
    assert core.handle(Died("db", "x"), 320) == []
    assert core.handle(Ended("db"), 330) == [LookEmpty()]


def test_a_stopping_group_asks_for_no_tick_to_probe():
    core = running(service("web", "db"), service("db", active=PROBED))
    core.handle(Stop(), 4_000)
    assert core.due_ms() == 5_500, "the kill of web, not the probe of db"


def test_addresses_come_with_the_start_and_go_with_the_stop():
    core = group(service("db"), vip=True)
    assert core.handle(Start(5), 0) == [RaiseVips(), Run("db", 5)]
    assert core.handle(Started("db"), 0) == []
    assert core.handle(VipsUp(), 0) == [Running(5)]
    assert core.handle(Stop(), 10) == [LowerVips(), End("db")]
    assert core.handle(Ended("db"), 20) == []
    assert core.handle(VipsDown(), 30) == [LookEmpty()]


def test_an_address_that_could_not_be_had_is_tried_again():
    core = group(service("db"), vip=True)
    core.handle(Start(5), 0)
    core.handle(Started("db"), 0)
    told = core.handle(VipsFailed("another has it"), 100)
    assert told == [Failed("vip", "major", "", "another has it")]
    assert core.status == "degraded"
    assert core.due_ms() == 100 + VIP_RETRY_MS
    assert core.handle(Tick(), 100 + VIP_RETRY_MS) == [RaiseVips()]
    assert core.handle(VipsUp(), 20_000) == [Cured("vip"), Running(5)]
    assert core.status == "ok"


class Lived(RuleBasedStateMachine):
    """Three services in a chain and one beside it, any order of events; a model of what runs."""

    def __init__(self):
        super().__init__()
        chain = [service("a"), service("b", "a"), service("c", "b"), service("d")]
        self.needs = {each.name: each.depends for each in chain}
        self.core = group(*chain)
        self.now_ms = 0
        self.epoch = 0
        self.runs = {}  # service -> starting, up
        self.clearing = set()
        self.looks = False
        self.wanted = False

    def handle(self, event):
        for action in self.core.handle(event, self.now_ms):
            match action:
                case Run(name, epoch):
                    assert self.wanted
                    assert name not in self.runs
                    assert name not in self.clearing
                    assert epoch == self.epoch
                    assert all(self.runs.get(each) == "up" for each in self.needs[name])
                    self.runs[name] = "starting"
                    assert list(self.runs.values()).count("starting") <= STARTING_MAX
                case End(name):
                    assert not self.wanted
                    self.runs.setdefault(name, "up")  # as an agent before may have left it
                    assert not [
                        n for n, needs in self.needs.items() if name in needs and n in self.runs
                    ]
                    self.clearing.add(name)
                case Clear(name):
                    self.clearing.add(name)
                case LookEmpty():
                    self.looks = True
                case StopConfirmed():
                    assert not self.runs
                    assert not self.clearing
                case Running():
                    assert list(self.runs.values()) == ["up"] * 4

    @precondition(lambda self: not self.wanted and not self.runs and not self.clearing)
    @rule()
    def start(self):
        if self.core.state in {"initial", "standby"}:
            self.wanted = True
            self.epoch += 1
            self.handle(Start(self.epoch))

    @rule()
    def stop(self):
        self.wanted = False
        self.handle(Stop())

    @rule(name=st.sampled_from("abcd"), works=st.booleans())
    def started(self, name, works):
        if self.runs.get(name) == "starting" and name not in self.clearing:
            self.runs[name] = "up"
            self.handle(Started(name, "" if works else "exit 1"))

    @rule(name=st.sampled_from("abcd"))
    def died(self, name):
        if self.runs.get(name) == "up" and name not in self.clearing:
            self.handle(Died(name, "x"))

    @rule(name=st.sampled_from("abcd"))
    def ended(self, name):
        if name in self.clearing:
            self.clearing.discard(name)
            self.runs.pop(name, None)
            self.handle(Ended(name))

    @rule(is_on=st.booleans())
    def paused(self, is_on):
        self.handle(Paused(is_on))

    @rule()
    def emptied(self):
        if self.looks and not self.runs:
            self.looks = False
            self.handle(Emptied())

    @rule(passed_ms=st.integers(0, 70_000))
    def tick(self, passed_ms):
        self.now_ms += passed_ms
        self.handle(Tick())

    @invariant()
    def a_stopped_group_runs_nothing(self):
        if self.core.state in {"initial", "standby"}:
            assert not self.runs


TestLived = Lived.TestCase
TestLived.settings = settings(max_examples=150, stateful_step_count=40)
