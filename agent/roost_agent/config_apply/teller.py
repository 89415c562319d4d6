"""Tells the agent how it stands with a document, and writes a line for the journal."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from roost_agent.config_apply import plan, told
from roost_agent.config_apply.job import RefusedError
from roost_agent.config_apply.machine import Machine
from roost_agent.config_apply.sections import SECTIONS
from roost_agent.config_apply.state import Applied, Held, State
from roost_agent.config_apply.told import Failure, Told, Waiting
from roost_protocol.config_report import ConfigState, SectionReport, SectionState
from roost_protocol.errors import ProtocolError
from roost_protocol.limits import ALARM_TEXT_BYTES_MAX
from roost_protocol.profile.check import Tree
from roost_protocol.profile.document import decode_settings


class Teller:
    """What the agent is told.

    Args:
        folder: of the file.
        machine: on which it is looked what waits for a reboot.
    """

    def __init__(self, folder: Path, machine: Machine) -> None:
        self._folder = folder
        self._machine = machine
        self._state = State()

    def knows(self, state: State) -> None:
        """Tell by this state from now on: what waits, what failed, what a boot will end."""
        self._state = state

    def tell(self, said: Told, applied: Applied | None) -> None:
        """Tell, together with what is applied.

        Raises:
            OSError: it was not written.
        """
        if applied is not None:
            said = replace(
                said, applied_desired=applied.desired, applied_digest=applied.digest.hex()
            )
            try:
                sections = sections_of(applied)
                waits = plan.pending(sections, look(self._machine, sections, {}))
                said = replace(said, applied=msgspec.to_builtins(sections), pending=waits)
            except (OSError, RefusedError) as err:
                say(f"what is applied cannot be looked at: {err}")
        held, failure = _waiting(self._state.held), self._state.failure
        leaving = self._leaving()
        pending = [*said.pending, *leaving]
        told.write(
            self._folder,
            replace(said, held=held, failure=failure, leaving=leaving, pending=pending),
        )

    def _leaving(self) -> list[str]:
        """Return what is gone and still in effect: since it went nobody has booted."""
        found = self._state.leaving
        return found.settings if found is not None and found.boot == self._machine.boot else []

    def kept(self, said: Told, applied: Applied | None) -> None:
        """Tell that a document is applied: the whole of it, also where a part was applied again."""
        sections = sections_of(applied)
        waits = [*plan.pending(sections, look(self._machine, sections, {})), *self._leaving()]
        reports = {name: _kept(name, waits) for name in plan.concerned(sections, {})}
        end = ConfigState.PENDING_REBOOT if waits else ConfigState.APPLIED
        say(f"document {said.digest}: {end}")
        self.tell(replace(said, state=end, sections=reports), applied)

    def waits(self, said: Told, names: Iterable[str], applied: Applied | None) -> None:
        """Tell that the order that is held waits, with all of its sections."""
        held = self._state.held
        assert held is not None  # noqa: S101 - who tells has just put it there
        say(f"document {said.digest}: {held.text}")
        reports = {name: SectionReport(SectionState.WAITING) for name in names}
        self.tell(
            replace(
                said,
                state=ConfigState.WAITING,
                code="window",
                text=held.text,
                sections=reports,
            ),
            applied,
        )

    def undone(
        self, said: Told, names: Iterable[str], failed: tuple[str, str], applied: Applied | None
    ) -> None:
        """Tell that a document was undone, and because of which section."""
        said = undone_of(said, names, failed)
        say(f"document {said.digest}: rolled back: {said.text}")
        self.tell(said, applied)

    def refused(self, said: Told, refused: RefusedError, applied: Applied | None) -> None:
        """Tell that nothing was begun."""
        say(f"document {said.digest}: refused: {refused.code}: {refused}")
        self.tell(refused_of(said, refused), applied)


def undone_of(said: Told, names: Iterable[str], failed: tuple[str, str]) -> Told:
    """Return what is told of a document that was undone because of a section."""
    section, why = failed
    reports = {name: SectionReport(SectionState.ROLLED_BACK) for name in names}
    if section:
        reports[section] = SectionReport(SectionState.FAILED, cut(why))
    text = cut(f"{section}: {why}" if section else why)
    end = ConfigState.ROLLED_BACK
    return replace(said, state=end, code="failed", text=text, sections=reports)


def refused_of(said: Told, refused: RefusedError) -> Told:
    """Return what is told of a document that was not begun."""
    end = ConfigState.REFUSED
    return replace(said, state=end, code=refused.code, text=cut(str(refused)))


def failure_of(said: Told) -> Failure | None:
    """Return what is kept of an end that was told; None: nobody ordered it, or it is well."""
    if not said.seq or said.state is None:
        return None
    return Failure(
        seq=said.seq,
        desired=said.desired,
        digest=said.digest,
        state=said.state,
        code=said.code,
        text=said.text,
        sections=said.sections,
    )


def look(machine: Machine, wanted: Tree, before: Tree) -> dict[str, Any]:
    """Return what every section of two documents finds.

    Raises:
        OSError: one cannot be read.
    """
    return {
        name: SECTIONS[name].read(wanted.get(name, {}), before.get(name, {}), machine)
        for name in plan.concerned(wanted, before)
    }


def sections_of(applied: Applied | None) -> Tree:
    """Return the settings of an applied document, none where there is none.

    Raises:
        RefusedError: this release does not know them: another one wrote them.
    """
    if applied is None:
        return {}
    try:
        return decode_settings(applied.body)
    except ProtocolError as err:
        text = f"what is applied is of another release: {err}; `roost-config forget` as root"
        raise RefusedError("state", text) from err


def refused_sections(refusals: Iterable[tuple[str, str]]) -> dict[str, SectionReport]:
    """Return the report of each section that a machine cannot be, with the first reason."""
    reports: dict[str, SectionReport] = {}
    for name, why in refusals:
        reports.setdefault(name, SectionReport(SectionState.REFUSED, cut(why)))
    return reports


def _waiting(held: Held | None) -> Waiting | None:
    if held is None:
        return None
    return Waiting(
        desired=held.desired, digest=held.digest.hex(), opens_ms=held.opens_ms, text=held.text
    )


def _kept(name: str, waits: list[str]) -> SectionReport:
    mine = [each for each in waits if each.startswith(f"{name}.")]
    if mine:
        return SectionReport(SectionState.PENDING_REBOOT, cut(", ".join(mine)))
    return SectionReport(SectionState.APPLIED)


def cut(text: str) -> str:
    """Return a sentence within its bound."""
    return text.encode()[:ALARM_TEXT_BYTES_MAX].decode(errors="ignore")


def say(line: str) -> None:
    """Write one line for the journal."""
    sys.stderr.write(f"{line.encode(errors='replace').decode()}\n")
    sys.stderr.flush()
