"""A node's history on a real disk: kept, answered, told."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from waiting import until

from roost_agent.alarms.samples.sampler import Measured
from roost_agent.errors import StorageError
from roost_agent.host.samples import service as services
from roost_agent.host.samples.minutes import Row
from roost_agent.host.samples.ring import BOARDS_FOLDER, Ring
from roost_agent.host.samples.service import ASKS_WAITING_MAX, History
from roost_protocol.codec import Decoder, unpack
from roost_protocol.envelope import ItemKind, SamplesAsk
from roost_protocol.samples import SUMMARY, Samples, unpacked

_decode = Decoder[Samples](Samples).decode


class Clock:
    """Both clocks, turned by hand."""

    def __init__(self):
        self.ms = 0

    def wall_ms(self):
        return self.ms

    def boot_ms(self):
        return self.ms


class Outbox:
    """Takes entries as the spool does."""

    def __init__(self):
        self.lanes = {"bulk": None}
        self.said, self.kinds, self.refuses, self.refused = [], set(), False, 0

    def append(self, batch):
        if self.refuses:
            self.refused += 1
            raise StorageError("full")
        for entry in batch.entries:
            self.kinds.add(entry.kind)
            self.said.append(_decode(unpack(entry.body, compressed=entry.compressed)))


@asynccontextmanager
async def history(folder, *, first_s=1e6):
    clock, outbox = Clock(), Outbox()
    made = History(folder, outbox, clock, lambda: first_s)
    task = asyncio.get_running_loop().create_task(made.run())
    try:
        yield made, clock, outbox
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(services, "ANSWER_MS_MIN", 1)


async def measure(made, clock, minutes):
    for minute in range(minutes + 1):
        clock.ms = minute * 60_000
        made.keep([Measured("cpu", "", float(minute))])
        await until(lambda: not made._rows, "the disk has it")


def asked(number, **more):
    given = {"since_ms": 0, "until_ms": 180_000, "step_s": 60}
    return SamplesAsk(number=number, **given | more)


async def test_who_asks_is_told_once_however_many_paths_the_wish_comes_by(tmp_path):
    async with history(tmp_path) as (made, clock, outbox):
        await measure(made, clock, 3)
        for _ in range(3):
            made.ask(asked(5))
        made.ask(asked(6))
        await until(lambda: outbox.said and outbox.said[-1].ask == 6, "as said")
        said, _ = outbox.said
        assert said.ask == 5
        assert unpacked(said.series[0].mean) == (0.0, 1.0, 2.0)
        assert outbox.kinds == {ItemKind.SAMPLES}


async def test_wishes_are_bounded(tmp_path):
    async with history(tmp_path) as (made, clock, outbox):
        await measure(made, clock, 1)
        for number in range(1, 50):
            made.ask(asked(number))
        await until(lambda: not made._asks, "as said")
        made.ask(asked(99))
        await until(lambda: outbox.said and outbox.said[-1].ask == 99, "as said")
        assert len(outbox.said) <= ASKS_WAITING_MAX + 1


async def test_the_last_hour_is_told_when_its_time_has_come_in_steps_that_have_ended(tmp_path):
    async with history(tmp_path, first_s=65 * 60) as (made, clock, outbox):
        await measure(made, clock, 65)
        made.ask(asked(1))  # whatever is asked meanwhile
        await until(lambda: any(each.ask == SUMMARY for each in outbox.said), "as said")
        said = next(each for each in outbox.said if each.ask == SUMMARY)
        assert (said.since_ms, said.step_s, said.steps) == (0, 600, 6)
        assert len(unpacked(said.series[0].mean)) == 6


async def test_an_outbox_that_takes_nothing_costs_the_answer_alone(tmp_path):
    async with history(tmp_path) as (made, clock, outbox):
        await measure(made, clock, 2)
        outbox.refuses = True
        made.ask(asked(1))
        await until(lambda: outbox.refused, "as said")
        outbox.refuses = False
        made.ask(asked(2))
        await until(lambda: outbox.said, "as said")
        assert outbox.said[0].ask == 2


async def test_a_disk_that_refuses_is_a_fault_until_it_takes_rows_again(tmp_path):
    (tmp_path / "samples").write_text("in the way")
    async with history(tmp_path) as (made, clock, _):
        await measure(made, clock, 2)
        await until(lambda: "minutes are not kept" in made.fault, "as said")
        (tmp_path / "samples").unlink()
        await measure(made, clock, 1)
        await until(lambda: not made.fault, "as said")


async def test_of_a_board_its_own_readings_are_told_and_nothing_of_the_node(tmp_path):
    values = {"temperature|sensor=CPU": (40.0, 41.0, 42.0)}
    Ring(tmp_path / BOARDS_FOLDER / "n2").append(Row(1, values))
    async with history(tmp_path) as (made, clock, outbox):
        await measure(made, clock, 2)
        made.ask(asked(5, board="n2"))
        made.ask(asked(6, board="n3"))
        await until(lambda: outbox.said and outbox.said[-1].ask == 6, "as said")
    of_n2, of_n3 = outbox.said
    assert (of_n2.board, [each.name for each in of_n2.series]) == ("n2", list(values))
    assert (of_n3.board, of_n3.series) == ("n3", [])
