"""Jobs as they come to a node that has nothing to do for them, and a person's hold."""

import asyncio
from types import SimpleNamespace

import msgspec
import pytest

from roost_agent.update.installed import Component, Installed, Release
from roost_agent.update.journal import Journal
from roost_agent.update.keeper import Keeper
from roost_agent.update.kept import Hold
from roost_agent.update.service import Updates
from roost_agent.update.site_job import Phase, Verdict
from roost_agent.update.site_standing import Head, Role
from roost_agent.update.step import Step
from roost_protocol.codec import encode
from roost_protocol.update import IGNORED, NodeSaid, Offer, SiteState

OFFER = Offer(
    v=1, rollout="b" * 32, job="a" * 32, attempt=1, component="app/web", version="2.0",
    digest="0a" * 32, size=1, nodes=["lab.n1", "lab.n2"], not_before_ms=0, not_after_ms=10_000,
)  # fmt: skip


class Site:
    """The coordinator's ear."""

    role = Role.CONTROLLER

    def __init__(self):
        self.asked, self.stands, self.looks = [], (("200.006", "process=web"),), []

    async def look(self, offer, *, is_at_it):
        self.looks.append((offer.job, is_at_it))

    def standing(self, _offer):
        return self.stands

    def ask(self, offer, kept, head, _hold):
        self.asked.append((offer.job, kept, head))
        return 1, Verdict(Phase.SUCCEEDED)


@pytest.fixture
def made(tmp_path):
    def make():
        running = Release("2.0", OFFER.digest, "files")
        found = Installed(components={"app/web": Component(running=running)})
        told = []
        updates = Updates(
            "lab.n1", "b0" * 16,
            hands=SimpleNamespace(
                installed=lambda: found, refreshed=None, lend=None, short_of="", broke_off=""
            ),
            keeper=Keeper(Journal(tmp_path / "updates")), coordinator=Site(),
            teller=SimpleNamespace(
                answer=lambda offer, state, text, nodes, **_: told.append((state, text, nodes)),
                begin=lambda _: None, report=lambda _: None,
            ),
            receipts=SimpleNamespace(
                is_missing=lambda _: pytest.fail("nothing was installed"), newest=None
            ),
            alarms=SimpleNamespace(), entropy=SimpleNamespace(uniform=lambda low, _high: low),
            clock=SimpleNamespace(boot_ms=lambda: 5, wall_ms=lambda: 5),
            inhibits=str(tmp_path / "inhibit.d"),
        )  # fmt: skip
        updates.told = told
        return updates

    return make


async def test_a_site_hears_of_a_job_that_this_node_needs_not_and_does_after_a_restart(made):
    for turn in range(2):
        updates = made()
        await updates._course.open()
        if not turn:
            assert "not needed" in await updates.take(OFFER.job, 1, encode(OFFER))
            text = "app/web 2.0 runs already"
            assert updates.told == [(SiteState.NOT_NEEDED, text, [])]
        updates._ask_site()
        job, kept, head = updates._coordinator.asked[0]
        assert (job, head) == (OFFER.job, Head(Step.END, "succeeded", committed=True))
        assert kept.stood == updates._coordinator.stands, "what stands at the offer is kept"
        assert kept.drain, (
            "what it asks of the others is not known: nobody goes as if it were little"
        )
        updates._ending.vouch(updates._course.last, asyncio.TaskGroup())
        assert updates.knows(OFFER.job, 1)
        assert updates.status()["job"] is None


async def test_a_job_that_ended_here_and_is_offered_again_is_the_one_the_site_hears_of(made):
    """Others of the site are at it still, and wait for this node's word of it."""
    updates, other = made(), msgspec.structs.replace(OFFER, job="c" * 32)
    await updates._course.open()
    for offer in (OFFER, other):
        assert "not needed" in await updates.take(offer.job, 1, encode(offer))
    assert updates._course.last.offer.job == other.job
    stood = updates._course.last.kept.stood
    updates._coordinator.stands = ()
    assert await updates.take(OFFER.job, 1, encode(OFFER)) == "accepted"
    after = made()
    await after._course.open()
    for each in (updates, after):
        each._ask_site()
        job, kept, head = each._coordinator.asked[0]
        assert (job, head) == (OFFER.job, Head(Step.END, "succeeded", committed=True))
        assert kept.stood == stood, "as it was taken first"


async def test_what_is_offered_again_comes_not_before_a_job_that_is_under_way(made):
    updates, other = made(), msgspec.structs.replace(OFFER, job="c" * 32, digest="1b" * 32)
    await updates._course.open()
    await updates.take(OFFER.job, 1, encode(OFFER))
    await updates.take(other.job, 1, encode(other))
    assert await updates.take(OFFER.job, 1, encode(OFFER)) == "accepted"
    assert updates._course.last is updates._course.job
    await updates._look()
    assert updates._coordinator.looks == [(other.job, True)]


async def test_of_a_job_that_has_ended_here_its_site_alone_is_looked_after(made):
    updates = made()
    await updates._course.open()
    await updates.take(OFFER.job, 1, encode(OFFER))
    await updates._look()
    assert updates._coordinator.looks == [(OFFER.job, False)]


async def test_what_stood_as_an_offer_was_taken_outlasts_an_agent_that_ends_at_once(made):
    """Else an alarm that is shelved at the centre keeps the site for as long as the job lasts."""
    updates = made()
    await updates._course.open()
    offer = msgspec.structs.replace(OFFER, digest="1b" * 32)
    assert await updates.take(offer.job, 1, encode(offer)) == "accepted"
    stood, after = updates._coordinator.stands, made()
    await after._course.open()
    assert updates._course.job.kept.stood == after._course.job.kept.stood == stood


async def test_a_node_whose_role_is_left_out_says_so_and_goes_on_to_coordinate(made):
    offer = msgspec.structs.replace(OFFER, storage="ignore", digest="1b" * 32)
    for turn in range(2):
        updates = made()
        updates._coordinator.role = Role.STORAGE
        await updates._course.open()
        if not turn:
            assert "not needed" in await updates.take(offer.job, 1, encode(offer))
            text = "its role is storage, which the plan leaves out"
            said = [NodeSaid("lab.n1", IGNORED)]
            assert updates.told == [(SiteState.NOT_NEEDED, text, said)]
        updates._ask_site()
        assert updates._coordinator.asked[0][2] == Head(Step.END, "succeeded", committed=True)
        assert updates.status()["job"] is None


@pytest.mark.parametrize(("role", "key"), [("worker", "workers"), ("controller", "controllers")])
async def test_each_role_has_its_own_word(made, role, key):
    updates = made()
    updates._coordinator.role = Role(role)
    await updates._course.open()
    offer = msgspec.structs.replace(OFFER, digest="1b" * 32, **{key: "ignore"})
    assert role in await updates.take(offer.job, 1, encode(offer))


async def test_a_hold_counts_at_once_and_is_on_the_disk_soon(made, tmp_path):
    updates = made()
    updates._software.run = updates._freshness.run = asyncio.Event().wait
    running = asyncio.create_task(updates.run())
    await updates._course.is_open.wait()
    updates.hold(1_000, "stocktaking")
    assert updates.status()["hold"] == {"until_ms": 1_000, "why": "stocktaking"}
    beside = Journal(tmp_path / "updates")
    beside.open_to_read()
    async with asyncio.timeout(20):
        while beside.hold() != Hold(1_000, "stocktaking"):  # noqa: ASYNC110 - of another thread
            await asyncio.sleep(0.01)
    beside.close()
    running.cancel()
