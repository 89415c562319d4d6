"""A node's place: alone by what its configuration says, or in a site that it has to be seen in."""

from types import SimpleNamespace

import msgspec
import pytest

from roost_agent.alarm_types import shipped
from roost_agent.alarms.row import Row
from roost_agent.update import alone as alone_module
from roost_agent.update.alone import Alone
from roost_agent.update.baseline import Baseline
from roost_agent.update.in_site import InSite
from roost_agent.update.kept import Kept
from roost_agent.update.out_of_service import OutOfService
from roost_agent.update.site_standing import Head, Role
from roost_agent.update.step import Step
from roost_protocol.severity import Severity
from roost_protocol.update import Offer, WaitReason
from roost_protocol.window import Window


@pytest.mark.parametrize(
    ("said", "role"),
    [((), "controller"), (("edge",), "controller"), (("edge", "worker"), "worker"),
     (("storage",), "storage"), (("worker", "controller"), "controller")],
)  # fmt: skip
def test_a_node_alone_is_what_its_configuration_says(said, role):
    config = SimpleNamespace(processes=SimpleNamespace(roles=said))
    assert Alone(SimpleNamespace(config=config), None, None).role is Role(role)


class Lone:
    why = ""
    closed = look = is_reached = baseline = standing = None

    async def unwell(self, _kept, _expected):
        return self.why


class SeenSite:
    near = lending = None

    def __init__(self, view):
        self.view, self.is_cut_off = view, False


async def test_a_release_is_measured_by_the_nodes_place_in_its_site_and_the_way_back_is_not():
    views = ["n2, which coordinates the site, does not hear this node", "", ""]
    place = InSite(Lone(), SeenSite(lambda: views.pop(0)), OutOfService(None, None, None))
    kept = Kept(before=Baseline())
    assert "does not hear this node" in await place.unwell(kept, ())
    assert await place.unwell(kept, ()) == ""
    Lone.why = "health check disk: full"
    assert await place.unwell(kept, ()) == "health check disk: full"
    assert await place.unwell(Kept(), ()) == "health check disk: full", "it was not asked"
    assert views == []


async def passes(_stage):
    return []


async def test_a_node_that_is_not_reached_any_more_is_unwell_unless_its_whole_site_is_cut_off():
    site = SeenSite(str)
    alone = Alone(SimpleNamespace(wires={}, health=SimpleNamespace(check=passes)), None, None)
    place, kept = InSite(alone, site, OutOfService(None, None, None)), Kept(was_reached=True)
    assert await place.unwell(kept, ()) == "it beats on no path, and did before"
    site.is_cut_off = True
    assert await place.unwell(kept, ()) == ""


MS = 1_796_040_000_000  # 2026-11-30 12:00 UTC, a Monday
WEEK = Window(tuple(range(7)), "00:00", 24 * 60)
NIGHT = Window((1,), "01:00", 60)
OFFER = Offer(
    v=1, rollout="b" * 32, job="a" * 32, attempt=1, component="app/web", version="2.0",
    digest="0a" * 32, size=1, nodes=["lab.n1"], not_before_ms=0, not_after_ms=MS * 2,
)  # fmt: skip


class Timed:
    """A node alone with its clock; ``looks`` counts how often who keeps it was asked."""

    def __init__(self):
        self.looks, self.unset = 0, ""
        self.own = SimpleNamespace(now=None, fault="", look=self.nothing)
        driver = SimpleNamespace(
            known_time=SimpleNamespace(wall_ms=lambda: MS), clock=SimpleNamespace(boot_ms=int),
            identity=SimpleNamespace(node="lab.n1"),
            config=SimpleNamespace(processes=SimpleNamespace(roles=())),
            alarms=SimpleNamespace(is_open=True, types=shipped(), table=SimpleNamespace(rows={})),
        )  # fmt: skip
        clock = SimpleNamespace(distrust=lambda: self.unset, look=self.looked)
        self.alone = Alone(driver, clock, self.own)
        self.rows = driver.alarms.table.rows

    async def nothing(self):
        pass

    async def looked(self):
        self.looks += 1

    def raises(self, type_, severity=Severity.MAJOR, entity="process=web"):
        row = Row(type_, entity, severity, 0, 0, "process web has failed")
        self.rows[row.key] = row

    def ask(self, *, kept=Kept(), **more):  # noqa: B008 - frozen
        offer = msgspec.structs.replace(OFFER, **more)
        return self.alone.ask(offer, kept, Head(Step.STAGED), None)[1]


async def test_a_node_goes_by_the_window_of_its_profile_where_the_plan_has_none():
    node = Timed()
    await node.alone.look(OFFER, is_at_it=True)
    assert (node.ask().go, node.looks) == (("lab.n1",), 0), "without a window no clock is asked"
    node.own.now = NIGHT
    await node.alone.look(OFFER, is_at_it=True)
    verdict = node.ask()
    assert (verdict.go, verdict.why, node.looks) == ((), WaitReason.WINDOW, 1)
    assert verdict.sentence.startswith("the window of its profile (update-window) opens at 2026-12")
    node.own.now, node.unset = WEEK, "nobody has set it"
    assert "clock: nobody has set it" in node.ask().sentence
    node.unset = ""
    assert node.ask().go == ("lab.n1",)
    assert node.ask(window=NIGHT).go == (), "the plan's window holds as well"
    node.own.now = NIGHT
    assert node.ask(window=WEEK).go == ()


def test_a_profile_that_cannot_be_read_opens_no_window():
    node = Timed()
    node.own.fault = "told.json: no JSON"
    verdict = node.ask()
    assert (verdict.go, verdict.why) == ((), WaitReason.WINDOW)
    assert verdict.sentence == "the window of its profile cannot be read: told.json: no JSON"


def test_whose_window_is_shut_is_told():
    node = Timed()
    assert node.alone.closed(OFFER) == ("", True)
    node.own.now = NIGHT
    assert node.alone.closed(OFFER)[1] is True
    assert node.alone.closed(msgspec.structs.replace(OFFER, window=NIGHT))[1] is False


def test_the_times_of_a_job_are_judged_once_unless_two_windows_are_shut(monkeypatch):
    """A node that waits asks every 2 s; whose window it is matters only where one is shut."""
    node, judged = Timed(), []
    closed = alone_module.closed
    monkeypatch.setattr(
        alone_module, "closed", lambda *given: judged.append(given) or closed(*given)
    )
    node.ask(window=WEEK)
    node.ask(window=NIGHT)
    node.own.now = WEEK
    node.ask(window=WEEK)
    assert len(judged) == 3
    node.own.now = NIGHT
    node.ask(window=WEEK)
    assert len(judged) == 5, "whether that is the plan's too"


def test_a_profile_that_was_not_read_hides_no_window_of_the_plan():
    node = Timed()
    node.own.fault = "it has not been read yet"
    why, is_own = node.alone.closed(msgspec.structs.replace(OFFER, window=NIGHT))
    assert (why.startswith("the window opens at"), is_own) == (True, False)


async def test_a_profile_is_asked_for_its_window_while_the_job_is_open_here_alone():
    node, asked = Timed(), []
    node.own.look = lambda: asked.append(1) or node.nothing()
    await node.alone.look(OFFER, is_at_it=True)
    assert asked == [1]
    await node.alone.look(msgspec.structs.replace(OFFER, window=WEEK), is_at_it=False)
    assert (asked, node.looks) == ([1], 1), "others of the site go by this node's clock still"


def test_an_alarm_keeps_a_node_alone_from_going_until_it_is_gone_or_known_of_before():
    node = Timed()
    node.raises("200.006")
    assert node.ask().go == ("lab.n1",), "who offered it said nothing of alarms"
    verdict = node.ask(alarms="relaxed")
    assert (verdict.go, verdict.why) == ((), WaitReason.HEALTH)
    assert verdict.sentence == (
        "alarm 200.006 (process web has failed) stands on lab.n1,"
        " and the plan's gates are alarms = relaxed"
    )
    before = node.alone.standing(msgspec.structs.replace(OFFER, alarms="relaxed"))
    assert before == (("200.006", "process=web"),)
    assert node.ask(alarms="relaxed", kept=Kept(stood=before)).go == ("lab.n1",)
    node.rows.clear()
    assert node.ask(alarms="relaxed").go == ("lab.n1",)
