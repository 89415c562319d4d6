"""Begins to ask board controllers with the first that a file or the centre names, and not before.

What asks them is code and memory that a node without a controller need not have.
"""

import asyncio
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from roost_agent import child
from roost_agent.errors import ConfigError

if TYPE_CHECKING:
    from roost_agent.bmc.board import Board
    from roost_agent.bmc.service import BoardControllers

TAKE: Final = (sys.executable, "-P", "-m", "roost_agent.bmc.take")
TAKE_S: Final = 60.0  # cryptography at 5 % of a processor, and the disk
OUTPUT_BYTES_MAX: Final = 8_192
TOLD: Final = "boards.json"  # told.FILE, which a node without any does not import

log = logging.getLogger(__name__)

Make = Callable[[tuple["Board", ...]], "BoardControllers"]
Made = Callable[["BoardControllers"], None]


class NotTakenError(Exception):
    """What the centre told is not taken; the text says why, and no password."""


class BoardSeat:
    """One node's.

    Args:
        file: bmc.toml.
        folder: the state directory.
        own: this node's name.
        has_lease: local HA says whose turn it is.
        make: makes what asks controllers.
        made: is told of it.
    """

    def __init__(  # noqa: PLR0913 - the parts of a node that it works with
        self, file: str, folder: Path, own: str, *, has_lease: bool, make: Make, made: Made
    ) -> None:
        self._file, self._folder, self._own = file, folder, own
        self._has_lease = has_lease
        self._make, self._made = make, made
        self._asking: BoardControllers | None = None
        self._begun = asyncio.Event()
        self._taking = asyncio.Lock()

    def begin(self) -> None:
        """Begin where there is any; a file that is wrong costs its controllers, not the agent."""
        if not Path(self._file).exists() and not (self._folder / TOLD).exists():
            return
        try:
            self._define()
        except ConfigError as err:
            log.warning("bmc: no controller is asked: %s", err)

    async def take(self, node_id: str, sealed: bytes) -> str:
        """Keep what the centre sealed for this node, and go by it; say what that is.

        Raises:
            NotTakenError: it is not for this node, makes no sense, or cannot be kept.
        """
        async with self._taking:
            try:
                done = await child.run(
                    (*TAKE, str(self._folder), node_id),
                    seconds=TAKE_S,
                    bytes_max=OUTPUT_BYTES_MAX,
                    given=sealed,
                )
            except (OSError, TimeoutError) as err:
                raise NotTakenError(f"its child did not end: {err}") from err
            if done.status:
                raise NotTakenError(done.why[:300])
            try:
                local = self._define()
            except ConfigError as err:
                raise NotTakenError(str(err)[:300]) from err
        names = done.output.decode(errors="replace").strip()
        said = f"board controllers of the centre: {names}"
        return f"{said}; by {self._file}: {', '.join(local)}" if local else said

    async def run(self) -> None:
        """Ask them, once there is any, until cancelled."""
        await self._begun.wait()
        assert self._asking is not None  # noqa: S101 - it has begun
        await self._asking.run()

    def _define(self) -> list[str]:
        """Go by what lies there; return whose controllers this node's own file names."""
        from roost_agent.bmc.board import load  # noqa: PLC0415 - see the module
        from roost_agent.bmc.told import read_here  # noqa: PLC0415 - see the module

        found = read_here(self._file, self._folder, self._own, has_lease=self._has_lease)
        if self._asking is not None:
            self._asking.redefine(found)
        elif found:
            self._asking = self._make(found)
            self._made(self._asking)
            self._begun.set()
        return [each.node for each in load(self._file)] if Path(self._file).exists() else []
