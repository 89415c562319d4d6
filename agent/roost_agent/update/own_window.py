"""The window that a node's own profile gives it: by what root told, who applied it.

It counts whether a plan has a window or not, for no order of the centre lifts it: it moves by
another profile (docs/updates.md). What cannot be read is no open window.

Leaves to others: what is applied (config_apply), whether a window is open (times.py).
"""

import asyncio
from pathlib import Path
from typing import Final

from roost_agent.config_apply import told as tolds
from roost_agent.config_apply.told import Told
from roost_protocol.window import SECTION, Window, window_of

UNREAD: Final = "it has not been read yet"
Stamp = tuple[int, int, int]  # of the file: inode, time of change in ns, size


class OwnWindow:
    """One node's.

    Args:
        folder: into which root tells what is applied here.

    Attributes:
        now: the window; None: no profile gives it any.
        fault: why that is not known; empty: it is.
    """

    def __init__(self, folder: Path) -> None:
        self.now: Window | None = None
        self.fault = UNREAD
        self._folder = folder
        self._stamp: Stamp | None = None

    async def look(self) -> None:
        """Read it again where it was told anew, beside the loop."""
        await asyncio.to_thread(self._look)

    def _look(self) -> None:
        try:
            found = (self._folder / tolds.NAME).stat()
            stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            if stamp == self._stamp:
                return
            self.now = _window(tolds.read(self._folder))
        except FileNotFoundError:  # nothing was ever applied: root tells before an agent starts
            self.now, self.fault, self._stamp = None, "", None
        except (OSError, ValueError, KeyError, TypeError) as err:
            self.now, self.fault, self._stamp = None, str(err) or type(err).__name__, None
        else:
            self.fault, self._stamp = "", stamp


def _window(told: Told | None) -> Window | None:
    """Return the window that is applied; None: none is.

    Raises:
        ValueError: root does not know what is.
        KeyError, TypeError: it is within no schema.
    """
    if told is not None and told.is_unread:
        raise ValueError(told.text)
    return None if told is None else window_of(told.applied.get(SECTION, {}))
