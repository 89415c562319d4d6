"""Reads small files below one root, bounded, and turns every OS error into a reason.

Leaves the meaning of a file to the probe. With another ``root`` the same probes read the tree of
another machine, which is how they are tested.

Invariants: nothing outside the root is opened through ``..`` or an absolute path (a symbolic link
of sysfs is resolved by the kernel and stays below the root, since sysfs links are relative);
no read is longer than its limit; no OSError leaves this module.
"""

import errno
import os
import stat
from collections.abc import Iterator
from typing import Final

from roost_agent.discovery.section import (
    ABSENT,
    BUSY,
    DENIED,
    IO_ERROR,
    TOO_BIG,
    UNSUPPORTED,
    Missing,
)

READ_BYTES_MAX: Final = 1 << 20  # the largest file read whole: /proc/cpuinfo of 512 threads
ENTRIES_MAX: Final = 20_000  # directory entries: 10,000 interfaces and a margin
NUMBER_BYTES_MAX: Final = 64  # an integer attribute: 64 bits in any radix, and a margin
_CHUNK_BYTES: Final = 1 << 16  # of one read(2): sysfs gives a page, procfs up to this

_REASONS: Final = {
    errno.ENOENT: ABSENT,
    errno.ENODEV: ABSENT,
    errno.ENOTDIR: ABSENT,
    errno.EACCES: DENIED,
    errno.EPERM: DENIED,
    errno.EAGAIN: BUSY,
    errno.EBUSY: BUSY,
    errno.EINVAL: UNSUPPORTED,
    errno.EOPNOTSUPP: UNSUPPORTED,
}


def reason_of(err: OSError) -> str:
    """Return the reason that stands for an OS error."""
    return _REASONS.get(err.errno or 0, IO_ERROR)


class Reader:
    """Reads below ``root``; paths are relative to it and written without a leading slash.

    Args:
        root: the machine's, or a tree of another one.
        lent: where copies of files lie that this user is denied, by the same paths; it may be
            absent (``roost_agent.helper.facts``).
    """

    def __init__(self, root: str = "/", lent: str = "") -> None:
        self.root = root
        self._root_fd = os.open(root, os.O_PATH | os.O_DIRECTORY)
        self._lent = lent

    @property
    def is_live(self) -> bool:
        """Whether this is the running machine, so that netlink and ioctl may be asked too."""
        return os.path.samestat(os.fstat(self._root_fd), os.stat("/"))  # noqa: PTH116

    def close(self) -> None:
        """Give the root's descriptor back."""
        os.close(self._root_fd)

    def raw(self, path: str, limit: int = READ_BYTES_MAX) -> bytes | Missing:
        """Return the bytes of a regular file, at most ``limit``; longer is Missing(too-big)."""
        fd = self._open(path)
        if isinstance(fd, Missing):
            return fd
        try:
            chunks, left = [], limit + 1
            while left > 0 and (chunk := os.read(fd, min(left, _CHUNK_BYTES))):
                chunks.append(chunk)
                left -= len(chunk)
        except OSError as err:
            return Missing(reason_of(err))
        finally:
            os.close(fd)
        return b"".join(chunks) if left > 0 else Missing(TOO_BIG)

    def paragraphs(self, path: str, limit: int) -> Iterator[bytes | Missing]:
        """Yield the parts of a file between blank lines, without holding the whole file.

        A Missing comes last, and only when the rest could not be read; one paragraph is at most
        READ_BYTES_MAX, the file at most ``limit``.
        """
        fd = self._open(path)
        if isinstance(fd, Missing):
            yield fd
            return
        try:
            held = b""
            while chunk := os.read(fd, _CHUNK_BYTES):
                *whole, held = (held + chunk).split(b"\n\n")
                yield from whole
                limit -= len(chunk)
                if limit < 0 or len(held) > READ_BYTES_MAX:
                    yield Missing(TOO_BIG)
                    return
            yield held
        except OSError as err:
            yield Missing(reason_of(err))
        finally:
            os.close(fd)

    def text(self, path: str, limit: int = READ_BYTES_MAX) -> str | Missing:
        """Return a file as text, stripped; bytes that are not UTF-8 become U+FFFD."""
        raw = self.raw(path, limit)
        return (
            raw if isinstance(raw, Missing) else raw.decode("utf-8", "replace").strip("\0 \t\r\n")
        )

    def number(self, path: str, *, radix: int = 10) -> int | Missing:
        """Return a file that holds one integer; anything else is Missing(unsupported)."""
        text = self.text(path, limit=NUMBER_BYTES_MAX)
        if isinstance(text, Missing):
            return text
        if not text.isascii() or "_" in text:  # int() reads both, the kernel writes neither
            return Missing(UNSUPPORTED)
        try:
            return int(text, radix)
        except ValueError:
            return Missing(UNSUPPORTED)

    def count(self, path: str) -> int | Missing:
        """Return a number that cannot be negative; the kernel's -1 is Missing(unsupported)."""
        number = self.number(path)
        return Missing(UNSUPPORTED) if isinstance(number, int) and number < 0 else number

    def names(self, path: str) -> list[str] | Missing:
        """Return the sorted entry names of a directory, at most ENTRIES_MAX."""
        try:
            fd = os.open(
                self._inside(path),
                os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC,
                dir_fd=self._root_fd,
            )
        except OSError as err:
            return Missing(reason_of(err))
        try:
            names = os.listdir(fd)  # noqa: PTH208 - pathlib has no listing of a descriptor
        except OSError as err:
            return Missing(reason_of(err))
        finally:
            os.close(fd)
        return sorted(names) if len(names) <= ENTRIES_MAX else Missing(TOO_BIG)

    def link(self, path: str) -> str | Missing:
        """Return the target of a symbolic link, as written."""
        try:
            return os.readlink(self._inside(path), dir_fd=self._root_fd)
        except OSError as err:
            return Missing(reason_of(err))

    def exists(self, path: str) -> bool:
        """Whether the path can be reached below the root."""
        try:
            os.stat(self._inside(path), dir_fd=self._root_fd)
        except OSError:
            return False
        return True

    def is_lent(self, path: str) -> bool:
        """Whether a copy of a file was lent that this user may read."""
        return bool(self._lent) and os.access(f"{self._lent}/{self._inside(path)}", os.R_OK)

    def _open(self, path: str) -> int | Missing:
        """Return a descriptor of a regular file.

        O_NONBLOCK: a FIFO planted in a tree must not hang the probe at open.
        """
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            fd = os.open(self._inside(path), flags, dir_fd=self._root_fd)
        except PermissionError as err:
            if not self._lent:
                return Missing(reason_of(err))
            try:
                fd = os.open(f"{self._lent}/{path}", flags)
            except OSError:  # not lent: then it is as it was
                return Missing(reason_of(err))
        except OSError as err:
            return Missing(reason_of(err))
        if stat.S_ISREG(os.fstat(fd).st_mode):
            return fd
        os.close(fd)
        return Missing(UNSUPPORTED)

    @staticmethod
    def _inside(path: str) -> str:
        """Refuse a path that would leave the root: a programmer's error."""
        if path.startswith("/") or ".." in path.split("/"):
            raise ValueError(f"path {path!r} leaves the root")
        return path
