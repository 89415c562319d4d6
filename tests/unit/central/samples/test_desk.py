"""Questions to nodes: one at a time, remembered for a minute, bounded by the hour."""

import asyncio

import pytest

from roost_central.samples import desk as desks
from roost_central.samples.desk import FRESH_MS, HOUR_MS, SampleDesk, Told, Wish
from roost_protocol.codec import VERSION
from roost_protocol.samples import Samples, Series

NODE = "lab.n1"
WISH = Wish(0, 600_000, 60)


class Clock:
    """UTC by hand."""

    def __init__(self):
        self.ms = 1_000_000

    def wall_ms(self):
        return self.ms


class Node:
    """Answers at once, later, or never."""

    def __init__(self, desk, *, answers=True):
        self.desk, self.answers, self.asks = desk, answers, []
        desk.send = self.send

    def send(self, node, ask):
        self.asks.append((node, ask))
        if self.answers:
            asyncio.get_running_loop().call_soon(self.answer, ask.number, node)
        return True

    def answer(self, number, node=NODE, steps=0):
        series = [Series("cpu", "", *[bytes(2 * steps)] * 3)]
        said = Samples(v=VERSION, ask=number, since_ms=0, step_s=60, steps=steps, series=series)
        self.desk.took(node, said)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def desk(clock, monkeypatch):
    monkeypatch.setattr(desks, "ANSWER_S", 0.05)
    return SampleDesk(clock)


async def test_a_node_is_asked_once_by_all_who_look_within_a_minute(desk, clock):
    node = Node(desk)
    found = await asyncio.gather(*(desk.fetch(NODE, WISH) for _ in range(5)))
    assert len(node.asks) == 1
    assert all(each.told is not None and not each.why for each in found)
    clock.ms += FRESH_MS - 1
    assert (await desk.fetch(NODE, WISH)).told == found[0].told
    assert len(node.asks) == 1
    clock.ms += 1
    await desk.fetch(NODE, WISH)
    await desk.fetch(NODE, Wish(0, 60_000, 60))
    assert len({ask.number for _, ask in node.asks}) == len(node.asks) == 3


async def test_one_that_does_not_answer_is_said_with_what_it_answered_before(desk, clock):
    node = Node(desk)
    before = await desk.fetch(NODE, WISH)
    node.answers = False
    clock.ms += FRESH_MS
    late = await desk.fetch(NODE, WISH)
    assert late.told == before.told
    assert "did not answer within" in late.why
    node.answer(node.asks[-1][1].number)  # nobody waits for it any more
    node.answers = True
    assert (await desk.fetch(NODE, WISH)).why == ""


async def test_one_who_leaves_does_not_end_the_question_of_another(desk):
    node = Node(desk, answers=False)
    tasks = [asyncio.get_running_loop().create_task(desk.fetch(NODE, WISH)) for _ in range(2)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    await asyncio.sleep(0)
    node.answer(node.asks[0][1].number)
    assert (await tasks[1]).why == ""


async def test_an_answer_of_another_node_is_no_answer(desk):
    node = Node(desk, answers=False)
    task = asyncio.get_running_loop().create_task(desk.fetch(NODE, WISH))
    await asyncio.sleep(0)
    node.answer(node.asks[0][1].number, node="lab.n2")
    assert (await task).told is None


async def test_a_node_that_no_broker_reaches_is_said(desk):
    assert "no broker" in (await desk.fetch(NODE, WISH)).why


async def test_questions_on_their_way_are_bounded(desk, monkeypatch):
    monkeypatch.setattr(desks, "ASKS_MAX", 2)
    Node(desk, answers=False)
    found = await asyncio.gather(*(desk.fetch(f"lab.n{number}", WISH) for number in range(3)))
    assert ["being asked already" in each.why for each in found] == [False, False, True]


async def test_an_uplink_carries_so_much_in_an_hour_however_much_is_looked_at(
    desk, clock, monkeypatch
):
    monkeypatch.setattr(desks, "NODE_BYTES_MAX", 1_000)
    node = Node(desk)
    answers = [await desk.fetch(NODE, Wish(number, 600_000, 60)) for number in range(6)]
    assert [each.told is not None for each in answers].count(True) == len(node.asks) == 3
    assert "try again later" in answers[-1].why
    assert (await desk.fetch("lab.n2", WISH)).told is not None
    clock.ms += HOUR_MS
    assert (await desk.fetch(NODE, WISH)).told is not None


async def test_memory_is_bounded_and_the_oldest_answer_goes(desk, clock, monkeypatch):
    monkeypatch.setattr(desks, "CACHE_BYTES_MAX", 1_000)
    node = Node(desk)
    for number in range(4):
        await desk.fetch(f"lab.n{number}", WISH)
    await desk.fetch("lab.n3", WISH)
    assert len(node.asks) == 4
    await desk.fetch("lab.n0", WISH)
    assert len(node.asks) == 5


def test_the_size_of_an_answer_counts_its_values():
    one = Samples(
        v=VERSION, since_ms=0, step_s=60, steps=100, series=[Series("cpu", "", *[b""] * 3)]
    )
    assert Told(one, 0).size > 600


async def test_a_node_that_knows_no_boards_is_not_believed_of_one(desk):
    node = Node(desk)
    found = await desk.fetch(NODE, Wish(0, 600_000, 60, board="n2"))
    assert node.asks[0][1].board == "n2"
    assert found.told is None
    assert "did not answer" in found.why
