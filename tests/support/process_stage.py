"""Services that run for real under the real helper, and who watches them: processes of a test.

The service manager is a shell script in systemd's place: it starts a program, writes its pid file
as a daemon does, and ends what it started. The helper is roost-helper's own process.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Collection
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from helper_process import Helper
from waiting import until

from roost_agent.config import ProcessesConfig
from roost_agent.errors import StorageError
from roost_agent.helper_client import ask
from roost_agent.host.processes.launch import Watching
from roost_agent.host.processes.ping import PORT
from roost_agent.ports import SystemClock

MANAGER = """\
#!/bin/sh
# systemctl --no-ask-password start|stop -- NAME.service
name="${4%.service}"
pid=; state=Z
[ -e FOLDER/$name.pid ] && read -r pid < FOLDER/$name.pid
[ -n "$pid" ] && [ -e /proc/$pid/stat ] && read -r _ _ state _ < /proc/$pid/stat
echo "$2 $name" >> FOLDER/asked
case "$2" in
start)
  [ "$state" = Z ] || exit 0
  [ -e FOLDER/$name.run ] || { echo "no program $name" >&2; exit 1; }
  setsid FOLDER/$name.run </dev/null >/dev/null 2>&1 &
  echo $! > FOLDER/$name.pid.new && mv FOLDER/$name.pid.new FOLDER/$name.pid
  echo $! >> FOLDER/started ;;
stop)
  [ -z "$pid" ] || kill -9 $pid 2>/dev/null
  exit 0 ;;
esac
"""
SLEEPER = "#!/bin/sh\nexec sleep 1000\n"
# Answers pings as libamon does, until it is stopped by a signal.
ANSWERS = f"""\
#!{sys.executable}
import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", PORT))
while True:
    name, magic, seq = sock.recv(256).decode().split()
    assert magic == "12345678", magic
    sock.sendto(f"{{name}} edcba987 {{seq}}".encode(), ("127.0.0.1", BACK))
"""


class Services:
    """Services of one helper."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = folder / "processes.d"
        self.files.mkdir()
        self.helper = Helper(folder, user=os.geteuid())
        manager = folder / "systemctl"
        manager.write_text(MANAGER.replace("FOLDER", str(folder)))
        manager.chmod(0o755)
        (folder / "asked").touch()
        self.names: list[str] = []

    def add(self, name: str, program: str = SLEEPER, **said: object) -> None:
        """Define a service, let the helper start it, and watch it."""
        run = self.folder / f"{name}.run"
        run.write_text(program)
        run.chmod(0o755)
        self.names.append(name)
        units = "".join(f'{each} = "{each}.service"\n' for each in self.names)
        (self.folder / "units.toml").write_text(f"[unit]\n{units}")
        self.define(name, service=name, **said)

    def define(self, name: str, **said: object) -> None:
        """Write the file that has it watched."""
        given = {"pidfile": str(self.folder / f"{name}.pid")} | said
        lines = [f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}"
                 for key, value in given.items()]  # fmt: skip
        (self.files / f"{name}.toml").write_text(f"[process.{name}]\n" + "\n".join(lines) + "\n")

    async def start(self) -> None:
        """Start the helper, and every service by it."""
        self.helper.start()
        for name in self.names:
            await ask("unit_start", socket=self.helper.socket, name=name)

    def pid(self, name: str) -> int:
        """Return the process of its pid file; 0: none."""
        with suppress(OSError, ValueError):
            return int((self.folder / f"{name}.pid").read_text())
        return 0

    def asked(self) -> list[str]:
        """What came to the service manager, such as ``start pump``."""
        return (self.folder / "asked").read_text().splitlines()

    def end(self) -> None:
        """End all that was started here, by number."""
        self.helper.kill()
        started = self.folder / "started"
        for pid in started.read_text().split() if started.exists() else ():
            with suppress(ProcessLookupError):
                if str(self.folder).encode() in _words(int(pid)) or b"sleep" in _words(int(pid)):
                    os.kill(int(pid), signal.SIGKILL)

    def config(self) -> ProcessesConfig:
        """Return how an agent would watch them."""
        return ProcessesConfig(
            folders=(str(self.files),),
            units=str(self.folder / "units.toml"),
            helper=self.helper.socket,
        )


def _words(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


class NoOutbox:
    """An outbox whose disk is not there yet."""

    def __init__(self):
        self.lanes = {}

    def append(self, batch):
        """Take nothing."""
        raise StorageError(f"{len(batch.entries)} entries, and no disk")


class Alarms:
    """The node's alarms as far as they are asked here; a Table would need a disk."""

    is_open = True

    def __init__(self):
        self.stand = {}
        self.history = []

    def standing(self, prefix):
        return {f"{type_}|{entity}": "" for type_, entity in self.stand if type_.startswith(prefix)}

    def is_raised(self, type_, entity):
        return (type_, entity) in self.stand

    def raise_condition(self, type_, params, entity="", severity=None):
        self.stand[type_, entity] = (severity, dict(params))
        self.history.append(("raise", type_, entity, severity))

    def clear_condition(self, type_, entity=""):
        self.stand.pop((type_, entity), None)
        self.history.append(("clear", type_, entity, None))


class Watched:
    """Processes that are watched, and what is told of them."""

    def __init__(self, services: Services, held: Collection[str], *, is_enabled: bool) -> None:
        self.alarms = Alarms()
        self.is_enabled = is_enabled  # the host
        self.watching = Watching(
            services.config(),
            NoOutbox(),
            self.alarms,
            SystemClock(),
            held=held,
            is_enabled=lambda: self.is_enabled,
        )

    def row(self, name: str):
        """Return what is told of one process."""
        return next(row for row in self.watching.report().processes if row.name == name)

    async def sees(self, name: str, state: str, *, seconds: float = 30.0):
        """Wait until a process is so, and return its row."""
        return await until(
            lambda: self.row(name) if self.row(name).state == state else None,
            f"{name} is {state}: {self.row(name)}",
            seconds=seconds,
        )


@asynccontextmanager
async def watched(
    services: Services,
    *,
    port: int = PORT,
    held: Collection[str] = (),
    is_enabled: bool = True,
):
    """Watch the services while the context lasts."""
    made = Watched(services, held, is_enabled=is_enabled)
    task = asyncio.create_task(made.watching.run(port=port))
    try:
        yield made
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def is_alive(pid: int) -> bool:
    """Whether a process runs, and is no zombie."""
    with suppress(OSError):
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


def now_s() -> float:
    """Return the monotonic clock."""
    return time.monotonic()
