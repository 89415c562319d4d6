"""The machine below a root folder: reads bounded, writes whole, and has systemd act on units.

The only door of this package to the system. With another root than ``/`` a tree of files stands for
a machine.
"""

import os
import stat
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final, assert_never

from roost_agent.config_apply.network import codec, kernel
from roost_agent.config_apply.network.peers import remotes
from roost_agent.config_apply.network.state import State
from roost_agent.config_apply.step import PutFile, PutLink, PutNetwork, PutValue, Step, Unit
from roost_agent.durable import sync_folder

READ_BYTES_MAX: Final = 256 * 1024
UNIT_S: Final = 120.0  # boot loaders write their menus in tens of seconds
SAID_CHARS: Final = 200  # of what systemctl complains
BOOT_ID: Final = "proc/sys/kernel/random/boot_id"
SYSTEMCTL: Final = "/usr/bin/systemctl"


class StepError(Exception):
    """A step was not done; the text is a sentence's end."""


class Machine:
    """One machine.

    Args:
        root: where its file system begins.
        systemctl: speaks to its service manager; empty: there is none, units are left alone.
    """

    def __init__(self, root: str = "/", systemctl: str = SYSTEMCTL) -> None:
        self._root = Path(root)
        self._systemctl = systemctl

    def read(self, path: str) -> bytes | None:
        """Return what a file holds, None where there is none.

        Raises:
            OSError: it is there and cannot be read, or is longer than READ_BYTES_MAX.
        """
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(self._root / path, flags), "rb") as stream:
                if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                    return None
                raw = stream.read(READ_BYTES_MAX + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if len(raw) > READ_BYTES_MAX:
            raise OSError(0, f"longer than {READ_BYTES_MAX} bytes", path)
        return raw

    def read_link(self, path: str) -> bytes | None:
        """Return where a symbolic link leads, None where there is none."""
        try:
            return str((self._root / path).readlink()).encode()
        except OSError:
            return None

    def names(self, path: str) -> list[str]:
        """Return the names in a folder, none where there is none."""
        try:
            return sorted(each.name for each in (self._root / path).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def is_there(self, path: str) -> bool:
        """Say whether there is anything at a path."""
        return (self._root / path).exists()

    def first(self, paths: Iterable[str]) -> str:
        """Return the first of these paths that is there; empty: none."""
        return next((path for path in paths if self.is_there(path)), "")

    def found(self, step: PutFile | PutLink | PutValue) -> bytes | None:
        """Return what is now where a step puts something.

        Raises:
            OSError: it cannot be read.
        """
        return self.read_link(step.path) if isinstance(step, PutLink) else self.read(step.path)

    def do(self, step: Step) -> None:
        """Do a step, on the disk where it is a file.

        Raises:
            StepError: it was not done, or nobody knows.
        """
        try:
            match step:
                case PutFile():
                    self._put_file(step)
                case PutLink():
                    self._put_link(step)
                case PutValue():
                    self._put_value(step)
                case PutNetwork():
                    self._put_network(step)
                case Unit():
                    self._unit(step)
                case _:
                    assert_never(step)
        except OSError as err:
            raise StepError(f"{shown(step)}: {err.strerror or err}") from err

    def tidy(self, step: PutFile | PutLink) -> None:
        """Remove what a kill over a step left beside its path.

        Raises:
            OSError: it cannot be removed.
        """
        fresh = self._beside(step)
        if os.path.lexists(fresh):
            fresh.unlink()
            sync_folder(fresh.parent)

    def _beside(self, step: PutFile | PutLink) -> Path:
        """Return where a step writes what is renamed to its path."""
        path = self._root / step.path
        return path.with_name(f".{path.name}.roost")

    def _put_file(self, step: PutFile) -> None:
        path, fresh = self._root / step.path, self._beside(step)
        fresh.unlink(missing_ok=True)  # of one that was killed over it
        if step.after is None:
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                sync_folder(path.parent)
            return
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(fresh, flags, 0o644), "wb") as stream:
            os.fchmod(stream.fileno(), 0o644)  # whatever the umask: services read it
            stream.write(step.after)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.rename(path)
        sync_folder(path.parent)

    def _put_link(self, step: PutLink) -> None:
        path, fresh = self._root / step.path, self._beside(step)
        fresh.unlink(missing_ok=True)
        if step.after is None:
            path.unlink(missing_ok=True)
        else:
            fresh.symlink_to(step.after.decode())
            fresh.rename(path)
        sync_folder(path.parent)

    def _put_value(self, step: PutValue) -> None:
        handle = os.open(self._root / step.path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
        try:
            os.write(handle, step.after)
        finally:
            os.close(handle)

    @property
    def boot(self) -> bytes:
        """The kernel's name of this boot; empty: it has none."""
        try:
            return self.read(BOOT_ID) or b""
        except OSError:
            return b""

    def network(self) -> State:
        """Return interfaces and routes; none below another root, which has no kernel.

        Raises:
            OSError: the kernel does not tell.
        """
        return kernel.read() if self._is_live else State()

    def remotes(self) -> frozenset[str]:
        """Return the addresses that the agent has a connection to."""
        return remotes() if self._is_live else frozenset()

    @property
    def _is_live(self) -> bool:
        return self._root == Path("/")

    def _put_network(self, step: PutNetwork) -> None:
        try:
            kernel.put(codec.load(step.after), codec.load(step.before))
        except kernel.NetworkError as err:
            raise StepError(f"network: {err}") from err

    def _unit(self, step: Unit) -> None:
        if not self._systemctl:
            return
        words = (self._systemctl, "--no-ask-password", step.verb, "--", step.unit)
        try:
            done = subprocess.run(  # noqa: S603 - words of our own
                words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, cwd="/", env={}, timeout=UNIT_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise StepError(f"{shown(step)}: not done after {UNIT_S:.0f} s") from None
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()[:SAID_CHARS]
            raise StepError(f"{shown(step)}: {said or f'exit status {done.returncode}'}")


def shown(step: Step) -> str:
    """Return a step in words, without what it writes."""
    match step:
        case Unit():
            return f"{step.verb} {step.unit}"
        case PutNetwork():
            return "interfaces and routes"
        case _:
            return f"/{step.path}"
