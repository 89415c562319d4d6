"""Figures of gates: asked for while a wave has its turn, unknown once they are old."""

from types import SimpleNamespace

import pytest
from rollout_fleet import SmallFleet

from roost_central.errors import StorageError
from roost_central.rollout.figures import FIGURES_LOOK_S, FIGURES_STALE_S, Figures


class Clock:
    ms = 5_000

    def mono_ms(self):
        return self.ms


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def figures(clock):
    made = Figures(clock)
    made.asked = []

    async def select(query):
        made.asked.append(query)
        return ["s1"]

    made.select = select
    return made


@pytest.fixture
def open_():
    fleet = SmallFleet(plan='gates = {kpi = ["drift>0 <= 1 %", "sync!=in-sync <= 1 %"]}\n')
    fleet.rollout.start(fleet.now_ms)
    return [SimpleNamespace(rollout=fleet.rollout)]


async def test_each_query_is_asked_for_now_and_then(figures, clock, open_):
    await figures.look(open_)
    await figures.look(open_)
    assert sorted(figures.asked) == ["drift>0", "sync!=in-sync"]
    assert figures.known() == {"drift>0": {"s1"}, "sync!=in-sync": {"s1"}}
    clock.ms += int(FIGURES_LOOK_S * 1_000)
    await figures.look(open_)
    assert len(figures.asked) == 4


async def test_what_cannot_be_asked_for_is_unknown_after_a_minute(figures, clock, open_):
    await figures.look(open_)

    async def fails(_query):
        raise StorageError("busy")

    figures.select = fails
    clock.ms += int(FIGURES_STALE_S * 1_000)
    await figures.look(open_)
    assert len(figures.known()) == 2
    clock.ms += 1
    assert figures.known() == {}


async def test_a_rollout_that_does_not_run_asks_for_nothing(figures, open_):
    open_[0].rollout.pause("lunch", 1)
    await figures.look(open_)
    assert (figures.asked, figures.known()) == ([], {})


async def test_before_there_is_anybody_to_ask_nothing_is_known(clock, open_):
    figures = Figures(clock)
    await figures.look(open_)
    assert figures.known() == {}
