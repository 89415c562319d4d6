"""A node takes updates from when it has a root of trust, without a restart of its agent."""

import asyncio
from types import SimpleNamespace

from roost_agent import enrolled_node, update_host


async def test_a_root_of_trust_that_comes_after_the_agent_is_noticed(tmp_path, monkeypatch):
    ran = asyncio.Event()

    class Updates:
        async def run(self):
            ran.set()

    made = Updates()
    monkeypatch.setattr(enrolled_node, "ANCHORED_S", 0.01)
    monkeypatch.setattr(update_host, "updates_of", lambda *_: made)
    config = SimpleNamespace(updates=SimpleNamespace(trust=str(tmp_path)))
    driver = SimpleNamespace(config=config, updates=None)
    task = asyncio.create_task(enrolled_node.carry_updates(driver, None))
    await asyncio.sleep(0.05)
    assert driver.updates is None
    (tmp_path / enrolled_node.TRUSTS).touch()
    await task
    assert ran.is_set()
    assert driver.updates is made
