"""Our own message through a broker and back: tells a fault of ours from one of the fleet.

Each time by a connection of its own, as a node comes: so it is heard whether the broker takes
connections, carries messages, and hands them to us. One that never came back since the broker is
connected proves nothing (a broker's rules may forbid the topic) and is only logged.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

import gmqtt

from roost_central.ingest.config import BrokerAddress
from roost_central.ingest.mqtt import publish_as_guest
from roost_central.ports import Entropy

logger = logging.getLogger(__name__)

EVERY_S: Final = 10.0  # a doubt must be over or founded long before its two minutes are
BACK_S_MAX: Final = 5.0  # there and back, the connection with it
FAILURES_MAX: Final = 2  # in a row: one may be our own hiccup
NONCE_BYTES: Final = 8

Send = Callable[[BrokerAddress, str, bytes], Awaitable[None]]


class Canary:
    """The canary of one broker.

    Args:
        address: of the broker.
        topic: ours alone; whoever hears it gives the payload to ``heard``.
        entropy: of this machine.
        tell: takes whether it is well, at each turn.
        send: publishes one message by a connection of its own.
    """

    def __init__(
        self,
        address: BrokerAddress,
        topic: str,
        *,
        entropy: Entropy,
        tell: Callable[[bool], None],
        send: Send = publish_as_guest,
    ) -> None:
        self._address = address
        self._topic = topic
        self._entropy = entropy
        self._tell = tell
        self._send = send
        self._is_up = asyncio.Event()
        self._waits_for = b""
        self._back = asyncio.Event()
        self._was_back = False  # since the broker is connected
        self._failures = 0

    def up(self) -> None:
        """Note that we hear the broker: from now on it can come back."""
        self._was_back, self._failures = False, 0
        self._is_up.set()

    def down(self) -> None:
        """Note that we do not: nothing can come back, which says nothing new."""
        self._is_up.clear()

    def heard(self, payload: bytes) -> None:
        """Take in what came back."""
        if payload == self._waits_for:
            self._back.set()

    async def run(self) -> None:
        """Go there and back until cancelled."""
        while True:
            await self._is_up.wait()
            is_back = await self._fly()
            if self._is_up.is_set():
                self._note(is_back)
            await asyncio.sleep(EVERY_S)

    def _note(self, is_back: bool) -> None:
        if is_back:
            was_told = self._was_back and self._failures >= FAILURES_MAX
            self._was_back, self._failures = True, 0
            if was_told:
                self._tell(True)
            return
        self._failures += 1
        if self._failures != FAILURES_MAX:
            return
        logger.warning("broker %s: our own messages do not come back", self._address.name)
        if self._was_back:
            self._tell(False)

    async def _fly(self) -> bool:
        """Send one message; return whether it came back in time."""
        self._waits_for = self._entropy.token(NONCE_BYTES)
        self._back.clear()
        try:
            async with asyncio.timeout(BACK_S_MAX):
                await self._send(self._address, self._topic, self._waits_for)
                await self._back.wait()
        except (OSError, TimeoutError, gmqtt.MQTTConnectError) as err:
            logger.debug("broker %s: the canary is not back: %r", self._address.name, err)
            return False
        return True
