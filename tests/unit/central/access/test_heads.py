"""The head of the audit log in the log of the machine: when it moved, and not else."""

import asyncio
import logging

from roost_central.access import heads
from roost_central.access.chain import Act
from roost_central.ports import SystemClock
from roost_central.storage import audit
from roost_central.storage.engine import Database


async def test_the_head_is_told_when_it_moved_and_a_lost_database_is_waited_for(
    tmp_path, caplog, monkeypatch
):
    monkeypatch.setattr(heads, "INTERVAL_S", 0.01)
    caplog.set_level(logging.INFO, logger=heads.__name__)
    url = f"sqlite+aiosqlite:///{tmp_path}/roost.db"
    database = await Database.open(url, clock=SystemClock())

    def heard():  # and not what a slow disk makes the database say
        return [one.getMessage() for one in caplog.records if one.name == heads.__name__]

    async def told(count):
        for _ in range(1_000):
            if len(heard()) >= count:
                break
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)  # and not once more
        return heard()

    task = asyncio.get_running_loop().create_task(heads.tell_heads(database))
    try:
        for n in (1, 2):
            async with database.write() as connection:
                head = await audit.add(connection, Act(n, "ann", "admin", "site.put", "lab", {}))
            assert (await told(n))[-1] == f"audit head {n}:{head.hash.hex()}"
        assert len(heard()) == 2
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await database.close()
