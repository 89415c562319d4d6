import asyncio
from functools import partial

from roost_agent.update.freshness import EVERY_S, FIRST_S, STALE, Freshness


class Alarms:
    """Takes them down."""

    def __init__(self):
        self.said = []
        self.cleared = asyncio.Event()

    def raise_condition(self, type_, params):
        self.said.append((type_, params["reason"]))

    def clear_condition(self, type_):
        self.said.append((type_, ""))
        self.cleared.set()


class Lowest:
    def __init__(self):
        self.asked = []

    def uniform(self, low, high):
        self.asked.append((low, high))
        return low


def made(*answers):
    """Return a look at these answers, and what was told."""
    left = list(answers)

    async def refresh():
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    alarms = Alarms()
    return Freshness(refresh, alarms, Lowest()), alarms.said


async def test_what_is_stale_is_an_alarm_and_what_is_of_these_days_clears_it():
    looking, said = made("expired: director: timestamp", "unreachable: centre: refused", "")
    await looking.look()
    assert said == [(STALE, "expired: director: timestamp")]
    await looking.look()
    assert len(said) == 1  # who is not reached proves nothing
    await looking.look()
    assert said[1:] == [(STALE, "")]


async def test_a_child_that_does_not_answer_ends_nothing():
    looking, said = made(TimeoutError(), OSError("no such file"), "rollback: image")
    for _ in range(3):
        await looking.look()
    assert said == [(STALE, "rollback: image")]


async def test_it_looks_within_an_hour_then_daily_and_after_each_job():
    alarms, dice = Alarms(), Lowest()
    looking = Freshness(partial(asyncio.sleep, 0, ""), alarms, dice)
    task = asyncio.create_task(looking.run())
    await alarms.cleared.wait()
    alarms.cleared.clear()
    looking.doubt()
    await alarms.cleared.wait()
    await asyncio.sleep(0)
    assert dice.asked == [(0, FIRST_S), EVERY_S, EVERY_S]
    task.cancel()
