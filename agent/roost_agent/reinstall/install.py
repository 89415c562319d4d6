"""Installs a host anew: an image into its board's drive, one boot from it, an empty drive again.

What is ordered of the board is believed when it is read. The act has done its part once the board
has taken bytes of the image and the machine was started with it; that the box is enrolled again
the centre sees. Until the host speaks again, or for HOLD_S, the image stays in the drive.

Invariants:
- one at a time, and never this node itself;
- the name of the host is on the disk before its drive is touched, so that an agent that is killed
  empties it when it is back;
- a failure before the machine was started leaves the drive empty and no boot device chosen;
- a machine is started at most once, within the site's budget of acts by boards.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, Protocol

from roost_agent.bmc.talk import Answer, Power
from roost_agent.reinstall.allowed import is_back
from roost_agent.reinstall.fault import NotInstalledError
from roost_agent.reinstall.left import Left
from roost_agent.reinstall.medium import Lent, Places, address_towards, fetched, lending
from roost_protocol.host_verbs import HostReinstall

MEDIA_S: Final = 240.0  # for an order to the drive: some boards fetch all of the image first
BOARD_S: Final = 60.0  # for any other that the board is asked
TAKEN_S: Final = 300.0  # after the start, until the board has taken something of the image
HOLD_S: Final = 3_600.0  # after it: an installer's hour
LOOK_S: Final = 1.0
ACT_S: Final = 150.0 + 30.0  # as bmc/service.py has it for an act on power

log = logging.getLogger(__name__)


class Budget(Protocol):
    """What may be done to machines of the site."""

    def refusal(self) -> str:
        """Return why there may be no other act now; empty: there may."""


class Boards(Protocol):
    """The controllers that this node reads (bmc/service.py)."""

    @property
    def budget(self) -> Budget:
        """What may be done to machines of the site."""

    def host(self, node: str) -> str:
        """Return where a controller is."""

    async def ask(self, node: str, seconds: float, **said: Any) -> Answer:  # noqa: ANN401 - talk.py
        """Have one thing done by a controller that takes no power."""

    async def act(self, node: str, verb: str, may: Callable[[], str]) -> str:
        """Switch a machine; return why that is not done, empty: it reads so."""

    def begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Have something go on for as long as boards are asked."""


class Reinstall:
    """What this node does of it.

    Args:
        boards: that it reads.
        places: where it has things.
        token: makes what nobody can guess.
        state_of: how a host stands, as ``locked/disabled/online``; empty: unknown.
    """

    def __init__(
        self, boards: Boards, places: Places, token: Callable[[], str],
        state_of: Callable[[str], str],
    ) -> None:  # fmt: skip
        self._boards = boards
        self._places = places
        self._token = token
        self._state_of = state_of
        self._left = Left(boards, places.state_dir)
        self._node = ""  # whose turn it is
        self._is_started = self._leaves = False

    async def do(self, image: HostReinstall, may: Callable[[], str]) -> str:
        """Have a host boot an image, and say so.

        Args:
            image: which host, and which release.
            may: asked before anything is fetched, and right before power is switched; returns why
                it must not be, empty: it may.

        Raises:
            NotInstalledError: it was refused, or not done.
        """
        if self._node:
            raise NotInstalledError("busy", f"{self._node} is being installed anew: one at a time")
        if left := self._left.node:
            self._go_on(self._left.end(left), left)
            text = f"the drive of {left} is emptied first: order it again in a minute"
            raise NotInstalledError("busy", text)
        self._node, self._is_started = image.node, False
        stack = AsyncExitStack()
        stack.callback(self._free)
        try:
            await self._begun(image, may, stack)
        except asyncio.CancelledError:  # out of time, or this agent ends
            self._go_on(self._close(stack), image.node)
            raise
        except BaseException:
            await stack.aclose()
            raise
        self._go_on(self._hold(image.node, stack), image.node)
        what = f"{image.component} {image.version} ({image.digest[:12]})"
        return f"{image.node} was started with {what}, which its board fetches"

    async def _begun(
        self, image: HostReinstall, may: Callable[[], str], stack: AsyncExitStack
    ) -> None:
        """Start the machine with the image, and see that its board fetches it."""
        await self._check(image, may)
        file = await fetched(image, self._places)
        stack.callback(self._left.forget_image)
        lent = await self._inserted(image.node, file, stack)
        await self._start(image.node, may)
        self._is_started = True
        try:
            async with asyncio.timeout(TAKEN_S):
                await lent.taken()
        except TimeoutError:
            text = f"its board took nothing of it in {TAKEN_S:g} s: can it reach {lent.url}?"
            raise NotInstalledError("network", text) from None

    def _go_on(self, work: Coroutine[Any, Any, None], node: str) -> None:
        """Have it come to its end by itself; where this agent ends, the next one puts it away."""
        try:
            self._boards.begin(work, f"agent.reinstall[{node}]")
        except RuntimeError:
            work.close()
            log.warning("reinstall: the drive of %s is emptied by the next agent", node)

    async def _close(self, stack: AsyncExitStack) -> None:
        await stack.aclose()

    async def _check(self, image: HostReinstall, may: Callable[[], str]) -> None:
        """Refuse what would fail later, after gigabytes."""
        if why := may():
            raise NotInstalledError("state", why)
        if why := self._boards.budget.refusal():
            raise NotInstalledError("budget", why)
        drive = await self._asked(image.node, BOARD_S, do="media", media="status")
        if drive.media:
            todo = f"`roost-agent bmc media {image.node} eject` first"
            raise NotInstalledError("drive", f"its drive holds {drive.media}: {todo}")

    async def _inserted(self, node: str, file: Path, stack: AsyncExitStack) -> Lent:
        """Lend the image, and have the drive hold it; the stack has how that is undone."""
        address = await address_towards(self._boards.host(node))
        seconds = HOLD_S + TAKEN_S + ACT_S + 2 * MEDIA_S + 2 * BOARD_S
        lent = await stack.enter_async_context(lending(file, address, self._token(), seconds))
        try:
            self._left.keep(node)
        except OSError as err:
            raise NotInstalledError("disk", f"it cannot be noted: {err.strerror}") from err
        stack.push_async_callback(self._put_back, node)
        await self._asked(node, MEDIA_S, do="media", media="insert", image=lent.url)
        await self._asked(node, BOARD_S, do="boot", device="cdrom", once=True)
        return lent

    async def _start(self, node: str, may: Callable[[], str]) -> None:
        power = (await self._asked(node, BOARD_S, do="test")).power
        verb = "power-on" if power is Power.OFF else "reset"
        if why := await self._boards.act(node, verb, may):
            code = why.partition(":")[0]
            raise NotInstalledError(code if code in {"unconfirmed", "budget"} else "bmc", why)

    async def _asked(self, node: str, seconds: float, **said: Any) -> Answer:  # noqa: ANN401 - talk
        answer = await self._boards.ask(node, seconds, **said)
        if answer.fault:
            code = "not-supported" if answer.fault == "unsupported" else str(answer.fault)
            raise NotInstalledError(code, answer.why)
        return answer

    async def _put_back(self, node: str) -> None:
        """Empty the drive; choose no boot device where the machine was not started."""
        if self._leaves:
            return
        if not self._is_started:
            await self._left.unset(node)
        await self._left.end(node)

    async def _hold(self, node: str, stack: AsyncExitStack) -> None:
        """Leave the image where it is until the host speaks again, or its hour is over."""
        async with stack:
            try:
                if not await self._spoke(node):
                    log.warning("reinstall: %s does not speak after %g s", node, HOLD_S)
            except asyncio.CancelledError:
                self._leaves = True  # this agent ends now; the next one empties the drive
                raise

    async def _spoke(self, node: str) -> bool:
        """Wait until a host was away and speaks again; say whether it does."""
        states: list[str] = []
        for _ in range(round(HOLD_S / LOOK_S)):
            state = self._state_of(node)
            if not states or states[-1] != state:
                states = [*states[-2:], state]
            if is_back(states):
                return True
            await asyncio.sleep(LOOK_S)
        return False

    def _free(self) -> None:
        self._node = ""
