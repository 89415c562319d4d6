"""The demo's brokers: Mosquitto where it is installed, else amqtt, each on a loopback port."""

import asyncio
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from roost_central.brokers.mosquitto import mosquitto, user_line
from roost_central.demo.children import Child, ChildFailedError, Command
from roost_central.ports import Clock
from roost_protocol.limits import MESSAGE_BYTES_MAX

READY_S = 10.0
TRIES = 3  # a free port may be taken before the broker has it
POLL_S = 0.05

_CONFIG = """\
# Written by roost demo. Plaintext and anonymous: it listens on loopback only.
listener {port} {host}
allow_anonymous true
persistence false
set_tcp_nodelay true
max_packet_size {packet}
max_queued_messages 20000
max_inflight_messages 1000
log_type error
log_type warning
{user}"""


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker."""

    name: str
    host: str
    port: int
    child: Child

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"mqtt://{self.host}:{self.port}"


async def start_broker(name: str, host: str, *, folder: Path, clock: Clock) -> Broker:
    """Start a broker and wait until it answers.

    Raises:
        ChildFailedError: it did not answer within READY_S, TRIES times.
    """
    last = ""
    for _ in range(TRIES):
        port = free_port(host)
        child = Child(_command(name, host, port, folder), logs=folder, clock=clock)
        await child.start()
        if await answers(host, port):
            return Broker(name, host, port, child)
        await child.stop()
        last = child.tail()
    raise ChildFailedError(f"broker {name} does not answer on {host}:\n{last}")


def free_port(host: str) -> int:
    """Return a port of ``host`` that nobody listens on now."""
    with socket.create_server((host, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


async def answers(host: str, port: int, *, within_s: float = READY_S) -> bool:
    """Whether somebody accepts connections within the time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while True:
                with suppress(OSError):
                    _, writer = await asyncio.open_connection(host, port)
                    writer.close()
                    return True
                await asyncio.sleep(POLL_S)
    return False


def _command(name: str, host: str, port: int, folder: Path) -> Command:
    program = mosquitto()
    if program is None:
        module = "roost_central.demo.amqtt_broker"
        return Command(name, (sys.executable, "-m", module, host, str(port)))
    # As root Mosquitto would become its own user and lose the tie to the demo (prctl(2)).
    path = folder / f"{name}.conf"
    path.write_text(
        _CONFIG.format(host=host, port=port, packet=MESSAGE_BYTES_MAX + 1024, user=user_line())
    )
    return Command(name, (program, "-c", str(path)))
