"""The seam between a path and what carries it: MQTT in production, a model in a simulation."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from roost_agent.config import PathConfig


class Dial(msgspec.Struct, frozen=True):
    """What a connection needs besides the way: who we are, what we hear, what we leave behind.

    Attributes:
        source: interface from whose address it comes; empty: as ``path`` says.
        checks_dates: whether this node's clock may decide that the broker's certificate has ended.
    """

    path: PathConfig
    client_id: str
    subscriptions: tuple[str, ...]
    will_topic: str | None
    will: bytes
    checks_dates: bool = True
    source: str = ""


class Message(msgspec.Struct, frozen=True):
    """One message that came in."""

    topic: str
    payload: bytes


class Link(Protocol):
    """One connection to one broker."""

    async def publish(self, topic: str, payload: bytes, *, qos: int) -> bool:
        """Send; for QoS 1 return whether the broker acknowledged in time.

        Raises:
            LinkError: the connection is gone.
        """

    def messages(self) -> AsyncIterator[Message]:
        """Yield what comes in, until LinkError."""


class Dialer(Protocol):
    """Makes connections."""

    def connect(self, dial: Dial) -> AbstractAsyncContextManager[Link]:
        """Connect and subscribe; LinkError when that fails. Leaving it disconnects."""
