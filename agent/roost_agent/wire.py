"""One path's working end: its queue, its connection, and the probes that are on their way.

Leaves to others: when to connect (paths/core), what to send and what it means (driver).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from roost_agent.errors import LinkError
from roost_agent.paths.core import Answered, Cause, Connected, Event, Lost, PathCore, Sent
from roost_agent.paths.link import Dial, Dialer, Link, Message
from roost_agent.ports import Entropy

log = logging.getLogger(__name__)

QUEUE_MAX: Final = 64  # messages not handed to the connection yet: two lanes in flight, and beats
SENT_MAX: Final = 64  # probes remembered for their round trip


class Outgoing(msgspec.Struct, frozen=True):
    """One message to send; with a ``probe`` the far end's answer proves the path."""

    topic: str
    payload: bytes
    qos: int
    probe: int | None = None


class Wire:
    """Carries one path's messages while there is a connection.

    Args:
        core: the path's state; its owner handles its actions.
        tell: takes the path's events.
        hear: takes what came in.
    """

    def __init__(
        self,
        core: PathCore,
        *,
        tell: Callable[[Event], None],
        hear: Callable[[Message], None],
        entropy: Entropy,
    ) -> None:
        self.core = core
        self.dropped = 0  # messages that found the queue full
        self._tell = tell
        self._hear = hear
        self._entropy = entropy
        self._queue: deque[Outgoing] = deque()
        self._sent_s: dict[int, float] = {}  # probe -> loop time
        self._wanted = asyncio.Event()
        self._queued = asyncio.Event()
        self._emptied = asyncio.Event()
        self._stop: asyncio.Future[str] | None = None

    def connect(self) -> None:
        """Have one attempt made."""
        self._wanted.set()

    def disconnect(self, why: str) -> None:
        """Have the attempt or the connection ended."""
        if self._stop is not None and not self._stop.done():
            self._stop.set_result(why)

    def put(self, message: Outgoing) -> bool:
        """Queue a message; False when there is no room."""
        if len(self._queue) >= QUEUE_MAX:
            self.dropped += 1
            return False
        self._queue.append(message)
        self._queued.set()
        self._emptied.clear()
        return True

    def answered(self, probe: int) -> None:
        """Note that a probe came back."""
        sent_s = self._sent_s.pop(probe, None)
        if sent_s is not None:
            rtt_s = asyncio.get_running_loop().time() - sent_s
            self._tell(Answered(probe, max(round(rtt_s * 1_000_000), 1)))

    async def drained(self) -> None:
        """Return once nothing is queued; for a polite end."""
        if self.core.connected:
            await self._emptied.wait()

    async def run(self, dialer: Dialer, dial: Callable[[], Dial]) -> None:
        """Make connections when told to, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            cause, why = Cause.NETWORK, "ended"
            try:
                await self._attempt(dialer, dial())
            except* LinkError as group:
                err = _first(group)
                cause = Cause.REFUSED if err.refused else Cause.NETWORK
                why = str(err)
            _end_if_cancelled()
            self._queue.clear()
            self._emptied.set()
            self._sent_s.clear()
            self._tell(Lost(cause, why, self._entropy.uniform(0, 1)))

    async def _attempt(self, dialer: Dialer, dial: Dial) -> None:
        self._stop = asyncio.get_running_loop().create_future()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._until_stopped(self._stop), name=f"agent.stop[{dial.path.name}]")
            await self._talk(dialer, dial)  # no task: see _end_if_cancelled

    async def _until_stopped(self, stop: asyncio.Future[str]) -> None:
        raise LinkError(await stop)

    async def _talk(self, dialer: Dialer, dial: Dial) -> None:
        async with dialer.connect(dial) as link:
            self._queue.clear()
            self._tell(Connected())
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(link), name=f"agent.listen[{dial.path.name}]")
                await self._send_all(link, group)

    async def _listen(self, link: Link) -> None:
        async for message in link.messages():
            self._hear(message)
        raise LinkError("the broker closed the connection")

    async def _send_all(self, link: Link, group: asyncio.TaskGroup) -> None:
        while True:
            await self._queued.wait()
            self._queued.clear()
            while self._queue:
                message = self._queue.popleft()
                if message.probe is not None:
                    self._note_sent(message.probe)
                if message.qos:
                    # in flight are at most two lanes of reports and a question: bounded by them
                    group.create_task(self._send(link, message), name="agent.publish")
                    await asyncio.sleep(0)  # paho numbers them in the order they are started
                else:
                    await self._send(link, message)
            self._emptied.set()

    def _note_sent(self, probe: int) -> None:
        while len(self._sent_s) >= SENT_MAX:
            del self._sent_s[next(iter(self._sent_s))]
        self._sent_s[probe] = asyncio.get_running_loop().time()
        self._tell(Sent(probe))

    async def _send(self, link: Link, message: Outgoing) -> None:
        done = await link.publish(message.topic, message.payload, qos=message.qos)
        if message.qos and done and message.probe is not None:
            self.answered(message.probe)


def _end_if_cancelled() -> None:
    """End the task that was told to end while its TaskGroup failed.

    Before Python 3.13 the group then tells of the failure alone, and an agent that was stopped in
    the moment its connection broke would go on for ever (CPython issue 116720). What is counted as
    cancelled is right only where no group of the task fails while it merely waits for its tasks.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _first(group: BaseExceptionGroup[LinkError]) -> LinkError:
    """Return the first error of a group, however deep: one connection ends for one reason."""
    err: BaseException = group
    while isinstance(err, BaseExceptionGroup):
        err = err.exceptions[0]
    assert isinstance(err, LinkError)  # noqa: S101 - except* gave nothing else
    return err
