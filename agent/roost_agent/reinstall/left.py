"""What a reinstall leaves at a board and on this disk, and how it is put away.

``reinstall.json`` of the state directory names the host whose drive may hold an image of ours. An
agent that begins and finds it empties that drive, since what lent the image ended with the last.
"""

import asyncio
import logging
import shutil
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from roost_agent.bmc.talk import Answer
from roost_agent.durable import replace_file

FILE: Final = "reinstall.json"
FOLDER: Final = "reinstall"
BYTES_MAX: Final = 1_024
BOARD_S: Final = 90.0  # for the drive to read empty
EJECTS: Final = 5  # tries, AGAIN_S apart: a board may be busy with its machine's start
AGAIN_S: Final = 60.0

log = logging.getLogger(__name__)


class Asking(Protocol):
    """Who asks boards."""

    async def ask(self, node: str, seconds: float, **said: Any) -> Answer:  # noqa: ANN401 - talk.py
        """Have one thing done by a controller that takes no power."""

    def begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Have something go on for as long as boards are asked."""


class _Kept(msgspec.Struct, frozen=True):
    node: str


class Left:
    """One node's.

    Args:
        boards: who asks them.
        folder: the state directory.
    """

    def __init__(self, boards: Asking, folder: Path) -> None:
        self._boards = boards
        self._folder = folder

    @property
    def node(self) -> str:
        """The host whose drive may hold an image of ours, as the disk says; empty: none."""
        return _read(self._folder / FILE)

    def keep(self, node: str) -> None:
        """Have a host's name on the disk; OSError: it is not there, so nothing must be done."""
        replace_file(self._folder / FILE, msgspec.json.encode(_Kept(node)))

    async def unset(self, node: str) -> None:
        """Have a machine's next boot be its usual one."""
        answer = await self._boards.ask(node, BOARD_S, do="boot", device="none", once=True)
        if answer.fault:
            log.warning("reinstall: the next boot of %s: %s", node, answer.why)

    async def end(self, node: str) -> None:
        """Empty the drive, over a few tries; the name stays on the disk where it stays full."""
        for left in range(EJECTS - 1, -1, -1):
            answer = await self._boards.ask(node, BOARD_S, do="media", media="eject")
            if not answer.fault:
                (self._folder / FILE).unlink(missing_ok=True)
                return
            log.warning("reinstall: the drive of %s is not empty: %s", node, answer.why)
            if left:
                await asyncio.sleep(AGAIN_S)

    def forget_image(self) -> None:
        """Remove the image; what was fetched of one that is not whole stays, to be gone on with."""
        shutil.rmtree(self._folder / FOLDER / "image", ignore_errors=True)

    async def put_away(self) -> None:
        """Do what the agent before this one left undone."""
        self.forget_image()
        if node := self.node:
            await self.unset(node)
            await self.end(node)


def _read(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return msgspec.json.decode(stream.read(BYTES_MAX), type=_Kept).node
    except FileNotFoundError:
        return ""
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as err:
        log.warning("reinstall: %s is not readable: look at the drives of the site: %s", file, err)
        return ""
