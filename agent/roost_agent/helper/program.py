"""The helper's loop: one request after the other, and what it started until that is done."""

import os
import select
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

from roost_agent.helper import catalogue, frame, ledger, sockets
from roost_agent.helper.core import UNIT_VERBS, Asked, Catalogue, Refuse, Run, Save, Unread, Verbs
from roost_agent.helper.ports import boot_ms, now

SYSTEMCTL: Final = "/usr/bin/systemctl"
RUNS_MAX: Final = 4  # at a time
RUN_MS: Final = 60_000  # systemd goes on with a job that systemctl no longer waits for
IDLE_MS: Final = 61_000  # no rate looks further back, so nothing is forgotten by ending
STRANGERS_MAX: Final = 64  # users that are named in the log once
_SAID_BYTES: Final = 300  # of what systemctl complains


@dataclass(frozen=True, slots=True)
class Given:
    """The options of a start.

    Attributes:
        uid: who may ask.
        socket: where to listen; empty: systemd does.
        units: the catalogue.
        state: the folder of what outlives a reboot.
        systemctl: the program that speaks to the service manager.
        idle_ms: where systemd listens, it ends after so long without a request.
    """

    uid: int
    socket: str = ""
    units: str = catalogue.FILE
    state: str = ledger.FOLDER
    systemctl: str = SYSTEMCTL
    idle_ms: int = IDLE_MS


@dataclass(frozen=True, slots=True)
class _Running:
    process: subprocess.Popen[bytes]
    client: socket.socket
    title: str
    ends_ms: int


class Helper:
    """Everything between the core and the machine."""

    def __init__(self, given: Given, listener: socket.socket) -> None:
        self._given = given
        self._listener = listener
        self._verbs = Verbs(*ledger.load(given.state))
        self._running: dict[int, _Running] = {}  # by pidfd
        self._strangers: set[int] = set()
        self._is_flooded = False
        self._poller = select.poll()
        self._poller.register(listener, select.POLLIN)

    def turn(self) -> bool:
        """Wait for a request or an end; return False when idle for too long."""
        ends_ms = [each.ends_ms - boot_ms() for each in self._running.values()]
        ready = self._poller.poll(max(0, min((self._given.idle_ms, *ends_ms))))
        for descriptor, _ in ready:
            if descriptor == self._listener.fileno():
                self._accept()
            else:
                self._end(descriptor)
        for descriptor, each in list(self._running.items()):
            if boot_ms() >= each.ends_ms:
                os.killpg(each.process.pid, signal.SIGKILL)
                self._end(descriptor, error="timeout")
        return bool(ready or ends_ms)

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return  # it was gone already
        uid = sockets.uid_of(client)
        if uid != self._given.uid:
            if uid not in self._strangers and len(self._strangers) < STRANGERS_MAX:
                self._strangers.add(uid)
                say(f"user {uid}: refused, only user {self._given.uid} may ask")
            client.close()  # unread, so without an answer
            return
        try:
            self._act(client, self._event(client))
        except OSError:
            client.close()

    def _event(self, client: socket.socket) -> Asked | Unread:
        try:
            verb, given = frame.decode(sockets.read(client))
        except frame.FrameError as err:
            return Unread(str(err))
        allowed = catalogue.load(self._given.units) if verb in UNIT_VERBS else Catalogue({})
        return Asked(verb, given, allowed)

    def _act(self, client: socket.socket, event: Asked | Unread) -> None:
        title = "a request"
        if isinstance(event, Asked):
            title = " ".join((event.verb, *event.given.values()))
        if len(self._running) >= RUNS_MAX:
            sockets.answer(client, error="busy", detail=f"{RUNS_MAX} requests run already")
            return
        for action in self._verbs.handle(event, now()):
            if isinstance(action, Refuse):
                self._refuse(client, title, action)
            elif isinstance(action, Run):
                self._start(client, title, action)
            elif failed := self._save(action):
                self._refuse(client, title, Refuse("state", failed))
                return

    def _save(self, action: Save) -> str:
        try:
            ledger.save(self._given.state, action.reboots)
        except OSError as err:
            return f"{self._given.state}: {err.strerror}: what is not counted is not done"
        return ""

    def _refuse(self, client: socket.socket, title: str, refused: Refuse) -> None:
        is_flood = refused.error == "rate"
        if not (is_flood and self._is_flooded):
            say(f"{title}: refused: {refused.error}: {refused.detail}")
        self._is_flooded = is_flood
        sockets.answer(client, error=refused.error, detail=refused.detail)

    def _start(self, client: socket.socket, title: str, action: Run) -> None:
        words = (self._given.systemctl, "--no-ask-password", *action.words)
        try:
            process = subprocess.Popen(  # noqa: S603 - words of our own and the catalogue's
                words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, cwd="/", env={}, start_new_session=True,
            )  # fmt: skip
        except OSError as err:
            self._refuse(client, title, Refuse("failed", f"{words[0]}: {err.strerror}"))
            return
        self._is_flooded = False
        descriptor = os.pidfd_open(process.pid)
        self._running[descriptor] = _Running(process, client, title, boot_ms() + RUN_MS)
        self._poller.register(descriptor, select.POLLIN)

    def _end(self, descriptor: int, *, error: str = "") -> None:
        ended = self._running.pop(descriptor)
        self._poller.unregister(descriptor)
        os.close(descriptor)
        status = ended.process.wait()
        assert ended.process.stderr is not None  # noqa: S101 - we asked for it
        with ended.process.stderr as stream:
            detail = os.read(stream.fileno(), _SAID_BYTES).decode("utf-8", "replace").strip()
        if error:
            detail = f"not done after {RUN_MS // 1_000} s; the service manager may go on with it"
        elif status:
            error, detail = "failed", detail or f"exit status {status}"
        say(f"{ended.title}: {f'{error}: {detail}' if error else 'done'}")
        sockets.answer(ended.client, error=error, detail=detail)


def run(given: Given) -> int:
    """Serve until told to end or, where systemd listens, until nobody has asked for a while."""
    listener = None if given.socket else sockets.handed_over()
    if listener is None and not given.socket:
        say("systemd handed over no socket: start roost-helper.socket, or give --socket")
        return 1
    try:
        helper = Helper(given, listener or sockets.listening(given.socket, given.uid))
    except OSError as err:
        say(f"{given.socket}: {err.strerror}")
        return 1
    while helper.turn() or given.socket:
        pass
    return 0


def say(line: str) -> None:
    """Write one line for the log; the journal puts the time there."""
    sys.stderr.write(f"{line.encode(errors='replace').decode()}\n")
    sys.stderr.flush()
