"""The signer's own record of every signature, on disk before the signature leaves.

One line a row: the SHA-256 of the line before and of this row, a space, the row as JSON. So no row
can be changed, taken out or put in without all later lines, and the last hash stands for all.

Invariants:
- a row that ``append`` returned from is on disk; a row whose ``append`` failed is not there;
- a file that does not hold together is refused, never mended, but for a last line without its end:
  that one was never answered for.
"""

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct, structs

from roost_central.errors import ConfigError, StorageUnavailableError
from roost_central.private_file import sync_folder

LOG_BYTES_MAX: Final = 1 << 30  # two and a half million signatures; read whole at each start
LINE_BYTES_MAX: Final = 64 << 10
_HASH_CHARS: Final = 64
BEGIN: Final = "0" * _HASH_CHARS  # what the first line follows


class Row(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What was signed, for whom and on whose word.

    Attributes:
        uid: of the process that asked.
        verb: ``issue``, ``crl``, ``order``, or ``begin`` where an archived file is gone on with.
        n: 1, 2, 3 ...; the log gives it.
        at_ms: UTC; so is this.
        name: of the certificate's holder.
        serial: hexadecimal.
        generation: of a node's certificate, as it was said.
        revoked: what a list newly holds: serial to second.
        order: SHA-256 of an order's bytes.
        after: the last hash of the archived file.
    """

    uid: int
    verb: str
    n: int = 0
    at_ms: int = 0
    kind: str = ""
    name: str = ""
    box: int = 0
    generation: int = 0
    serial: str = ""
    fingerprint: str = ""
    issuer: str = ""
    not_after_s: int = 0
    ca: str = ""
    revoked: dict[str, int] = {}
    key_id: str = ""
    order: str = ""
    after: str = ""


_encode: Final = msgspec.json.Encoder().encode
_decoder: Final = msgspec.json.Decoder(Row)


def chained(previous: str, row: bytes) -> str:
    """Return the hash of a row behind the one before, hexadecimal."""
    return sha256(previous.encode() + row).hexdigest()


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
            digest, _, raw = line.rstrip(b"\n").partition(b" ")
            try:
                row = _decoder.decode(raw)
            except msgspec.MsgspecError as err:
                raise _broken(path, number) from err
            if row.n != number or digest.decode("ascii", "replace") != chained(previous, raw):
                raise _broken(path, number)
            previous, offset = digest.decode(), offset + len(line)
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
        is_new = not path.exists()
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        for row, head, offset in rows(path):
            self.count, self.head, self.size = row.n, head, offset
            if row.revoked:
                self.revocations.append(row)
        os.ftruncate(self._fd, self.size)
        if is_new:
            sync_folder(path.parent)
        self._is_torn = False

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)

    def append(self, row: Row, now_ms: int) -> None:
        """Put a row on disk, with the next number and a time.

        Raises:
            StorageUnavailableError: it is not there, and nothing may be signed for it.
        """
        raw = _encode(structs.replace(row, n=self.count + 1, at_ms=now_ms))
        head = chained(self.head, raw)
        line = f"{head} ".encode() + raw + b"\n"
        size = len(line)
        if self.size + size > LOG_BYTES_MAX:
            bound = f"{LOG_BYTES_MAX} bytes: stop it and run `roost-central signer archive`"
            raise StorageUnavailableError("log-full", field=str(self.path), bound=bound)
        if self._is_torn:
            self._mend()
        try:
            self._write(line)
        except OSError as err:
            self._is_torn = True
            raise StorageUnavailableError("log", field=str(self.path), got=err.strerror) from err
        self.count, self.head, self.size = self.count + 1, head, self.size + size

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


def _broken(path: Path, number: int) -> ConfigError:
    return ConfigError("log", field=f"{path} line {number}", got="a row that does not follow")
