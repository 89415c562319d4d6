"""A short life of an outbox, for a disk that refuses: ``FOLDER JOURNAL FIRST``.

Opens it, says a few things, moves marks, begins a new stream, closes it; twice, so that the log is
written back and an outbox that is there already is opened too. A line is in the journal once what
it names is on disk. At the end it prints how often the agent said that the disk refuses. It is the
product's own spool, store and SQLite; only its waits are short.
"""

import asyncio
import logging
import os
import sys
from pathlib import Path

from roost_agent.config import OutboxConfig
from roost_agent.outbox.core import Fetch, Restart, SetMark
from roost_agent.outbox.spool import Batch, Spool
from roost_agent.outbox.store import Entry
from roost_agent.ports import SystemClock, SystemEntropy
from roost_protocol.envelope import ItemKind, Lane

LIMITS = OutboxConfig(
    bytes_max=1 << 30, age_max_ms=1 << 40, ring_bytes_max=1 << 30, ring_age_max_ms=1 << 40
)
LIVES = 2
BATCHES = 4
BODY_BYTES = 3_000  # nearly a page each
SHORT = 0.01


class QuickEntropy(SystemEntropy):
    """Draws short waits: what counts here is calls, not seconds."""

    def uniform(self, low: float, high: float) -> float:
        """Return a number far below ``low``."""
        return super().uniform(low, high) * SHORT


class Told(logging.Handler):
    """Counts how often the outbox said that it is read-only."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count it."""
        self.times += "read-only" in record.msg


async def live(folder: Path, number: int, journal: int) -> None:
    """Run one life of the outbox."""
    spool = Spool(folder, LIMITS, clock=SystemClock(), entropy=QuickEntropy())
    await spool.open()
    async with asyncio.TaskGroup() as group:
        work = group.create_task(spool.run(lambda _event: None))
        for batch in range(BATCHES):
            written = asyncio.Event()
            texts = [f"{number}.{batch}.{lane.value}" for lane in Lane]
            bodies = [text.encode().ljust(BODY_BYTES) for text in texts]
            entries = tuple(
                Entry(lane, ItemKind.EVENT, 1, body)
                for lane, body in zip(Lane, bodies, strict=True)
            )
            lines = "".join(f"{text}\n" for text in texts).encode()

            def on_disk(_lanes: object, lines: bytes = lines, it: asyncio.Event = written) -> None:
                os.write(journal, lines)
                it.set()

            spool.append(Batch(entries, {"note": lines}, then=on_disk))
            await written.wait()
            spool.do(SetMark(Lane.ALARM, spool.lanes[Lane.ALARM].last - 1, b"e" * 8))
        stream = spool.lanes[Lane.BULK].stream
        spool.do(Fetch(Lane.BULK, 0))
        spool.do(Restart(Lane.BULK, 0))
        while spool.lanes[Lane.BULK].stream == stream:  # noqa: ASYNC110 - looks from outside
            await asyncio.sleep(SHORT)
        work.cancel()
    await spool.close()


async def main(folder: Path, journal_file: Path, first: int) -> None:
    """Run all lives."""
    journal = os.open(journal_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in range(LIVES):
        await live(folder, first + number, journal)


if __name__ == "__main__":
    told = Told()
    logging.getLogger("roost_agent").addHandler(told)
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
    print(told.times)
