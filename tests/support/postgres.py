"""A private PostgreSQL on loopback, durable as a real one, that can be killed."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from loopback_ports import free_port
from waiting import wait_until

INSTALLED = Path("/usr/lib/postgresql")  # where Debian puts its versions; its bin is not on PATH
USER = "postgres"  # the server refuses to run as root
START_S = 60.0
HELD = "pre-existing shared memory block"  # children of a killed server take a while to notice
TAKEN = "Address already in use"
WORDS = {
    "listen_addresses": "'127.0.0.1'",
    "max_connections": "50",
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "'32MB'",
}


def program(name: str) -> str | None:
    """Return the path of one of PostgreSQL's programs, of the newest version."""
    versions = sorted(INSTALLED.glob("*/bin"), key=lambda path: int(path.parent.name))
    return str(versions[-1] / name) if versions else shutil.which(name)


class Postgres:
    """One server with a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._data = folder / "data"
        self._log = folder / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._was_ready = False
        self._as_user = _as_user()
        self._run("initdb", "--auth=trust", f"--username={USER}", "--encoding=UTF8",
                  "--locale=C.UTF-8", "--no-sync", "-D", self._data)  # fmt: skip
        words = WORDS | {"port": str(self.port), "unix_socket_directories": f"'{folder}'"}
        with (self._data / "postgresql.auto.conf").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in words.items())

    def url(self, database: str) -> str:
        """Return what central is told."""
        return f"postgresql+asyncpg://{USER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Run, and return once it takes connections."""
        self._launch()
        wait_until(self._is_ready, f"postgres: {self._log.read_text()}", seconds=START_S)

    def stop(self, number: int = signal.SIGINT) -> None:
        """End it; by default quickly, with SIGKILL without a word."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(START_S)
            self._process = None

    def make_database(self, name: str) -> str:
        """Make an empty database and return its URL."""
        self.sql(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def sql(self, statement: str, *, database: str = USER) -> str:
        """Run a statement and return what it prints, unaligned."""
        where = ("-h", self._folder, "-p", str(self.port), "-U", USER, "-d", database)
        return self._run("psql", "-X", "-q", "-A", "-t", *where, "-c", statement)

    def _launch(self) -> None:
        server = program("postgres")
        assert server is not None
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._as_user, server, "-D", self._data],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _is_ready(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            said = self._log.read_text()
            if TAKEN in said and not self._was_ready:  # by somebody since we asked for a free one
                self.port = free_port()
                with (self._data / "postgresql.auto.conf").open("a") as file:
                    file.write(f"port = {self.port}\n")
            else:
                assert HELD in said, said
            self._launch()
        ready = program("pg_isready")
        done = subprocess.run(
            [str(ready), "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False
        )
        self._was_ready = self._was_ready or done.returncode == 0
        return done.returncode == 0

    def _run(self, name: str, *argv: str | Path) -> str:
        path = program(name)
        assert path is not None
        done = subprocess.run(
            [*self._as_user, path, *argv],
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=START_S,
            check=False,
        )
        assert done.returncode == 0, f"{name}: {done.stderr}"
        return done.stdout.strip()


def _as_user() -> list[str]:
    """Return the prefix that leaves root, for whom the server does not run."""
    if os.getuid() != 0:
        return []
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]


@contextmanager
def running() -> Iterator[Postgres]:
    """Give a started server; its folder is gone afterwards.

    The folder is of its own, for another user must reach it through all that is above it.
    """
    with tempfile.TemporaryDirectory(prefix="roost-pg-") as name:
        folder = Path(name)
        if os.getuid() == 0:
            entry = pwd.getpwnam(USER)
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        server = Postgres(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGQUIT)  # at once: what it would write is thrown away


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server for all tests of the session: each makes a database of its own in it."""
    if program("initdb") is None:
        pytest.skip("postgresql is not installed")
    with running() as server:
        yield server
