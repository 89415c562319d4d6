"""A disk that loses power: SQLite's files as they are after a cut at any moment.

APSW brings its own SQLite and lets Python be its file system. Files live in a real folder (on
tmpfs, so that shared memory and locks are the real ones); beside each the disk keeps what is
*durable*: its content at the last ``fsync``, and every write since. After a cut each sector of 512
bytes holds one of the versions that were written since that ``fsync``, or the one before them;
the length is any that the file had; a file that was never synced, or whose removal was not, is
there or not. That is more than real disks do, and what SQLite promises to survive.

Shared memory (``-shm``) is no file of the disk: it is gone after a cut, as after a reboot.
"""

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import apsw
from apsw_driver import Connection

SECTOR: Final = 512


class PowerCutError(Exception):
    """The power is gone: nothing that is asked of the disk from now on happens."""


@dataclass(slots=True)
class _File:
    """One name in the folder."""

    durable: bytes | None = None  # None: no entry in the directory survives for sure
    writes: list[tuple[int, bytes]] = field(default_factory=list)  # since the last sync
    lengths: list[int] = field(default_factory=list)
    removed: bool = False  # and the directory not synced since


class Disk(apsw.VFS):
    """The file system of one machine.

    Args:
        folder: where the files live; empty, or what ``cut`` left.
        dice: decides what survives.
        honest: false for a disk that does not do what ``fsync`` asks.
    """

    def __init__(self, folder: Path, dice: random.Random, *, honest: bool = True) -> None:
        self.name = f"powercut-{id(self)}"
        self.operations = 0
        self.cut_at: int | None = None  # the operation that does not happen any more
        self.is_off = False
        self.last_written = ""
        self.folder = folder
        self._dice = dice
        self._honest = honest
        self._connections: list[Connection] = []
        self._files = {
            path.name: _File(path.read_bytes()) for path in folder.iterdir() if _is_kept(path)
        }
        super().__init__(self.name, "unix")

    def excepthook(self, kind: object, err: object, trace: object) -> None:
        """Say nothing: the errors of a cut are expected."""

    def connect(self, file: Path | str) -> Connection:
        """Return a connection to a file on this disk."""
        connection = Connection(file, self.name)
        self._connections.append(connection)
        return connection

    def xOpen(self, name, flags):  # noqa: N802 - SQLite's name
        """Open a file; a new one has no entry that survives yet."""
        self.check()
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if path is not None:
            file = self._files.setdefault(Path(path).name, _File())
            if file.removed:
                self._files[Path(path).name] = _File()
        return _OpenFile(self, name, flags, None if path is None else Path(path))

    def xDelete(self, name, syncdir):  # noqa: N802 - SQLite's name
        """Remove a file; it may be back after a cut unless the directory is synced too."""
        self.step()
        super().xDelete(name, syncdir)
        file = self._files[Path(name).name]
        if syncdir and self._honest:
            del self._files[Path(name).name]
        else:
            file.removed = True

    def xAccess(self, name, flags):  # noqa: N802 - SQLite's name
        """Tell whether a file is there."""
        self.check()
        return super().xAccess(name, flags)

    def check(self) -> None:
        """Refuse where the power is gone."""
        if self.is_off:
            raise PowerCutError

    def step(self) -> None:
        """Count an operation that changes the disk, and cut the power where it is due."""
        self.check()
        self.operations += 1
        if self.cut_at is not None and self.operations >= self.cut_at:
            self.is_off = True
            raise PowerCutError

    def wrote(self, name: str, offset: int, data: bytes) -> None:
        """Remember a write; its sectors survive one by one."""
        self.last_written = name
        file = self._files[name]
        start = 0
        while start < len(data):
            length = SECTOR - (offset + start) % SECTOR
            file.writes.append((offset + start, data[start : start + length]))
            start += length

    def resized(self, name: str, length: int) -> None:
        """Remember a length that the file had."""
        self._files[name].lengths.append(length)

    def synced(self, name: str, content: bytes) -> None:
        """Take the content as durable, and the entry in the directory with it.

        With the first sync of a journal SQLite syncs the directory: every entry is as it is now.
        """
        if not self._honest:
            return
        if self._files[name].durable is None and name.endswith(("-journal", "-wal")):
            for other in [each for each, file in self._files.items() if file.removed]:
                del self._files[other]
            for file in self._files.values():
                file.durable = file.durable or b""
        self._files[name] = _File(content)

    def cut(self, target: Path) -> None:
        """End every connection and write what a machine finds afterwards into an empty folder."""
        self.is_off = True
        for connection in self._connections:
            connection.close()
        for name, file in self._files.items():
            content = self._survivor(file)
            if content is not None:
                (target / name).write_bytes(content)

    def _survivor(self, file: _File) -> bytes | None:
        if file.removed and self._dice.random() < 0.5:
            return None
        if file.durable is None and self._dice.random() < 0.5:
            return None  # no entry in the directory
        durable = file.durable or b""
        share = self._dice.choice((0.0, 0.5, 0.9, 1.0, self._dice.random()))
        if not file.writes and not file.lengths:
            return durable
        content = bytearray(durable)
        for offset, data in file.writes:
            if self._dice.random() < share:
                if len(content) < offset + len(data):
                    content.extend(bytes(offset + len(data) - len(content)))
                content[offset : offset + len(data)] = data
        if file.lengths and self._dice.random() < share:
            shorter = self._dice.choice(file.lengths)
            del content[shorter:]
        return bytes(content)


class _OpenFile(apsw.VFSFile):
    """One open file: passes everything on, and tells the disk what changed."""

    def __init__(self, disk, name, flags, path) -> None:
        self._disk = disk
        self._path = path
        super().__init__("unix", name, flags)

    def excepthook(self, kind: object, err: object, trace: object) -> None:
        """Say nothing: the errors of a cut are expected."""

    def xRead(self, amount, offset):  # noqa: N802 - SQLite's name
        self._disk.check()
        return super().xRead(amount, offset)

    def xWrite(self, data, offset):  # noqa: N802 - SQLite's name
        """Write; the power may go before, and what is not synced may be torn."""
        self._disk.step()
        super().xWrite(data, offset)
        if self._path is not None:
            self._disk.wrote(self._path.name, offset, bytes(data))

    def xTruncate(self, length):  # noqa: N802 - SQLite's name
        """Cut the file; durable with the next sync."""
        self._disk.step()
        super().xTruncate(length)
        if self._path is not None:
            self._disk.resized(self._path.name, length)

    def xSync(self, flags):  # noqa: N802 - SQLite's name
        """Make the content durable; the power may go before."""
        self._disk.step()
        if self._path is not None:
            self._disk.synced(self._path.name, self._path.read_bytes())


def _is_kept(path: Path) -> bool:
    return not path.name.endswith("-shm")


def empty(folder: Path) -> Path:
    """Return the folder, made or emptied."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    return folder
