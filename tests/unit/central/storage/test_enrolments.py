"""Boxes that asked, on every database: found by what they used, decided one at a time."""

import asyncio

from roost_central.enrol.states import State
from roost_central.ports import SystemClock
from roost_central.storage import enrolments
from roost_central.storage.engine import Database
from roost_central.storage.enrolments import EnrolmentRecord


def box(id_, claim, **more):
    facts = {
        "id": id_, "key_hash": id_.encode(), "kind": "factory", "claim": claim,
        "state": State.PENDING, "site": "", "node": "", "broker": False, "csr": "", "lan_key": "",
        "broker_key": "", "sealing_key": b"", "hardware": "{}", "agent": "", "address": "",
        "words": "", "ticket_hash": id_.encode(), "asked_ms": 1, "seen_ms": 1,
    }  # fmt: skip
    return EnrolmentRecord(**{**facts, **more})


async def test_boxes_are_found_by_what_they_used_the_last_first(database):
    async with database.write() as connection:
        for each in (box("a", "f:1", seen_ms=1), box("b", "f:1", seen_ms=2), box("c", "f:2")):
            await enrolments.save(connection, each)
        found = await enrolments.by_claim(connection, "f:1", limit=10)
        assert [each.id for each in found] == ["b", "a"]
        assert [each.id for each in await enrolments.by_claim(connection, "f:1", limit=1)] == ["b"]


async def test_two_that_decide_of_one_factory_key_see_each_other(database_url):
    async def decide(database, id_):
        async with database.write() as connection:
            await enrolments.decide_alone(connection)
            earlier = await enrolments.by_claim(connection, "f:1", limit=10)
            await asyncio.sleep(0.05)  # whoever does not wait reads before the other has written
            await enrolments.save(connection, box(id_, "f:1"))
            return len(earlier)

    centres = [await Database.open(database_url, clock=SystemClock()) for _ in range(3)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(decide(each, str(n))) for n, each in enumerate(centres)]
    for each in centres:
        await each.close()
    assert sorted(task.result() for task in tasks) == [0, 1, 2]
