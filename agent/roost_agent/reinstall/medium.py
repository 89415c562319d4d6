"""The image on its way to the board: fetched by one child, lent by another that ends with us."""

import asyncio
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from roost_agent import child
from roost_agent.reinstall.fault import NotInstalledError
from roost_protocol.host_verbs import HostReinstall

FETCH_S: Final = 7_200.0  # 4 GiB at 5 Mbit/s
FETCH_BYTES_MAX: Final = 4_096  # of what that child prints
START_S: Final = 30.0  # until a child lends: half a second, at 5 % of a processor
LEND: Final = (sys.executable, "-P", "-m", "roost_agent.reinstall.lend")
FOLDER: Final = "reinstall"  # of the state directory: image and blob
DISCARD: Final = 9  # a port that nothing is sent to: the route is asked, not the board


@dataclass(frozen=True, slots=True)
class Places:
    """Where this node has things, and where releases come from (config_updates.py)."""

    state_dir: Path
    trust: str
    source: str


class Lent:
    """An image that is lent, by a child."""

    def __init__(self, url: str, process: Process) -> None:
        self.url = url
        self._process = process

    async def taken(self) -> None:
        """Wait until somebody has taken bytes of it."""
        if not await _number(self._process):
            raise NotInstalledError("network", "the child that lends the image has ended")


async def fetched(image: HostReinstall, places: Places) -> Path:
    """Return the file of an image, which order and image repository both name.

    Raises:
        NotInstalledError: ``image``: why not.
    """
    given = {
        "component": image.component, "version": image.version, "digest": image.digest,
        "length": image.length, "source": places.source, "state-dir": places.state_dir,
        "trust-dir": places.trust, "into": places.state_dir / FOLDER,
    }  # fmt: skip
    words = [f"--{name}={value}" for name, value in given.items()]
    try:
        done = await child.run(
            [sys.executable, "-m", "roost_agent", "fetch-image", *words],
            seconds=FETCH_S, bytes_max=FETCH_BYTES_MAX,
        )  # fmt: skip
    except TimeoutError:
        text = f"it was not fetched within {FETCH_S:g} s; what came is gone on with"
        raise NotInstalledError("image", text) from None
    except OSError as err:
        text = f"the child that fetches it did not begin: {err.strerror}"
        raise NotInstalledError("image", text) from err
    if done.status:
        raise NotInstalledError("image", done.why[:300] or f"its child ended with {done.status}")
    return Path(msgspec.json.decode(done.output)["file"])


async def address_towards(host: str) -> str:
    """Return the address of this node by which a board reaches it, as the route to it says.

    Raises:
        NotInstalledError: ``network``: there is no route.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, DISCARD, type=socket.SOCK_DGRAM)
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=(str(found[0][4][0]), DISCARD)
        )
    except OSError as err:
        raise NotInstalledError("network", f"no way to {host}: {err.strerror or err}") from err
    name = str(transport.get_extra_info("sockname")[0])
    transport.close()
    return name


@asynccontextmanager
async def lending(file: Path, address: str, token: str, seconds: float) -> AsyncIterator[Lent]:
    """Lend a file while the context lasts, for ``seconds`` at the most.

    Raises:
        NotInstalledError: ``network``: it cannot be lent there.
    """
    path = f"/{token}/image.iso"
    process = await asyncio.create_subprocess_exec(
        *LEND, str(file), address, path, str(seconds), stdin=PIPE, stdout=PIPE, stderr=DEVNULL,
        start_new_session=True, env=child.environment(),
    )  # fmt: skip
    try:
        port = await _begun(process)
        if not port:
            text = f"the child that lends the image cannot at {address}"
            raise NotInstalledError("network", text)
        host = f"[{address}]" if ":" in address else address
        yield Lent(f"http://{host}:{port}{path}", process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _begun(process: Process) -> int:
    """Return the port that a child lends at; 0: it does not."""
    try:
        async with asyncio.timeout(START_S):
            return await _number(process)
    except TimeoutError:
        return 0


async def _number(process: Process) -> int:
    """Return the next number that a child says; 0: it has ended."""
    assert process.stdout is not None  # noqa: S101 - it was asked for
    line = await process.stdout.readline()
    return int(line) if line.strip().isdigit() else 0
