"""What was fetched is lent while its job waits here, and no longer."""

import asyncio
from types import SimpleNamespace

from roost_agent.update import lending
from roost_agent.update.lending import Lending
from roost_agent.update.step import Step


async def test_it_is_lent_while_the_job_waits_and_ends_as_it_goes_in(monkeypatch):
    monkeypatch.setattr(lending, "LOOK_S", 0.001)
    monkeypatch.setattr(lending, "AGAIN_S", 0.001)
    job, said = SimpleNamespace(state=SimpleNamespace(step=Step.DOWNLOAD)), []
    changed = asyncio.Event()

    async def lend():
        said.append("lent")
        changed.set()
        try:
            await asyncio.sleep(60)
        finally:
            said.append("ended")
            changed.set()

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        running = group.create_task(Lending(lend, lambda: job).run())
        await asyncio.sleep(0.01)
        assert said == [], "it is not here yet"
        for step, word in ((Step.STAGED, "lent"), (Step.INSTALL, "ended")):
            changed.clear()
            job.state.step = step
            await changed.wait()
            assert said[-1] == word
        running.cancel()
