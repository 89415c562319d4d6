"""The signer's own record of every signature, on disk before the signature leaves.

One line a row (row.py). So no row can be changed, taken out or put in without all later lines, and
the last hash stands for all.

Invariants:
- a row that ``append`` returned from is on disk; a row whose ``append`` failed is not there;
- a file that does not hold together is refused, never mended, but for a last line without its end:
  that one was never answered for.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from msgspec import structs

from roost_central.errors import ConfigError, StorageUnavailableError
from roost_central.private_file import sync_folder
from roost_central.signer.row import BEGIN, BrokenRecordError, Row, chained, encode_row, read_line

LOG_BYTES_MAX: Final = 1 << 30  # two and a half million signatures; read whole at each start
LINE_BYTES_MAX: Final = 64 << 10
TOLD_BYTES_MAX: Final = 1 << 20  # of lines at once: four such fit into an answer
INDEX_ROWS: Final = 1_000  # the place of every such row is remembered: 40 KiB for a full record


def rows(path: Path) -> Iterator[tuple[Row, str, int]]:
    """Yield each row with its hash and the offset behind it.

    Raises:
        ConfigError: ``log`` with the number of the line that does not follow the one before.
        OSError: it cannot be read.
    """
    previous, offset = BEGIN, 0
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(LINE_BYTES_MAX + 1), b""), 1):
            if not line.endswith(b"\n") and len(line) <= LINE_BYTES_MAX:
                return  # torn: it was never answered for
            try:
                row, previous = read_line(line.removesuffix(b"\n"), number, previous)
            except BrokenRecordError as err:
                raise _broken(path, number) from err
            offset += len(line)
            yield row, previous, offset


class SignatureLog:
    """The end of the file, and what is added there.

    Args:
        path: it is made where it is not there.

    Raises:
        ConfigError: ``log``: it does not hold together.
        OSError: it cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.head = BEGIN
        self.size = 0
        self.revocations: list[Row] = []  # the rows that hold any
        self._places = [0]  # of the rows 1, 1 + INDEX_ROWS ...
        is_new = not path.exists()
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        for row, head, offset in rows(path):
            self._went_on(head, offset)
            if row.revoked:
                self.revocations.append(row)
        os.ftruncate(self._fd, self.size)
        if is_new:
            sync_folder(path.parent)
        self._is_torn = False

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)

    def append(self, rows: Sequence[Row], now_ms: int) -> None:
        """Put rows on disk by one write, with the next numbers and a time.

        Raises:
            StorageUnavailableError: none is there, and nothing may be signed for one.
        """
        if not rows:
            return
        head, lines = self.head, list[tuple[str, bytes]]()
        for number, row in enumerate(rows, self.count + 1):
            raw = encode_row(structs.replace(row, n=number, at_ms=now_ms))
            head = chained(head, raw)
            lines.append((head, f"{head} ".encode() + raw + b"\n"))
        written = b"".join(line for _, line in lines)
        if self.size + len(written) > LOG_BYTES_MAX:
            bound = f"{LOG_BYTES_MAX} bytes: stop it and run `roost-central signer archive`"
            raise StorageUnavailableError("log-full", field=str(self.path), bound=bound)
        if self._is_torn:
            self._mend()
        try:
            self._write(written)
        except OSError as err:
            self._is_torn = True
            raise StorageUnavailableError("log", field=str(self.path), got=err.strerror) from err
        for head, line in lines:
            self._went_on(head, self.size + len(line))

    def lines(self, after: int, limit: int) -> list[str]:
        """Return the lines of the rows past a number, oldest first.

        At most ``limit``, and no more once they have TOLD_BYTES_MAX; one where there is one.

        Raises:
            OSError: they cannot be read.
        """
        if after >= self.count:
            return []
        with self.path.open("rb") as file:
            file.seek(self._places[after // INDEX_ROWS])
            for _ in range(after % INDEX_ROWS):
                file.readline()
            return read_lines(file, min(limit, self.count - after))

    def _went_on(self, head: str, size: int) -> None:
        self.count, self.head, self.size = self.count + 1, head, size
        if self.count % INDEX_ROWS == 0:
            self._places.append(size)

    def _write(self, line: bytes) -> None:
        while line:
            line = line[os.write(self._fd, line) :]
        os.fdatasync(self._fd)

    def _mend(self) -> None:
        """Take away what a failed write left.

        Raises:
            StorageUnavailableError: the disk still refuses.
        """
        try:
            os.ftruncate(self._fd, self.size)
            os.fdatasync(self._fd)
        except OSError as err:
            raise StorageUnavailableError("log", field=str(self.path), got=err.strerror) from err
        self._is_torn = False


def read_lines(file: BinaryIO, limit: int) -> list[str]:
    """Return the next lines: at most ``limit``, and no more once they have TOLD_BYTES_MAX."""
    found, size = [], 0
    for line in islice(file, limit):
        found.append(line.decode().removesuffix("\n"))
        size += len(line)
        if size > TOLD_BYTES_MAX:
            break
    return found


def _broken(path: Path, number: int) -> ConfigError:
    return ConfigError("log", field=f"{path} line {number}", got="a row that does not follow")
