"""What follows a row of the record, also where that was put aside meanwhile.

A record that was put aside stays in the folder, and the next one begins with a row that names its
last hash. So a row is found by its number and its hash wherever it stands, and what follows it goes
on across the files. Invariant: they are only read; who asks goes along the chain (row.py).
"""

from pathlib import Path
from typing import Final

from roost_central.ca import names
from roost_central.signer.log import LINE_BYTES_MAX, SignatureLog, read_lines
from roost_central.signer.row import BEGIN, BEGUN, BrokenRecordError, place_of, read_line

ASIDE: Final = f"{Path(names.LOG).stem}-*{Path(names.LOG).suffix}"  # their names tell their order


class Archives:
    """The records of a folder, the present one last."""

    def __init__(self, folder: Path, log: SignatureLog) -> None:
        self._folder = folder
        self._log = log
        self._told: tuple[str, Path, int] | None = None  # the last row that was, and what it ends

    def past(self, n: int, head: str, limit: int) -> list[str] | None:
        """Return the lines past a row, oldest first, none behind the last; None: it is nowhere.

        Args:
            n: its number; 0: what the very first row follows.
            head: its hash.
            limit: at most so many.

        Raises:
            OSError: they cannot be read.
        """
        aside = sorted(self._folder.glob(ASIDE))
        if n == 0 and head == BEGIN:
            return self._read(aside[0], 0, limit) if aside else self._log.lines(0, limit)
        here = self._log.lines(n - 1, 1) if n else []
        if here and place_of(here[0]).head == head:
            return self._log.lines(n, limit)
        for path in reversed(aside):
            offset = self._behind(path, n, head)
            if offset is not None:
                return self._read(path, offset, limit) or self._next(aside, head, limit)
        return None

    def _behind(self, path: Path, n: int, head: str) -> int | None:
        """Return where a row of a file ends; None: it is not there."""
        if self._told is not None and self._told[:2] == (head, path):
            return self._told[2]
        line, offset = b"", 0
        with path.open("rb") as file:
            for _ in range(n):
                line = file.readline(LINE_BYTES_MAX + 1)
                offset += len(line)
                if not line:
                    return None
        return offset if line.startswith(head.encode()) else None

    def _next(self, aside: list[Path], head: str, limit: int) -> list[str]:
        """Return the lines of the record that was begun behind another."""
        for path in aside:
            with path.open("rb") as file:
                if _follows(file.readline(LINE_BYTES_MAX + 1), head):
                    return self._read(path, 0, limit)
        first = self._log.lines(0, 1)
        return self._log.lines(0, limit) if first and _follows(first[0].encode(), head) else []

    def _read(self, path: Path, offset: int, limit: int) -> list[str]:
        with path.open("rb") as file:
            file.seek(offset)
            lines = read_lines(file, limit)
        if lines:
            size = sum(len(line.encode()) + 1 for line in lines)
            self._told = (place_of(lines[-1]).head, path, offset + size)
        return lines


def _follows(line: bytes, head: str) -> bool:
    """Whether a line begins a record behind the row of a hash."""
    try:
        row, _ = read_line(line.removesuffix(b"\n"), 1, BEGIN)
    except BrokenRecordError:
        return False
    return (row.verb, row.after) == (BEGUN, head)
