"""What an act of an order is: a function, how long it may take, and what a restart made of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from roost_agent.control.message import Answer, HaRequest
from roost_agent.orders.memory import Taken
from roost_protocol.order import Order

if TYPE_CHECKING:
    from roost_agent.host.act import Wanted
    from roost_protocol.host_verbs import HostReinstall


class Node(Protocol):
    """What acts work with; never the driver itself."""

    @property
    def boot_id(self) -> bytes:
        """Of the kernel, 16 bytes."""

    @property
    def generation(self) -> int:
        """Of this node's identity."""

    async def look(self, classes: list[str]) -> str:
        """Discover the hardware, all of it where no class is named; return what came of it.

        Raises:
            ActError: it was not discovered.
        """

    @property
    def has_ha(self) -> bool:
        """Whether it takes part in local HA."""

    def say_again(self, what: str) -> None:
        """Tell the centre again in full: ``alarms`` or ``inventory``."""

    def ask_ha(self, request: HaRequest) -> Answer:
        """Have local HA do what a person on the node may ask of it."""

    async def renew(self) -> None:
        """Take the next identity; the agent starts anew after it.

        Raises:
            ActError: there is none.
        """

    async def reboot(self, reason: str, nonce: str) -> None:
        """Have the helper restart the machine.

        Raises:
            ActError: it refused, or there is no helper.
        """

    @property
    def settings_digest(self) -> str:
        """Of the settings that are applied, in hexadecimal digits."""

    @property
    def settings_tried(self) -> str:
        """Digest of the settings that are being tried, in hexadecimal digits; empty: of none."""

    async def act_on_host(self, wanted: "Wanted", node: str, nonce: str) -> str:
        """Do an act on this host; say what came of it.

        Args:
            wanted: which.
            node: the host that is meant, by its name in the site.
            nonce: of the order.

        Raises:
            ActError: it was refused, or not done.
        """

    async def act_on_board(self, node: str, verb: str, *, expect: str, force: bool) -> str:
        """Have a host's board controller do something to its power; say what came of it.

        Args:
            node: the host, by its name in the site.
            verb: ``reset``, ``power-on``, ``power-off`` or ``power-cycle``.
            expect: the state that it was decided on; empty: any.
            force: also a host that serves.

        Raises:
            ActError: it was refused, or is not read to be done.
        """

    async def reinstall(self, given: "HostReinstall") -> str:
        """Have another host boot the image of a release, by its board's drive; say so.

        Raises:
            ActError: it was refused, or the machine was not started with it.
        """

    async def take_boards(self, sealed: bytes) -> str:
        """Know the board controllers that the centre sealed for this node; say which.

        Raises:
            ActError: they are not for this node, make no sense, or cannot be kept.
        """

    async def test_board(self, node: str) -> str:
        """Reach a host's board controller, and say who it is.

        Raises:
            ActError: what is wrong with it; ``code`` is the fault's kind.
        """

    async def relearn_board(self, node: str) -> str:
        """Forget what was learned of a host's board controller; say who it is now.

        Raises:
            ActError: what is wrong with it, as above; it is learned when it answers.
        """

    async def host_went_on(self, verb: str) -> str:
        """Return what came of an act on this host that ran when the agent ended.

        Raises:
            ActError: it was not done.
        """

    async def configure(self, placed: "Placed", digest: str) -> str:
        """Have the settings of an order applied, the document of this digest; say how it went.

        Raises:
            ActError: they are not; ``code`` is root's word.
            LaterError: they wait for the node's window.
        """

    async def take_update(self, job: str, attempt: int, body: bytes) -> str:
        """Take a software update up, the offer in the body of its order; say how.

        Raises:
            ActError: it is not taken, ``rejected`` with when it could be.
        """

    async def cancel_update(self, job: str) -> str:
        """Give a software update up; say how.

        Raises:
            ActError: it is not known, has ended, or is past its commit.
        """

    def has_update(self, job: str, attempt: int) -> bool:
        """Say whether the journal has a job."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An order, and the SignedOrder that it came in: for whom must check it again."""

    order: Order
    message: bytes


class ActError(Exception):
    """It was not done; ``code`` is a word for programs, the text a sentence."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class LaterError(Exception):
    """It was taken up and comes to its end by itself; ``code`` is a word, the text a sentence."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Handler:
    """One verb.

    Attributes:
        act: does it, given the verb's class of order_verbs.py; returns a sentence.
        seconds: how long it may take.
        resumed: says in a sentence that it was done, where the agent ended meanwhile; it raises
            ActError where it was not, LaterError where that is still to come, and is None where
            nobody can know.
        goes_on: as ``resumed``, of what this agent goes on with: it waits for the end.
    """

    verb: str
    act: Callable[[Any, Placed, Node], Awaitable[str]]
    seconds: float
    resumed: Callable[[Taken, Node], str] | None = None
    goes_on: Callable[[Taken, Node], Awaitable[str]] | None = None
