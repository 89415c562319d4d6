"""What waits together is done together, and nobody pays for another's fault."""

import asyncio

import pytest

from roost_central.enrol.group import TOGETHER_MAX, Group
from roost_central.errors import StorageUnavailableError


class Work:
    """Says each request back; keeps what was one turn. ``gate`` holds the first turn up."""

    def __init__(self):
        self.turns = []
        self.gate = asyncio.Event()

    async def __call__(self, requests):
        self.turns.append([*requests])
        await self.gate.wait()
        if "poison" in requests:
            raise ValueError("poison")
        if "cut" in requests:
            raise StorageUnavailableError("database")
        return [KeyError("no") if each == "no" else each for each in requests]


async def asked(group, *requests):
    """Ask one after the other without a wait, and let the first turn begin."""
    tasks = [asyncio.ensure_future(group.ask(each)) for each in requests]
    await asyncio.sleep(0)
    return tasks


async def ended(tasks):
    return [
        each if not isinstance(each, BaseException) else type(each)
        for each in await asyncio.gather(*tasks, return_exceptions=True)
    ]


async def test_what_comes_during_a_turn_is_the_next_one():
    work = Work()
    tasks = await asked(Group(work), *"abcd")
    work.gate.set()
    assert await ended(tasks) == [*"abcd"]
    assert work.turns == [["a"], ["b", "c", "d"]]


async def test_a_turn_has_an_end():
    work, count = Work(), 2 * TOGETHER_MAX + 3
    group = Group(work)
    tasks = await asked(group, "first") + await asked(group, *range(count))
    work.gate.set()
    assert await ended(tasks) == ["first", *range(count)]
    assert [len(turn) for turn in work.turns] == [1, TOGETHER_MAX, TOGETHER_MAX, 3]


async def test_each_gets_an_outcome_of_its_own():
    work = Work()
    work.gate.set()
    assert await ended(await asked(Group(work), "a", "no", "b")) == ["a", KeyError, "b"]


async def test_who_breaks_a_turn_is_alone_with_it():
    work = Work()
    group = Group(work)
    tasks = await asked(group, "first") + await asked(group, "a", "poison", "b")
    work.gate.set()
    assert await ended(tasks) == ["first", "a", ValueError, "b"]
    assert work.turns[1:] == [["a", "poison", "b"], ["a"], ["poison"], ["b"]]


async def test_where_nobody_is_to_blame_nobody_is_tried_again():
    work = Work()
    group = Group(work)
    tasks = await asked(group, "first") + await asked(group, "a", "cut")
    work.gate.set()
    assert await ended(tasks) == ["first", StorageUnavailableError, StorageUnavailableError]
    assert len(work.turns) == 2


async def test_where_the_first_of_a_turn_goes_away_the_others_are_served():
    work = Work()
    group = Group(work)
    tasks = await asked(group, "first") + await asked(group, *"abc")
    tasks[0].cancel()
    await asyncio.sleep(0.01)
    tasks[1].cancel()  # whose turn it is now
    tasks[3].cancel()  # who only waits
    await asyncio.sleep(0)
    work.gate.set()
    gone = asyncio.CancelledError
    assert await ended(tasks) == [gone, gone, "b", gone]
    assert work.turns[-1][0] == "b"


@pytest.mark.parametrize("request_", ["a", "poison"])
async def test_who_is_alone_waits_for_nobody(request_):
    work = Work()
    work.gate.set()
    [outcome] = await ended(await asked(Group(work), request_))
    assert outcome == {"a": "a", "poison": ValueError}[request_]
    assert work.turns == [[request_]]
