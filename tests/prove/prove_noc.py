"""Proof: consumers of the NOC's feeds that are slow or dead do not slow ingest, and cost nothing.

Nodes beat and report, some of it alarms that every feed has to tell. By turns all consumers are
well and none takes anything: first the NOC's broker still runs, then it is stopped too.
"""

import asyncio
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
from alarm_scene import select
from broker import Broker
from central_process import CentralProcess
from noc_consumers import Consumers
from proof import Proof
from reporters import Reporter, Reporters, connected
from waiting import STEP_S, until

from roost_central.alarms.row import AlarmRow
from roost_central.northbound.snmp.core import QUEUE_MAX
from roost_protocol.alarm import Alarm, Change
from roost_protocol.beat import Beat, LaneReport, PathKind, PathReport, PathState
from roost_protocol.codec import encode
from roost_protocol.envelope import ItemKind
from roost_protocol.severity import Severity

SITES = 4  # fewer than make an incident, whose members the feeds are not told of
NODES = 40
EVERY_S = 0.4  # one report of each: 100 a second
BEAT_S = 2.0
ALARM_EVERY = 8  # reports: 12.5 alarms a second, which healthy feeds take beside all else
STANDS = 3  # alarms of the node later it is cleared: 9.6 s, so that SNMP tells of both
ALARM = "100.104"
EVENT = "100.101"
ROUNDS = 9  # of a healthy and a sick phase: the machine has moods
PHASE_S = 6.0
RATIO_MAX = 1.2

_alarm = msgspec.msgpack.Decoder(AlarmRow).decode


@dataclass
class AlarmReporter(Reporter):
    """A node of which every ALARM_EVERY-th report is an alarm: by turns one comes, one goes.

    Attributes:
        shift: so many reports earlier than others, that not all raise alarms at a time.
    """

    shift: int = 0
    beats: int = 0

    def events(self, prev: int, count: int) -> bytes:
        """Return what it says next."""
        change = said_of(prev + 1 + self.shift) if count == 1 else None
        if change is None:
            return super().events(prev, count)
        is_raise = change[0] == "raise"
        alarm = Alarm(
            v=1,
            type=ALARM,
            change=Change.RAISE if is_raise else Change.CLEAR,
            severity=Severity.MAJOR if is_raise else Severity.CLEARED,
            entity=change[1],
            text="93 % used" if is_raise else "",
        )
        return self.report(prev, [encode(alarm)], ItemKind.ALARM)

    def beat(self) -> bytes:
        """Return its next beat."""
        self.beats += 1
        beat = Beat(
            v=1,
            node=self.node,
            boot_id=b"b" * 16,
            incarnation=1,
            path="wan1",
            sent_ms=int(time.time() * 1000),
            n=self.beats,
            interval_ms=int(BEAT_S * 1000),
            uptime_s=5,
            agent="0.1.0",
            why="timer",
            paths=[PathReport("wan1", PathKind.WAN, PathState.UP, 0)],
            bulk=LaneReport(self.stream, self.mark),
        )
        return encode(beat)


def said_of(number: int) -> tuple[str, str] | None:
    """Return change and entity of a node's report, its shift included; None: it is no alarm."""
    turn, rest = divmod(number, ALARM_EVERY)
    about = turn if turn % 2 else turn - STANDS
    if rest or about < 1:
        return None
    return ("raise" if turn % 2 else "clear"), f"fs=/{about}"


@dataclass
class Outcome:
    """What a run found: of each round the ratio of the delays, and the longest of the queues."""

    ratios: list[float]
    queues: list[dict[str, int]]
    wrong: list[str]

    @property
    def ratio(self) -> float:
        """Of the sick phase's 99th percentile to the healthy one's."""
        return statistics.median(self.ratios)

    @property
    def longest(self) -> int:
        """Transitions that waited for the consumer that was furthest behind."""
        return max(waiting for queues in self.queues for waiting in queues.values())

    def faults(self, ratio_max: float) -> list[str]:
        """Return what breaks the promise, one line for each."""
        found = list(self.wrong)
        if self.ratio > ratio_max:
            found.append(f"receipts take {self.ratio:.2f} times as long, at most {ratio_max}")
        if self.longest > QUEUE_MAX:
            found.append(f"{self.longest} transitions wait, at most {QUEUE_MAX}")
        return found


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Measure the delays of receipts while consumers are well and while they are sick."""
    rounds = max(1, round(ROUNDS * share))
    outcome = measured(say, rounds, PHASE_S)
    faults = outcome.faults(RATIO_MAX)
    for fault in faults[:10]:
        say(fault)
    yield Proof(
        "noc.slow_consumers",
        runs=rounds,
        failures=len(faults),
        seed=seed,
        note="P19: webhooks read slowly or are not answered, SNMP's port is dead, the NOC's reader "
        "and then its broker are stopped: the 99th percentile of "
        f"{NODES} nodes' receipts is {outcome.ratio:.2f} times that with healthy ones (median of "
        f"the rounds, {min(outcome.ratios):.2f} to {max(outcome.ratios):.2f}; bound {RATIO_MAX}); "
        f"nothing lost; at most {outcome.longest:,} transitions waited (bound {QUEUE_MAX:,})",
    )


def measured(say: Callable[[str], None], rounds: int, phase_s: float) -> Outcome:
    """Run so many rounds of two phases on a broker and a centre of their own."""
    with tempfile.TemporaryDirectory(prefix="roost-noc-") as folder:
        broker = Broker(Path(folder))
        central = CentralProcess(Path(folder), broker.url)
        try:
            broker.start()
            run = _rounds(say, Path(folder), broker, central, rounds=rounds, phase_s=phase_s)
            return asyncio.run(run)
        finally:
            central.kill()
            broker.kill()


async def _rounds(  # noqa: PLR0913 - the parts of a rig
    say: Callable[[str], None],
    folder: Path,
    broker: Broker,
    central: CentralProcess,
    *,
    rounds: int,
    phase_s: float,
) -> Outcome:
    nodes = [AlarmReporter(f"lab{n % SITES}.n{n}", shift=n % ALARM_EVERY) for n in range(NODES)]
    consumers = Consumers(folder, central)
    found = Outcome([], [], [])
    async with (
        consumers.serving(),
        connected(broker.port, nodes) as reporters,
        asyncio.TaskGroup() as group,
    ):
        talks = [group.create_task(_talk(reporters, n, node)) for n, node in enumerate(nodes)]
        talks += [group.create_task(_beat(reporters, n, node)) for n, node in enumerate(nodes)]
        first = STANDS * ALARM_EVERY  # until then nobody has cleared anything
        await until(lambda: all(n.mark > first for n in nodes), "the nodes", seconds=120)
        for number in range(rounds):
            await consumers.recover()
            well = await _phase(nodes, phase_s)
            await asyncio.to_thread(consumers.sicken)
            sick = await _delays(nodes, phase_s / 2)
            consumers.stop_broker()
            sick += await _delays(nodes, phase_s / 2)
            found.queues.append(await consumers.felt())
            found.ratios.append(_p99(sick) / well)
            say(f"round {number + 1}: {well * 1000:.0f} ms well, {_p99(sick) * 1000:.0f} ms sick")
        await consumers.recover()
        while not all(talk.done() for talk in talks):  # what is just done waiting swallows a cancel
            for talk in talks:
                talk.cancel()
            await asyncio.sleep(STEP_S)
        found.wrong = await asyncio.to_thread(_wrong, nodes, central)
    return found


async def _talk(reporters: Reporters, number: int, node: AlarmReporter) -> None:
    """Report now and then, each node at a moment of its own."""
    await asyncio.sleep(EVERY_S * number / NODES)
    await reporters.talk(node, every_s=EVERY_S)


async def _beat(reporters: Reporters, number: int, node: AlarmReporter) -> None:
    await asyncio.sleep(BEAT_S * number / NODES)
    while True:
        await reporters.client.publish(node.topics.beat, node.beat())
        await asyncio.sleep(BEAT_S)


async def _phase(nodes: list[AlarmReporter], seconds: float) -> float:
    return _p99(await _delays(nodes, seconds))


async def _delays(nodes: list[AlarmReporter], seconds: float) -> list[float]:
    """Return what the receipts took, in seconds; those that are due at the end among them."""
    for node in nodes:
        node.delays_s.clear()
    await asyncio.sleep(seconds)
    due = [len(node.delays_s) for node in nodes]
    await until(
        lambda: all(len(node.delays_s) > n for node, n in zip(nodes, due, strict=True)),
        "the receipts that are due",
    )
    return [delay for node in nodes for delay in node.delays_s]


def _p99(delays: list[float]) -> float:
    return statistics.quantiles(delays, n=100)[98]


def _wrong(nodes: list[AlarmReporter], central: CentralProcess) -> list[str]:
    """Return what was receipted and did not take effect, or not once."""
    marks = {node.node: node.mark for node in nodes}  # more receipts come while it is read
    done = _effects(central.data_dir / "roost.db", {node.node: node.shift for node in nodes})
    found = []
    for node in nodes:
        for number in range(1, marks[node.node] + 1):
            times = done[node.node, number]
            if times != 1:
                found.append(f"{node.node}: report {number} took effect {times} times")
    return found


def _effects(database: Path, shifts: dict[str, int]) -> Counter[tuple[str, int]]:
    """Return how often each report of each node took effect, as the centre's database has it."""
    events = select(database, f"SELECT node, text FROM event WHERE type = '{EVENT}'")  # noqa: S608
    done = Counter((node, int(text)) for node, text in events)
    query = f"SELECT event, body FROM alarm_event WHERE type = '{ALARM}'"  # noqa: S608
    for event, body in select(database, query):
        row = _alarm(body)
        if event in {"raise", "clear"}:
            turn = int(row.said.removeprefix("fs=/")) + (STANDS if event == "clear" else 0)
            done[row.reporter, turn * ALARM_EVERY - shifts[row.reporter]] += 1
    return done
