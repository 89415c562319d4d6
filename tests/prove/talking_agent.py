"""The agent, and one task more that has something to say: arguments are configuration and journal.

A line is in the journal once its event is on disk: from then on it is a promise. The agent is the
product's own but for its entropy, which draws short waits: kills come faster than its back-off.
"""

import asyncio
import logging
import os
import sys
from pathlib import Path

from roost_agent.config_file import load
from roost_agent.control.server import serving
from roost_agent.control_node import Control
from roost_agent.driver import Driver
from roost_agent.enrolled_node import seal_of
from roost_agent.errors import StorageError
from roost_agent.identity import StateLock, next_identity
from roost_agent.outbox.spool import Batch, Spool
from roost_agent.outbox.store import Entry
from roost_agent.paths.mqtt import MqttDialer, connect_threads
from roost_agent.ports import SystemClock, SystemEntropy
from roost_agent.running import supervise
from roost_agent.survey import Instruments
from roost_agent.wake.child import probe
from roost_protocol.alarm import Event
from roost_protocol.codec import encode
from roost_protocol.envelope import ItemKind, Lane
from roost_protocol.severity import Severity

EVERY_S = 0.02
SHORT = 0.02  # of each wait that is drawn
TYPE = "100.199"  # of what is said here; the agent says others


class QuickEntropy(SystemEntropy):
    """Draws near the lower end."""

    def uniform(self, low: float, high: float) -> float:
        """Return a number near ``low``."""
        return super().uniform(low, low + (high - low) * SHORT)


async def talk(spool: Spool, start: int, journal: Path) -> None:
    """Say one thing after the other on both lanes, and write down what is on disk."""
    file = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    number = 0
    while True:
        number += 1
        text = f"{start}.{number}"
        lane = Lane.ALARM if number % 2 else Lane.BULK
        body = encode(Event(v=1, type=TYPE, severity=Severity.MINOR, text=text))
        entry = Entry(lane, ItemKind.EVENT, 1, body)
        line = f"{text}\n".encode()
        try:
            spool.append(Batch((entry,), {}, then=lambda _lanes, line=line: os.write(file, line)))
        except StorageError:
            number -= 1  # the disk is slow and memory full: nothing was promised
        await asyncio.sleep(EVERY_S)


async def main(config_file: Path, journal: Path) -> None:
    """Run until killed."""
    config = load(config_file)
    lock = StateLock(Path(config.state_dir))
    identity = next_identity(config.node_id, Path(config.state_dir))
    asyncio.get_running_loop().set_default_executor(connect_threads(len(config.paths)))
    clock, entropy = SystemClock(), QuickEntropy()
    spool = Spool(Path(config.state_dir), config.outbox, clock=clock, entropy=entropy)
    driver = Driver(
        config, identity, spool, Instruments(clock, entropy, probe), seal=seal_of(config)
    )
    try:
        async with (
            serving(Path(config.state_dir), Control(driver)),
            asyncio.TaskGroup() as group,
        ):
            group.create_task(supervise(driver, MqttDialer()))
            group.create_task(talk(spool, identity.incarnation, journal))
    finally:
        lock.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
