"""Which box stands for each node of the site, as ``ha.toml`` says at the moment.

Of the whole file this alone counts without a restart: a box that was stolen or replaced is to be
mute while its site runs on. Whoever writes the file decides; one that cannot be read changes
nothing, and is told.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from roost_agent.errors import ConfigError
from roost_agent.ha.config import HaConfig
from roost_agent.ha.config_file import load

LOOK_S: Final = 2.0  # a dropped box is to be mute within ten seconds

Boxes = Mapping[str, int]  # node to the number of its box

log = logging.getLogger(__name__)


def boxes_of(config: HaConfig) -> Boxes:
    """Return the roster of a site file."""
    return {node.name: node.box for node in config.nodes}


class Roster:
    """Follows the site file.

    Attributes:
        boxes: who belongs to the site now.
        fault: why the file as it is now is not followed, empty where it is.

    Args:
        file: of the site.
        node: this node, which is always of the site.
        boxes: as the file was read at the start.
    """

    def __init__(self, file: Path, node: str, boxes: Boxes) -> None:
        self.boxes = boxes
        self.fault = ""
        self._file = file
        self._node = node
        self._stamp: tuple[int, ...] | None = None  # None: not looked at, it may have changed

    async def run(self, changed: Callable[[], Awaitable[None]]) -> None:
        """Follow it until cancelled; ``changed`` puts the new roster into effect."""
        while True:
            if await self._look():
                await changed()
            await asyncio.sleep(LOOK_S)

    async def _look(self) -> bool:
        """Read the file where it changed; return whether somebody came or went."""
        try:
            found = await asyncio.to_thread(self._read)
        except (OSError, ConfigError) as err:
            self._stamp = None  # read again, whatever it looks like then
            why = f"{self._file}: {err.strerror}" if isinstance(err, OSError) else str(err)
            self._note(why)
            return False
        if found is None:
            return False
        if self._node not in found:
            self._note(f"{self._file}: {self._node}, this node, is not in it any more")
            return False
        self._note("")
        before, self.boxes = self.boxes, found
        for node in before.keys() | found.keys():
            if before.get(node) != found.get(node):
                log.info("ha: %s", _told(node, before.get(node), found.get(node)))
        return before != found

    def _read(self) -> Boxes | None:
        """Return the roster, None where the file is as it was."""
        told = self._file.stat()
        stamp = (told.st_mtime_ns, told.st_size, told.st_ino)
        if stamp == self._stamp:
            return None
        self._stamp = stamp  # before it is read: what is written meanwhile is read next time
        return boxes_of(load(self._file))

    def _note(self, fault: str) -> None:
        if fault and fault != self.fault:
            log.warning("ha: the site goes on as it was: %s", fault)
        self.fault = fault


def _told(node: str, before: int | None, now: int | None) -> str:
    if now is None:
        return f"{node} (box {before}) is dropped from the site"
    if before is None:
        return f"{node} (box {now}) is of the site now; a restart makes it known here"
    return f"{node} is box {now} now, box {before} is dropped"
