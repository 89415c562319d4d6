"""The socket of the local API: SOCK_SEQPACKET, one JSON packet each way.

A packet is a request, so no client can leave half of one. Nothing here waits for a client: one
that does not read its answer is cut off, one over its rate is told so and not listened to for a
moment; what it sends meanwhile fills its own socket's buffer.

Who asks is known by the pid that the kernel tells (SO_PEERCRED) and its cgroup: behind
PrivateUsers every foreign uid reads 65534.
"""

import asyncio
import logging
import re
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from roost_agent.alarms.desk import Desk
from roost_agent.alarms.local_message import PACKET_BYTES_MAX, Answer, decode, encode, refused
from roost_agent.alarms.quota import PAUSE_MS, RATE, Quota
from roost_agent.alarms.row import OWNER_CHARS_MAX
from roost_agent.alarms.socket_group import give_to_group
from roost_agent.ports import Clock
from roost_protocol.errors import ProtocolError

log = logging.getLogger(__name__)

CONNECTIONS_MAX: Final = 64
UNIT_CONNECTIONS_MAX: Final = 8
BACKLOG: Final = 64
TURNED_AWAY_S: Final = 0.005  # before the next one is accepted: at most 200 a second
_UCRED: Final = struct.Struct("3i")  # pid, uid, gid

_TOO_FAST: Final = (
    f"more than {RATE:g} requests a second of one application; ask again in {PAUSE_MS} ms"
)
_ODD: Final = re.compile(r"[^A-Za-z0-9._@:/\\-]")  # what may not stand in an entity, or a log

UnitOf = Callable[[int], str]


class _Peer(msgspec.Struct, eq=False):
    """One connection."""

    sock: socket.socket
    unit: str
    task: asyncio.Task[None] | None = None


@asynccontextmanager
async def serving(path: str, desk: Desk, clock: Clock) -> AsyncIterator[None]:
    """Answer applications while the block runs; an empty path is no socket at all."""
    if not path:
        yield
        return
    file = Path(path)
    try:
        listener = _listen(file)
    except OSError as err:
        log.warning("alarms: no local socket at %s, the agent runs without: %s", path, err)
        yield
        return
    try:
        async with asyncio.TaskGroup() as group:
            api = LocalApi(desk, clock, group)
            accepting = group.create_task(api.accept(listener), name="agent.alarms.accept")
            try:
                yield
            finally:
                accepting.cancel()
                api.close()
    finally:
        listener.close()
        _remove(file)


class LocalApi:
    """All connections.

    Args:
        desk: answers the requests.
        clock: for the rates.
        group: holds a task for each connection.
        unit_of: names the unit of a pid.
    """

    def __init__(
        self, desk: Desk, clock: Clock, group: asyncio.TaskGroup, unit_of: UnitOf | None = None
    ) -> None:
        self._desk = desk
        self._clock = clock
        self._group = group
        self._unit_of = unit_of or unit_of_pid
        self._quota = Quota()
        self._peers: list[_Peer] = []

    async def accept(self, listener: socket.socket) -> None:
        """Take connections until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, _ = await loop.sock_accept(listener)
            except OSError as err:  # no descriptors left: they come back
                log.warning("alarms: no connection taken: %s", err)
                await asyncio.sleep(1)
                continue
            sock.setblocking(False)
            unit = self._unit_of(_pid(sock))
            mine = sum(peer.unit == unit for peer in self._peers)
            if mine >= UNIT_CONNECTIONS_MAX or len(self._peers) >= CONNECTIONS_MAX:
                _turn_away(sock, Answer(ok=False, error="busy", detail=_busy(mine)))
                await asyncio.sleep(TURNED_AWAY_S)
                continue
            peer = _Peer(sock, unit)
            self._peers.append(peer)
            peer.task = self._group.create_task(self._serve(peer), name="agent.alarms.peer")

    def close(self) -> None:
        """End all connections."""
        for peer in self._peers:
            if peer.task is not None:
                peer.task.cancel()

    async def _serve(self, peer: _Peer) -> None:
        loop = asyncio.get_running_loop()
        try:
            while raw := await loop.sock_recv(peer.sock, PACKET_BYTES_MAX + 1):
                if not self._quota.take(peer.unit, self._clock.boot_ms()):
                    self._desk.over_quota(peer.unit, f"more than {RATE:g} requests a second")
                    answer = Answer(ok=False, error="rate", detail=_TOO_FAST)
                    if not _send(peer.sock, answer):
                        return
                    await asyncio.sleep(PAUSE_MS / 1000)
                    continue
                if not _send(peer.sock, await self._answer(raw, peer.unit)):
                    return
        except OSError as err:
            log.debug("alarms: a client left: %s", err)
        finally:
            self._peers.remove(peer)
            peer.sock.close()

    async def _answer(self, raw: bytes, unit: str) -> Answer:
        try:
            request = decode(raw)
        except ProtocolError as err:
            return refused(err)
        return await self._desk.answer(request, unit)


def unit_of_pid(pid: int, root: Path = Path("/")) -> str:
    """Return the unit of a process: its cgroup, or its program's name where that is the root."""
    folder = root / "proc" / str(pid)
    group = _first_text(folder / "cgroup")
    lines = [line.split(":", 2) for line in group.splitlines() if line.count(":") >= 2]  # noqa: PLR2004 - id:controllers:path
    paths = [path for _, kinds, path in lines if kinds in {"", "name=systemd"} and path != "/"]
    name = paths[0] if paths else _first_text(folder / "comm").strip()
    return _ODD.sub("_", name.strip("/"))[-OWNER_CHARS_MAX:] or "unknown"


def _first_text(file: Path) -> str:
    try:
        with file.open("rb", buffering=0) as stream:
            return stream.read(PACKET_BYTES_MAX).decode("utf-8", "replace")
    except OSError:
        return ""


def _listen(file: Path) -> socket.socket:
    file.unlink(missing_ok=True)
    kind = socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    listener = socket.socket(socket.AF_UNIX, kind)
    try:
        listener.bind(str(file))
        give_to_group(file)
        listener.listen(BACKLOG)  # nobody connects before the mode is set
    except OSError:
        listener.close()
        raise
    return listener


def _remove(file: Path) -> None:
    with suppress(OSError):
        file.unlink()


def _pid(sock: socket.socket) -> int:
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    pid: int = _UCRED.unpack(raw)[0]
    return pid


def _send(sock: socket.socket, answer: Answer) -> bool:
    """Send a packet if the client takes it now."""
    try:
        sock.send(encode(answer))
    except OSError:
        return False  # it does not read, or is gone: cut off, never waited for
    return True


def _turn_away(sock: socket.socket, answer: Answer) -> None:
    """Say no and close; what was asked already is read, or the answer would be lost with it."""
    with suppress(OSError):
        sock.recv(PACKET_BYTES_MAX)
    _send(sock, answer)
    sock.close()


def _busy(mine: int) -> str:
    if mine >= UNIT_CONNECTIONS_MAX:
        return f"{UNIT_CONNECTIONS_MAX} connections of this application are open; use one of them"
    return f"{CONNECTIONS_MAX} connections are open, which is the most; try again later"
