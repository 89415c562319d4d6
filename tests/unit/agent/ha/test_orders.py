"""What a person may order, over three cores whose shells are a test's."""

from types import SimpleNamespace

import pytest
from ha_cores import Cores
from msgspec.structs import replace

from roost_agent.control.message import (
    HaExplain,
    HaMaintenance,
    HaMayGoDown,
    HaStatus,
    HaSwitchover,
    HaTakeover,
    HaTestWatchdog,
    HaVoters,
)
from roost_agent.ha import core_events as ev
from roost_agent.ha.ask import _explained, _status
from roost_agent.ha.bite_test import BiteTests
from roost_agent.ha.guard_report import GuardReport
from roost_agent.ha.membership_events import Lagged
from roost_agent.ha.orders import answer
from roost_agent.ha.proposer_events import Wanted
from roost_agent.ha.report import roles
from roost_agent.ha.runtime import Explained
from roost_agent.ha.store import Store
from roost_agent.ports import SystemClock
from roost_protocol.explain import Explain


class FakeRuntime:
    """One node of a site of cores, as its runtime shows it."""

    def __init__(self, site, index):
        self.site, self.index = site, index
        self.refusals = []
        self.ring = [Explained(1_800_000_000_123, 5, "took main", {"epoch": 3})]
        path = SimpleNamespace(number=0, is_open=True, fault="", discarded=2, strangers=4)
        broker = SimpleNamespace(pid=None, restarts=1, fault="it is gone")
        self.shells = SimpleNamespace(
            peers=SimpleNamespace(refused={"mac": 3}),
            paths=[path],
            broker=broker,
            store=SimpleNamespace(fault="disk full"),
            workload=None,
            fencing=None,
            gateways=SimpleNamespace(said=SimpleNamespace(silent_ms=lambda _now_ms: 12_000)),
            lan=None,
            admission=None,
            bites=BiteTests(Store(site.folder), b"boot", SystemClock()),
        )
        self.guard_report = None

    @property
    def core(self):
        return self.site.boxes[self.index].core

    @property
    def config(self):
        return self.core.config

    @property
    def refused_orders(self):
        return len(self.refusals)

    def refuse(self, why):
        self.refusals.append(why)

    def now_ms(self):
        return self.site.clock(self.site.boxes[self.index])

    def tell(self, event):
        return self.site.tell(self.index, event)


@pytest.fixture
def site(tmp_path):
    return Cores(tmp_path)


def order(site, index, request):
    """The sentence of an order that is carried out, or the reason why not."""
    told = answer(FakeRuntime(site, index), request)
    return told.error or told.result["sentence"]


def test_a_switchover_names_who_takes_it_and_happens(site):
    active = site.settled()
    standby = site.boxes[1 - active].core
    name = standby.name_of(standby.who.node)
    assert f"{name} takes it next" in order(site, active, HaSwitchover("main"))
    site.until(lambda: site.holders() == [1 - active])
    assert order(site, active, HaSwitchover("main")) == (
        f"main does not run here but on {name}: order it there"
    )


def test_what_cannot_be_switched_says_why(site):
    active = site.settled()
    standby = 1 - active
    name = site.boxes[0].core.name_of(standby)
    assert order(site, active, HaSwitchover("x")) == (
        "no group 'x' fails over; there are: main, web"
    )
    assert "w1 cannot have main" in order(site, active, HaSwitchover("main", "w1"))
    assert "x9 cannot have main" in order(site, active, HaSwitchover("main", "x9"))
    for _ in range(4):
        site.boxes[standby].core.members.handle(Lagged(10_000), site.clock(site.boxes[standby]))
    site.run(500)
    assert "it is unwell" in order(site, active, HaSwitchover("main", name))
    site.boxes[standby].is_up = False
    site.run(3_000)
    assert order(site, active, HaSwitchover("main")) == f"nobody can have main: {name}: it is lost"
    assert site.holders() == [active]


def test_a_node_that_told_nothing_yet_is_no_target(site, monkeypatch):
    active = site.settled()
    monkeypatch.setattr(site.boxes[active].core.members, "report", lambda _node: None)
    assert "it told nothing of itself yet" in order(site, active, HaSwitchover("main"))


def test_a_second_order_finds_that_it_stops_already(site):
    active = site.settled()
    order(site, active, HaSwitchover("main"))
    assert "not held here" in order(site, active, HaSwitchover("main"))


def test_a_node_says_whether_it_may_go_down(site):
    active = site.settled()
    name = site.boxes[0].core.name_of(1 - active)
    told = answer(FakeRuntime(site, active), HaMayGoDown()).result
    assert (told["verdict"], told["moves"]) == ("after transfer", {"main": name})
    assert answer(FakeRuntime(site, 2), HaMayGoDown()).result["verdict"] == "yes"


DOG = GuardReport(7, watchdog_ms=2_000, watchdog="tested", hardware="dog, ACME")


def starved(site, index, report, *, is_confirmed=True):
    """What comes of the order to test a watchdog, and whether a test began."""
    runtime = FakeRuntime(site, index)
    runtime.guard_report = report
    told = answer(runtime, HaTestWatchdog(is_confirmed))
    return told.error, told.result.get("sentence", ""), runtime.shells.bites._asked


def test_a_watchdog_is_tested_on_a_node_that_may_go_down(site):
    active = site.settled()
    error, told, asked = starved(site, 1 - active, DOG)
    assert (error, asked) == ("", DOG)
    assert "stops to feed dog, ACME, which resets this machine within 2 s" in told


def test_a_watchdog_is_not_tested_without_a_word_that_the_machine_may_be_reset(site):
    error, _, asked = starved(site, 1 - site.settled(), DOG, is_confirmed=False)
    assert "resets this machine within 2 s, without a shutdown" in error
    assert error.endswith("--confirm-reset")
    assert asked is None


def test_a_watchdog_is_not_tested_where_something_needs_the_node(site):
    active = site.settled()
    error, _, asked = starved(site, active, DOG)
    assert "not to go down now: after transfer: main" in error
    assert asked is None
    site.boxes[2].is_up = False
    site.run(3_000)
    error, _, asked = starved(site, 1 - active, DOG)
    assert "not heard: w1" in error
    assert asked is None


@pytest.mark.parametrize(
    ("report", "why"),
    [
        (None, "no guard answers"),
        (replace(DOG, watchdog_ms=0, watchdog="none is configured"), "none is configured"),
        (replace(DOG, bite="biting"), "tested just now"),
    ],
)
def test_a_watchdog_that_cannot_be_tested_says_why(site, report, why):
    error, _, asked = starved(site, 1 - site.settled(), report)
    assert why in error
    assert asked is None


def test_nothing_is_ordered_before_the_first_write(site):
    for box in site.boxes:
        box.disk_fails = True
    site.start()
    assert "first write" in order(site, 0, HaSwitchover("main"))
    assert answer(FakeRuntime(site, 0), HaStatus()).result["leases"][0]["phase"] == "starting"


def test_maintenance_of_a_standby_is_told_and_ends(site):
    standby = 1 - site.settled()
    assert order(site, standby, HaMaintenance("main", 60)) == (
        "maintenance of main on this node for 60 s: it does not come here, also not if its other "
        "hosts fail. The node itself may go down: yes: no group that fails over runs here"
    )
    assert order(site, standby, HaMaintenance("main", 0)) == (
        "maintenance of main on this node ended"
    )
    assert "is not in maintenance" in order(site, standby, HaMaintenance("main", 0))


def test_maintenance_of_the_active_node_says_that_it_goes_on_there_unwatched(site):
    active = site.settled()
    told = order(site, active, HaMaintenance("main", 60))
    assert "goes on running here, and its services are neither watched nor restarted" in told
    assert "roost-agent ha switchover main" in told
    assert site.boxes[active].of(ev.Watch) == [ev.Watch("main", is_on=False)]
    site.run(61_000)
    assert site.holders() == [active]
    assert site.boxes[active].of(ev.Watch)[-1] == ev.Watch("main", is_on=True)


def test_maintenance_on_a_node_that_is_no_host_is_refused(site):
    site.settled()
    told = order(site, 2, HaMaintenance("main", 60))
    assert told == "this node is no host of main; order it on one: c0, c1"
    assert site.boxes[2].core.candidacy.paused == {}


def test_a_switchover_to_where_it_is_or_to_a_host_in_maintenance_says_so(site):
    active = site.settled()
    standby, names = 1 - active, [site.boxes[0].core.name_of(index) for index in (0, 1)]
    assert order(site, active, HaSwitchover("main", names[active])) == (
        f"{names[active]} has main already"
    )
    assert order(site, standby, HaSwitchover("main", names[active])) == (
        f"{names[active]} has main already"
    )
    order(site, standby, HaMaintenance("main", 60))
    site.run(500)
    told = order(site, active, HaSwitchover("main", names[standby]))
    assert told.startswith(f"{names[standby]} cannot have main: it is in maintenance")


def test_a_switchover_of_what_runs_nowhere_says_so(site):
    site.start()
    assert "first write" in order(site, 0, HaSwitchover("main"))
    site.run(100)
    assert order(site, 0, HaSwitchover("main")).startswith("main runs nowhere")


def test_a_group_in_maintenance_moves_by_no_choice_of_the_node(site):
    active = site.settled()
    order(site, active, HaMaintenance("main", 60))
    told = site.tell(active, ev.Give("main", "db: it died", is_chosen=True))
    assert not told.ok
    site.run(5_000)
    assert site.holders() == [active]
    said = [each.sentence for each in site.boxes[active].of(Explain)]
    assert "main stays: maintenance; db: it died" in said


def test_a_takeover_is_refused_where_a_majority_decides(site):
    active = site.settled()
    assert "runs here already" in order(site, active, HaTakeover("main"))
    assert "is no host" in order(site, 2, HaTakeover("main"))
    assert "needs no proof" in order(site, 1 - active, HaTakeover("main"))


def test_a_takeover_of_a_pair_needs_a_peer_that_is_silent_and_was_heard(tmp_path):
    pair = Cores(tmp_path, names=("c0", "c1"), more="")
    active = pair.settled()
    standby = 1 - active
    told = order(pair, standby, HaTakeover("main"))
    assert told.startswith(f"c{active} runs, heard 0.")
    assert "`roost-agent ha switchover main` on it, or switch it off first" in told
    pair.boxes[active].is_up = False
    pair.boxes[active].runs.clear()
    pair.until(lambda: pair.boxes[standby].core.members.state(active) == "suspect")
    assert "is not taken for dead yet" in order(pair, standby, HaTakeover("main"))
    pair.run(8_000)
    assert "counts as off" in order(pair, standby, HaTakeover("main"))
    assert order(pair, standby, HaTakeover("web")) == f"c{active} counts as off already"
    pair.until(lambda: pair.holders() == [standby])


def test_nobodys_word_moves_what_the_last_holder_may_start_alone(tmp_path):
    pair = Cores(tmp_path, names=("c0", "c1"), more='cold_start_alone = "last_holder"')
    active = pair.settled()
    pair.boxes[active].is_up = False
    pair.run(8_000)
    told = order(pair, 1 - active, HaTakeover("main"))
    assert "by the word of its last holder alone" in told
    assert "its only voter" in told


def test_a_takeover_from_a_peer_that_was_never_heard_is_refused(tmp_path):
    pair = Cores(tmp_path, names=("c0", "c1"), more="")
    pair.start(0)
    pair.run(100)
    told = order(pair, 0, HaTakeover("main"))
    assert told.startswith("c1 was never heard by this agent, and is not taken for dead yet")
    assert "switch it off" not in told, "it may be off already"


def test_a_switchover_lets_a_node_be_that_joined_a_moment_ago_unless_it_is_forced(site):
    active = site.settled()
    order(site, active, HaSwitchover("main"))
    site.until(lambda: site.holders() == [1 - active])
    site.run(1_000)
    told = order(site, 1 - active, HaSwitchover("main", f"c{active}"))
    assert told.startswith(f"c{active} cannot have main: it joined a moment ago")
    assert told.endswith("s more (--force does not wait)")
    assert "nobody can have main" in order(site, 1 - active, HaSwitchover("main"))
    assert "takes it next" in order(site, 1 - active, HaSwitchover("main", None, True))
    site.until(lambda: site.holders() == [active])


def real_pair(tmp_path):
    """A pair of which no boot is the number that stands for none."""
    pair = Cores(tmp_path, names=("c0", "c1"), more="")
    for box in pair.boxes:
        box.boot = bytes([box.index + 50]) * 16
    return pair, pair.settled()


def dark_pair(tmp_path):
    """Both lost power."""
    pair, active = real_pair(tmp_path)
    pair.reboot(active)
    pair.reboot(1 - active)
    pair.run(1_000)
    return pair, active


@pytest.mark.parametrize("which", ["standby", "owner"])
def test_row_24_one_of_a_pair_that_comes_back_alone_takes_an_operator_s_word(tmp_path, which):
    pair, active = dark_pair(tmp_path)
    back = active if which == "owner" else 1 - active
    pair.start(back)
    pair.run(20_000)
    assert pair.holders() == [], "it waits: the other may run"
    assert "counts as off" in order(pair, back, HaTakeover("main"))
    pair.until(lambda: pair.holders() == [back])


def test_an_agent_that_started_since_its_peer_died_takes_an_operator_s_word(tmp_path):
    pair, active = real_pair(tmp_path)
    pair.reboot(active)
    pair.run(10_000)
    pair.start(1 - active)
    pair.run(20_000)
    assert pair.holders() == []
    assert "counts as off" in order(pair, 1 - active, HaTakeover("main"))
    pair.until(lambda: pair.holders() == [1 - active])


def test_status_and_explain_read_well(site):
    active = site.settled()
    runtime = FakeRuntime(site, active)
    told = answer(runtime, HaStatus()).result
    assert "refused orders" not in _status(told)
    assert answer(runtime, HaSwitchover("nothing")).error in runtime.refusals
    text = _status(answer(runtime, HaStatus()).result)
    counts = "refused frames  mac 3, stranger 4"
    silent = "gateway  no answer for 12 s"
    clear = "WARNING  site brokers are spoken to in clear text: this box has no identity"
    words = ("main", "holding", "alive", counts, "refused orders  1", "it is gone", silent, clear)
    for word in words:
        assert word in text
    assert "disk full" in text
    assert "took main" in _explained(answer(runtime, HaExplain()).result)
    assert _explained({"explained": []}) == "nothing was decided yet\n"
    assert {each["lease"] for each in roles(runtime)} == {"site", "main", "web"}


def test_a_cut_between_two_that_a_third_bridges_is_shown(site):
    site.settled()
    site.cut = {(0, 1, None), (1, 0, None)}
    site.run(2_000)
    cuts = answer(FakeRuntime(site, 2), HaStatus()).result["cuts"]
    assert cuts == [["c0", "c1", "w1"]]
    assert "w1 hears both" in _status(answer(FakeRuntime(site, 2), HaStatus()).result)
    assert site.tell(2, ev.Lagged(0)) is None


def test_a_takeover_is_refused_while_the_fence_of_the_other_reads_power(tmp_path):
    pair = Cores(tmp_path, names=("c0", "c1"), more="")
    active = pair.settled()
    pair.reboot(active)
    runtime = FakeRuntime(pair, 1 - active)
    pair.until(lambda: pair.boxes[1 - active].core.members.state(active) == "lost")
    runtime.shells.fencing = SimpleNamespace(reads_on=lambda node: node == active)
    told = answer(runtime, HaTakeover("main"))
    assert told.error == f"c{active} has power, says its fence: switch it off first"
    runtime.shells.fencing = SimpleNamespace(reads_on=lambda _node: False)
    assert "counts as off" in answer(runtime, HaTakeover("main")).result["sentence"]


def test_the_voters_are_changed_by_the_node_that_coordinates_the_site(site):
    site.settled()
    at = next(box.index for box in site.boxes if box.lease("site").is_held)
    name = site.boxes[0].core.name_of(at)
    assert f"only {name}" in order(site, (at + 1) % 3, HaVoters("w1", is_added=False))
    assert "no node 'x9'" in order(site, at, HaVoters("x9", is_added=True))
    assert order(site, at, HaVoters("w1", is_added=True)) == "w1 votes already"
    assert order(site, at, HaVoters("w1", is_added=False)).startswith("w1 is to vote no more")
    site.until(lambda: site.boxes[0].core.electorate.voters == (0, 1))


def test_a_takeover_waits_while_the_voters_may_differ(tmp_path):
    pair = Cores(tmp_path, names=("c0", "c1"), more="")
    active = pair.settled()
    at = next(box.index for box in pair.boxes if box.lease("site").is_held)
    pair.cut = {(None, None, None)}
    pair.tell(at, Wanted(1 - at, is_added=False))
    pair.run(500)
    pair.boxes[1 - at].is_up = False
    pair.run(15_000)
    if active != at:
        assert "a change of the voters is not through" in order(pair, at, HaTakeover("main"))
    assert pair.boxes[at].core.provable == set()
