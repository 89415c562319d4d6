"""Runs a status script as the agent's own user, and says what it said where it is not well.

Only what root alone may have written is run: whoever can write to it could speak for the process.
"""

import asyncio
import os
import stat
from pathlib import Path
from typing import Final

from roost_agent import child
from roost_agent.host.processes.unasked import OURS

OUTPUT_BYTES_MAX: Final = 1_024
SHOWN_CHARS_MAX: Final = 120
TOGETHER_MAX: Final = 4
_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


class Scripts:
    """Runs scripts, a few at a time.

    Attributes:
        faults: by script: why it cannot be run now, which says nothing of the process.
    """

    def __init__(self) -> None:
        self.faults: dict[str, str] = {}
        self._turns = asyncio.Semaphore(TOGETHER_MAX)

    async def complaint(self, script: str, argument: str, seconds: float) -> str | None:
        """Return why a process is not well, by its script; empty: it is; None: nobody can ask."""
        self.faults.pop(script, None)
        try:
            return await self._complaint(script, argument, seconds)
        except OSError as err:
            if err.errno not in OURS:
                return f"{script}: {err.strerror}"
            lacks = str(err.strerror)
        except RuntimeError as err:  # no thread more
            lacks = str(err)
        self.faults[script] = f"{script} cannot be run: {lacks}"
        return None

    async def _complaint(self, script: str, argument: str, seconds: float) -> str:
        if why := await asyncio.to_thread(distrust, script):
            return why
        words = [script, argument] if argument else [script]
        try:
            async with self._turns:
                ended = await child.run(words, seconds=seconds, bytes_max=OUTPUT_BYTES_MAX)
        except TimeoutError:
            return f"{script} takes longer than {seconds:g} s"
        if ended.status == 0:
            return ""
        said = (ended.output or ended.complaint).decode("utf-8", "replace").split()
        words_said = f": {' '.join(said)[:SHOWN_CHARS_MAX]}" if said else ""
        return f"{script} ended with status {ended.status}{words_said}"


def distrust(script: str) -> str:
    """Return why a file is not run; empty: root alone can have written it."""
    try:
        real = Path(script).resolve(strict=True)
        for each in (real, *real.parents):
            found = each.stat()
            is_sticky = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
            if found.st_uid not in (0, os.geteuid()):
                return f"{each}: belongs to user {found.st_uid}, must be root's"
            if found.st_mode & _OTHERS and not is_sticky:
                return f"{each}: others may write to it; chmod go-w"
    except OSError as err:
        return f"{script}: {err.strerror}"
    return ""
