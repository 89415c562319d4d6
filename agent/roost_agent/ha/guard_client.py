"""The agent's side of the guard's socket: one request at a time, each with its answer or an error.

``lost`` is set while there has been no guard for LOST_MS; whoever holds a lease then releases it
(ha.md 7).
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from roost_agent.errors import AgentError
from roost_agent.ports import Clock

log = logging.getLogger(__name__)

WAIT_S: Final = 0.5  # for an answer: the guard does nothing that takes longer
RETRY_S: Final = 0.1  # between two attempts to reach it
LOOK_S: Final = 0.5  # between two questions that only see whether it lives
LOST_MS: Final = 1_000

ANSWER_BYTES_MAX: Final = 64 << 10  # 16 of the guard's packets: a state with every hold
LATE: Final = "late-watchdog"  # our own word: its device bites later than the promises cover
LASTING: Final = frozenset({"no-watchdog", LATE, "cgroup", "full", "state", "bad"})


class GuardError(AgentError):
    """The guard said no, or what it said is not enough.

    Attributes:
        error: one word: times, epoch, expired, dropped, no-watchdog, cgroup, runs, full, state,
            held, biting, bad, late-watchdog.
        detail: a sentence.
    """

    def __init__(self, error: str, detail: str) -> None:
        self.error = error
        self.detail = detail
        super().__init__(f"guard: {error}: {detail}")

    @property
    def lasts(self) -> bool:
        """Whether it would be said of another epoch too."""
        return self.error in LASTING


class GuardGoneError(AgentError):
    """There is no guard, or it does not answer."""


class GuardClient:
    """One connection to the guard, made again whenever it broke.

    Args:
        path: the guard's socket.
        clock: for how long it is gone.
    """

    def __init__(self, path: str, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._sock: socket.socket | None = None
        self._turn = asyncio.Lock()
        self._heard_ms = clock.boot_ms()
        self.lost = asyncio.Event()

    async def run(self, heard: Callable[[dict[str, Any]], object]) -> None:
        """See whether the guard lives and how, until cancelled; sets and clears ``lost``.

        Args:
            heard: takes each of its states.
        """
        try:
            while True:
                try:
                    heard(await self.state())
                    await asyncio.sleep(LOOK_S)
                except GuardGoneError:
                    self._notice()
                    await asyncio.sleep(RETRY_S)
        finally:
            self.close()

    async def arm(  # noqa: PLR0913 - a hold has that many parts
        self,
        lease: str,
        epoch: int,
        deadlines: tuple[int, int, int] | None,
        *,
        cgroups: Sequence[str] = (),
        vips: Sequence[tuple[str, str]] = (),
        hard: bool = False,
    ) -> int:
        """Arm or extend a hold and return the watchdog's time, in ms; 0: there is none.

        Args:
            lease: its name.
            epoch: never lower than before.
            deadlines: D1, D2, D3 of the boot clock; None: sticky.
            cgroups: what is killed at D2; they are there already.
            vips: ``ADDRESS/LENGTH`` and interface of what is removed at D2.
            hard: whether it needs a tested watchdog.

        Raises:
            GuardError: it refused.
            GuardGoneError: it did not answer; the hold may be armed or not.
        """
        d1_ms, d2_ms, d3_ms = deadlines or (None, None, None)
        answer = await self._ask(
            {
                "do": "arm",
                "lease": lease,
                "epoch": epoch,
                "d1_ms": d1_ms,
                "d2_ms": d2_ms,
                "d3_ms": d3_ms,
                "cgroups": list(cgroups),
                "vips": [list(each) for each in vips],
                "hard": hard,
            }
        )
        return int(answer["watchdog_ms"])

    async def stopping(self, lease: str, epoch: int) -> None:
        """Say that a stop has begun: the guard sends no SIGTERM of its own at D1.

        Raises: see arm.
        """
        await self._ask({"do": "stopping", "lease": lease, "epoch": epoch})

    async def disarm(self, lease: str, epoch: int) -> None:
        """End a hold; the guard looks for itself whether all of it has stopped.

        Raises: see arm; ``runs``: it has not.
        """
        await self._ask({"do": "disarm", "lease": lease, "epoch": epoch})

    async def bite(self) -> None:
        """Have the watchdog starve, so that it resets this machine.

        Raises: see arm; ``held``: something runs.
        """
        await self._ask({"do": "bite"})

    async def state(self) -> dict[str, Any]:
        """Return what the guard holds and how it runs.

        Raises:
            GuardGoneError: it did not answer.
        """
        return await self._ask({"do": "state"})

    def close(self) -> None:
        """Close the connection; the next request makes another."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    async def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        async with self._turn:
            try:
                async with asyncio.timeout(WAIT_S):
                    raw = await self._exchange(msgspec.json.encode(request))
                answer = msgspec.json.decode(raw, type=dict[str, Any])
            except (OSError, msgspec.DecodeError) as err:  # a TimeoutError is an OSError
                self.close()
                raise GuardGoneError(f"no guard answers on {self._path}: {err}") from err
            except asyncio.CancelledError:
                self.close()  # its answer would be taken for the next one's
                raise
        self._heard_ms = self._clock.boot_ms()
        if self.lost.is_set():
            log.info("guard: answers again")
            self.lost.clear()
        if not answer.get("ok"):
            raise GuardError(str(answer.get("error")), str(answer.get("detail")))
        return answer

    async def _exchange(self, raw: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        if self._sock is None:
            kind = socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
            self._sock = socket.socket(socket.AF_UNIX, kind)
            await loop.sock_connect(self._sock, self._path)
        await loop.sock_sendall(self._sock, raw)
        answer = await loop.sock_recv(self._sock, ANSWER_BYTES_MAX)
        if not answer:
            raise ConnectionError("it closed the connection")
        return answer

    def _notice(self) -> None:
        gone_ms = self._clock.boot_ms() - self._heard_ms
        if gone_ms > LOST_MS and not self.lost.is_set():
            log.warning("guard: none answers for %s ms", gone_ms)
            self.lost.set()
