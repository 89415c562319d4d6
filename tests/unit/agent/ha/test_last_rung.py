import asyncio
from contextlib import asynccontextmanager

from waiting import until

from roost_agent.ha.last_rung import LastRung


class Reboot:
    """Reboots nothing; notes what it was asked for."""

    def __init__(self, answer=""):
        self.answer = answer
        self.why = []

    async def now(self, why):
        self.why.append(why)
        return self.answer


@asynccontextmanager
async def running(rung):
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        task = group.create_task(rung.run())
        yield
        task.cancel()


async def test_it_waits_until_nothing_runs():
    reboot, rest = Reboot(), []
    rung = LastRung(reboot, lambda: bool(rest), 60)
    async with running(rung):
        rung.ask("db failed")
        rung.ask("web failed")
        await asyncio.sleep(0)
        assert reboot.why == []
        rest.append(1)
        await until(lambda: reboot.why, "it is so")
    assert reboot.why == ["db failed"], "once for both"


async def test_what_does_not_stop_in_time_is_not_waited_for():
    reboot = Reboot()
    rung = LastRung(reboot, lambda: False, 0.01)
    async with running(rung):
        rung.ask("db failed")
        await until(lambda: reboot.why, "it is so")


async def test_a_refusal_is_kept_until_the_next_one_is_done():
    reboot = Reboot("no reboot for db failed: 3 within 1 h already")
    rung = LastRung(reboot, lambda: True, 60)
    async with running(rung):
        rung.ask("db failed")
        await until(lambda: rung.refused == reboot.answer, "it is so")
        reboot.answer = ""
        await until(lambda: not rung._asked.is_set(), "it is so")
        rung.ask("db failed again")
        await until(lambda: len(reboot.why) == 2 and rung.refused == "", "it is so")
