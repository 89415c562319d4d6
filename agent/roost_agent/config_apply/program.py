"""``roost-config``, root's one-shot: applies one document, or what is applied once more.

One at a time, under a lock. What it finds interrupted at its start it undoes first.
"""

import fcntl
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from roost_agent.config_apply import job, job_file, plan, state, told
from roost_agent.config_apply.carrier import CONFIRM, Carrier, Work
from roost_agent.config_apply.hold import Wait, wait_of
from roost_agent.config_apply.job import Asked, RefusedError
from roost_agent.config_apply.machine import SYSTEMCTL, Machine
from roost_agent.config_apply.ports import wall_ms
from roost_agent.config_apply.state import Applied, Held, Journal, State
from roost_agent.config_apply.teller import Teller, sections_of
from roost_agent.config_apply.told import Told
from roost_protocol.errors import ProtocolError
from roost_protocol.window import SECTION

DONE: Final = 0
NOT_DONE: Final = 1  # the machine may be between two documents: systemd begins it anew


@dataclass(frozen=True, slots=True)
class Given:
    """Where everything is."""

    root: str = "/"
    state: Path = Path(state.FOLDER)
    jobs: Path = Path(job_file.FOLDER)
    told: Path = Path(told.FOLDER)
    systemctl: str = SYSTEMCTL


class Program:
    """One run.

    Args:
        given: where everything is.
        machine: to be changed; None: the one of ``given``.
        wall_ms: by which windows open, UTC.
    """

    def __init__(
        self,
        given: Given,
        machine: Machine | None = None,
        wall_ms: Callable[[], int] = wall_ms,
    ) -> None:
        self._given = given
        self._wall_ms = wall_ms
        self._machine = machine or Machine(given.root, given.systemctl)
        self._teller = Teller(given.told, self._machine)

    def apply(self, digest: str) -> int:
        """Apply the document of a job; without a job what is applied, where it may be reapplied.

        Raises:
            StateError, OSError: nothing is known of what is applied.
        """
        with self._carrier() as carrier:
            interrupted = carrier.state.journal
            try:
                carrier.undo()
                work = self._work(digest, carrier, interrupted)
                return DONE if work is None or carrier.carry(work) else NOT_DONE
            except RefusedError as err:
                self._teller.refused(Told(digest=digest), err, carrier.state.applied)
                return NOT_DONE if err.code == "undo" else DONE

    def _work(self, digest: str, carrier: Carrier, interrupted: Journal | None) -> Work | None:
        """Return what is to be done for a document; None: nothing, and that was told.

        Raises:
            RefusedError: it is not done.
        """
        raw = job.read_job(job_file.job_file(self._given.jobs, digest))
        found, held = replace(carrier.state, journal=interrupted), carrier.state.held
        if raw is None and held is not None and held.digest.hex() == digest:
            raw, found = held.raw, replace(found, seq=found.seq - 1)  # spent when it was held
        if raw is None:
            return _again(digest, carrier.state)
        asked = job.judge(raw, digest, found)
        work = _ordered(asked, carrier.state, interrupted)
        if asked.is_done:
            self._teller.kept(work.told, carrier.state.applied)
            return None
        if (wait := _wait(asked, carrier.state, self._wall_ms())) is not None:
            fresh = Held(asked.desired, asked.digest, raw, wait.text, wait.opens_ms)
            carrier.hold(work, fresh)
            return None
        return work

    def boot(self) -> int:
        """Undo what a power cut left, and apply again what lasts until a boot only.

        Raises:
            StateError, OSError: nothing is known of what is applied.
        """
        with self._carrier() as carrier:
            said = Told()
            try:
                carrier.undo(again=True)
                applied = carrier.state.applied
                if applied is None:
                    self._teller.tell(said, None)
                    return DONE
                said = _told_of(applied)
                sections = sections_of(applied)
                work = Work(sections, sections, carrier.state, said, is_confirmed=True)
                return DONE if carrier.carry(work) else NOT_DONE
            except RefusedError as err:
                self._teller.refused(said, err, carrier.state.applied)
                return NOT_DONE if err.code == "undo" else DONE

    @contextmanager
    def _carrier(self) -> Iterator[Carrier]:
        handle = os.open(self._given.state, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            signal.pthread_sigmask(signal.SIG_BLOCK, {CONFIRM})
            found = state.load(self._given.state)
            yield Carrier(self._given.state, found, self._machine, self._teller)
        finally:
            os.close(handle)


def _wait(asked: Asked, found: State, now_ms: int) -> Wait | None:
    """Return what a document waits for; the first of a node, which serves nothing yet, does not.

    Raises:
        RefusedError: its window cannot be judged here.
    """
    if found.applied is None:
        return None
    try:
        return wait_of(asked.sections, sections_of(found.applied), now_ms, asked.node)
    except ProtocolError as err:
        raise RefusedError("impossible", f"{SECTION}: {err}") from err


def _ordered(asked: Asked, found: State, interrupted: Journal | None) -> Work:
    goal = replace(
        found,
        keys=asked.keys,
        node=asked.node,
        generation=asked.generation,
        seq=asked.seq,
        applied=Applied(asked.desired, asked.digest, asked.body),
        held=None,
        failure=None,
    )
    is_again = interrupted is not None and interrupted.digest == asked.digest
    return Work(
        asked.sections,
        sections_of(found.applied),
        goal,
        Told(seq=asked.seq, desired=asked.desired, digest=asked.digest.hex()),
        begun=interrupted.begun if interrupted is not None and is_again else 0,
    )


def _again(digest: str, found: State) -> Work:
    applied = found.applied
    if applied is None or applied.digest.hex() != digest:
        raise RefusedError("job", f"no job for the document {digest}, and it is not applied")
    sections = plan.to_reapply(sections_of(applied))
    return Work(sections, sections, found, _told_of(applied))


def _told_of(applied: Applied) -> Told:
    return Told(desired=applied.desired, digest=applied.digest.hex())
