"""The site broker of this node: written, started, watched, and started again.

It is a child that may outlive the agent: a restarted agent ends what its predecessor left behind
and starts its own. A dead or a frozen broker is an event of its paths and nothing more; nobody's
role rests on it.
"""

import asyncio
import logging
import os
import pwd
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from roost_agent.errors import AgentError
from roost_agent.ha.broker_files import (
    SALT_BYTES,
    BrokerTls,
    Member,
    access,
    configuration,
    passwords,
)
from roost_agent.ports import Clock, Entropy

PROGRAM: Final = "mosquitto"
PLACES: Final = "/usr/sbin:/usr/local/sbin"  # Debian's package puts it outside a user's PATH
RESTART_S: Final = (0.2, 5.0)  # doubled at each failure within STEADY_S
STEADY_S: Final = 60.0
FROZEN_S: Final = 5.0  # it runs, and our own frames come back on none of its paths
STOP_S: Final = 2.0  # for a SIGTERM
LOOK_S: Final = 0.5
SECRET: Final = "broker.secret"  # noqa: S105 - the name of the file
SECRET_BYTES: Final = 32
LINE_BYTES_MAX: Final = 4_096

log = logging.getLogger(__name__)


class BrokerPlan(msgspec.Struct, frozen=True):
    """What this node's broker is to be.

    Attributes:
        addresses: to listen on.
        port: of each.
        members: who may say something.
        tls: its files; None: clear text, and each member has a password.
    """

    addresses: tuple[str, ...]
    port: int
    members: tuple[Member, ...]
    tls: BrokerTls | None = None


class SiteBroker:
    """See this page.

    Args:
        folder: its own, below the state directory; made 0700.
        plan: what it is to be.
        clock: for its steadiness.
        entropy: for the salts.
    """

    def __init__(self, folder: Path, plan: BrokerPlan, clock: Clock, entropy: Entropy) -> None:
        self.restarts = 0
        self.fault = ""  # why there is none
        self._folder = folder
        self._plan = plan
        self._clock = clock
        self._entropy = entropy
        self._echo_ms: int | None = None  # when our own frames last came back
        self._started_ms = 0
        self._held_until_ms = 0
        self._process: asyncio.subprocess.Process | None = None
        self._files = asyncio.Lock()  # one writer at a time, and the newest plan is the last

    @property
    def pid(self) -> int | None:
        """Its process, None while there is none."""
        return None if self._process is None else self._process.pid

    def echoed(self) -> None:
        """Note that our own frames come back on one of its paths."""
        self._echo_ms = self._clock.boot_ms()

    def hold(self, until_ms: int) -> None:
        """Stop it, and start it again at this moment of the boot clock."""
        self._held_until_ms = until_ms
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.terminate()

    async def admit(self, members: Sequence[Member]) -> None:
        """Let these speak and nobody else, live sessions included.

        Raises:
            OSError: the file cannot be written; the broker is ended, rather than go on as before.
        """
        async with self._files:
            self._plan = msgspec.structs.replace(self._plan, members=tuple(members))
            process = self._process
            if process is None:
                return  # the next one reads it at its start
            try:
                await asyncio.to_thread(self._write_members)
            except OSError:
                process.kill()
                raise
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGHUP)

    async def run(self) -> None:
        """Keep it running, until cancelled; then end it."""
        wait_s = RESTART_S[0]
        while True:
            try:
                await self._once()
            except (OSError, AgentError) as err:
                self._note(str(err))
            lasted_s = (self._clock.boot_ms() - self._started_ms) / 1000
            wait_s = RESTART_S[0] if lasted_s >= STEADY_S else min(2 * wait_s, RESTART_S[1])
            self.restarts += 1
            await asyncio.sleep(wait_s)
            held_ms = self._held_until_ms - self._clock.boot_ms()
            await asyncio.sleep(max(held_ms, 0) / 1000)

    async def _once(self) -> None:
        self._started_ms = self._clock.boot_ms()
        async with self._files:
            await asyncio.to_thread(self._prepare)
            self._process = await self._spawned()
        self._echo_ms = None
        self._remember(self._process.pid)
        log.info("ha broker: runs as pid %d on %s", self._process.pid, self._plan.addresses)
        try:
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(self._tell(self._process), name="agent.ha.broker.log")
                await self._until_ended(self._process)
                reading.cancel()
        finally:
            await _end(self._process)
            self._process = None

    async def _spawned(self) -> asyncio.subprocess.Process:
        try:
            return await asyncio.create_subprocess_exec(
                PROGRAM,
                "-c",
                str(self._folder / "mosquitto.conf"),
                env={**os.environ, "PATH": f"{os.environ.get('PATH', os.defpath)}:{PLACES}"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                limit=LINE_BYTES_MAX,
            )
        except FileNotFoundError as err:
            said = f"{PROGRAM} is not installed; this node's paths have no broker"
            raise AgentError(said) from err

    async def _until_ended(self, process: asyncio.subprocess.Process) -> None:
        while process.returncode is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await process.wait()
            if self._is_frozen():
                self._note(f"frozen: no frame of ours came back for {FROZEN_S:g} s")
                self._echo_ms = None
                with suppress(ProcessLookupError):
                    process.kill()
        self._note(f"ended with status {process.returncode}")

    def _is_frozen(self) -> bool:
        """Whether it worked once since its start, and is silent for long."""
        echo_ms = self._echo_ms
        return echo_ms is not None and self._clock.boot_ms() - echo_ms > FROZEN_S * 1000

    async def _tell(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None  # noqa: S101 - asked for
        while True:
            try:
                line = await process.stderr.readline()
            except ValueError:
                continue  # longer than any line of Mosquitto's
            if not line:
                return
            log.info("ha broker: %s", line.decode(errors="replace").strip())

    def _prepare(self) -> None:
        """End what an earlier agent left, and write what the new one reads."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        _end_left_behind(self._folder)
        plan = self._plan
        if plan.tls is not None and not plan.tls.certificate.is_file():
            raise AgentError(
                f"the centre gave this box no {plan.tls.certificate.name}, so it is no broker of "
                "its site: enrol it with --broker, or let no path name this node as its broker"
            )
        text = configuration(
            str(self._folder),
            plan.addresses,
            plan.port,
            user=pwd.getpwuid(os.geteuid()).pw_name,
            max_connections=4 * len(plan.members) + 8,  # a node's new connections beside its dead
            tls=plan.tls,
        )
        _write_private(self._folder / "mosquitto.conf", text.encode())
        self._write_members()

    def _write_members(self) -> None:
        """Write who may log in and say what: all that a running broker reads anew."""
        plan = self._plan
        if plan.tls is None:
            salts = {each.user: self._entropy.token(SALT_BYTES) for each in plan.members}
            text = passwords(plan.members, salts)
            _write_private(self._folder / "passwords", text.encode())
        _write_private(self._folder / "acl", access(plan.members).encode())

    def _remember(self, pid: int) -> None:
        _write_private(self._folder / "pid", f"{pid}\n".encode())

    def _note(self, fault: str) -> None:
        if fault != self.fault:
            log.warning("ha broker: %s", fault)
        self.fault = fault


def own_secret(folder: Path, entropy: Entropy) -> bytes:
    """Return the secret with which this node logs in to its own broker; made once, 0600."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / SECRET
    with suppress(OSError):
        secret = file.read_bytes()
        if len(secret) == SECRET_BYTES:
            return secret
    secret = entropy.token(SECRET_BYTES)
    _write_private(file, secret)
    return secret


def _write_private(file: Path, content: bytes) -> None:
    fresh = file.with_name(f"{file.name}.new")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as stream:
        os.fchmod(fd, 0o600)
        stream.write(content)
    fresh.replace(file)


def _end_left_behind(folder: Path, proc: Path = Path("/proc")) -> None:
    """Kill the broker of an agent that was killed, if the pid it noted is still that broker."""
    try:
        pid = int((folder / "pid").read_text())
        words: Sequence[bytes] = (proc / str(pid) / "cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return
    if os.fsencode(folder / "mosquitto.conf") in words:
        log.info("ha broker: ends pid %d, which an earlier agent left behind", pid)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
