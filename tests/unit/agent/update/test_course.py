"""The course of a job: what is heard, learnt and told around its steps."""

import asyncio
from types import SimpleNamespace

import msgspec
import pytest

from roost_agent.update import course, reports
from roost_agent.update import events as ev
from roost_agent.update.course import Course, Learnt
from roost_agent.update.ending import Ending
from roost_agent.update.journal import Journal
from roost_agent.update.keeper import Keeper
from roost_agent.update.kept import Kept
from roost_agent.update.reports import Reports
from roost_agent.update.site_job import Phase, Verdict
from roost_agent.update.step import Step, Who
from roost_protocol.codec import encode
from roost_protocol.update import Offer

OFFER = Offer(
    v=1, rollout="b" * 32, job="a" * 32, attempt=1, component="app/web", version="2.0",
    digest="0a" * 32, size=1, nodes=["lab.n1"], not_before_ms=0, not_after_ms=10_000,
)  # fmt: skip


class Scene:
    """A course whose steps a test does itself."""

    def __init__(self, folder):
        self.done, self.told, self.wall_ms = [], [], 5
        self.teller = SimpleNamespace(
            begin=lambda _: None, is_told=True,
            report=lambda said: self.told.append((said.state, said.nodes[0].step)),
        )  # fmt: skip
        self.site = SimpleNamespace(is_reached=lambda: False)
        self.hands = SimpleNamespace(
            do=self._do, short_of="", broke_off="", forget_blobs=lambda: None
        )
        self.keeper = Keeper(Journal(folder))
        self.alarms = SimpleNamespace(
            clear_condition=lambda _: None,
            raise_condition=lambda type_, _: self.told.append(type_),
        )
        clock = SimpleNamespace(boot_ms=lambda: 5, wall_ms=lambda: self.wall_ms)
        receipts = SimpleNamespace(newest=None, is_missing=lambda _: False)
        said = Reports(
            "lab.n1", keeper=self.keeper, hands=self.hands, receipts=receipts,
            teller=self.teller, coordinator=self.site,
        )  # fmt: skip
        ending = Ending(
            hands=self.hands, software=SimpleNamespace(changed=lambda: None),
            freshness=SimpleNamespace(doubt=lambda: None), receipts=receipts, reports=said,
            alarms=self.alarms, is_free=lambda: True,
        )  # fmt: skip
        self.course = Course(
            "b0" * 16, keeper=self.keeper, hands=self.hands, reports=said, ending=ending,
            clock=clock,
        )  # fmt: skip

    async def _do(self, todo, _offer, kept):
        self.done.append(todo.step)
        return ev.Did(todo.key, Who.NODE), kept

    async def take(self, offer=OFFER):
        await self.keeper.begin(offer.job, offer.attempt, encode(offer), Kept())
        self.course.begin(offer, Kept())


@pytest.fixture
async def scene(tmp_path):
    made = Scene(tmp_path)
    await made.course.open()
    return made


async def test_what_a_job_waits_for_is_at_hand_when_its_time_ends(scene, monkeypatch):
    monkeypatch.setattr(course, "TICK_S", 0.01)
    await scene.take()
    for said, verdict in (
        ("", None),
        ("it opens at noon", Verdict(Phase.WAITING, sentence="it opens at noon")),
    ):
        scene.course._events.clear()
        scene.course._wake.clear()
        scene.course.job.verdict = verdict
        await scene.course.wait()
        assert [*scene.course._events] == [ev.Tick(5, said)]


async def test_of_a_download_the_last_error_of_a_mirror_is_told_and_kept(scene, monkeypatch):
    monkeypatch.setattr(course, "TICK_S", 0.01)
    await scene.take()
    scene.course._events.clear()
    scene.course._wake.clear()
    node = scene.course.job.node
    node.state = msgspec.structs.replace(node.state, step=Step.DOWNLOAD)
    scene.hands.broke_off = "unreachable: no mirror"
    scene.teller.report = lambda said: scene.told.append(said.detail)
    await scene.course.wait()
    async with asyncio.TaskGroup() as group:
        await scene.course.go_on(group)
    assert scene.told == ["unreachable: no mirror"]
    scene.wall_ms = OFFER.not_after_ms
    await scene.course.wait()
    async with asyncio.TaskGroup() as group:
        await scene.course.go_on(group)
    assert scene.told[-1] == "download: not applied within the job's time: unreachable: no mirror"


@pytest.mark.parametrize("step", [Step.DRAIN, Step.INSTALL])
async def test_the_centre_hears_that_a_release_goes_in_before_it_does(scene, step, monkeypatch):
    """A node that the release silences is then known to have it."""
    await scene.take()
    scene.teller.is_told = False
    scene.site.is_reached = lambda: not scene.done
    todo = ev.Do(step, "a.1.step")
    begun = asyncio.create_task(scene.course._acted(scene.course.job, todo))
    await asyncio.sleep(0.2)
    assert not scene.done
    scene.teller.is_told = True
    await begun
    assert scene.done == [step]
    scene.teller.is_told = False
    await scene.course._acted(scene.course.job, todo)  # nobody is reached: it does not wait
    monkeypatch.setattr(reports, "TELL_S", 0.1)
    scene.site.is_reached = lambda: True
    await scene.course._acted(scene.course.job, todo)
    assert scene.done == [step] * 3, "it waits no longer than its limit"


async def test_a_job_goes_from_its_offer_to_its_end_and_each_step_is_in_the_journal(scene):
    await scene.take()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        while scene.course.job is not None:
            await scene.course.go_on(group)
            if scene.course.job is not None and scene.done[-1:] == [Step.DOWNLOAD]:
                scene.wall_ms = OFFER.not_after_ms  # root never answers: its time ends
                scene.course.put(ev.Tick(scene.wall_ms))
            if scene.course.job is not None and scene.done[-1:] == [Step.CLEANUP]:
                scene.course.put(ev.Did(scene.course.job.node.key, Who.HELPER))
            await asyncio.sleep(0)
    assert scene.course.last.node.outcome == "failed"
    assert scene.told[-2:] == [("failed", "failed"), "900.021"]
    assert scene.keeper.attempts(OFFER.job) == [1]
    after = Scene(scene.keeper._journal._file._path.parent)
    await after.course.open()
    assert (after.course.job, after.course.last.node.outcome) == (None, "failed")


async def test_what_a_step_of_the_job_before_has_learnt_is_not_learnt_of_this_one(scene):
    """A step that outlasts its job may answer once another one is under way."""
    scene.hands.do = lambda *_: asyncio.Event().wait()  # its own steps say nothing here
    await scene.take()
    before = scene.course.job
    await scene.take(msgspec.structs.replace(OFFER, job="c" * 32))
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        scene.course.put(Learnt(before, Kept(reboot=True)))
        await scene.course.go_on(group)
        assert scene.course.job.kept == Kept()
        scene.course.put(Learnt(scene.course.job, Kept(drain=True)))
        await scene.course.go_on(group)
        assert scene.course.job.kept == Kept(drain=True)
        assert scene.course.job.node.plan.needs_drain
        scene.course._stop()
