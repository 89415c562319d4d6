"""Carries one document over a machine: the shell of core.py."""

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, assert_never

from msgspec.structs import replace

from roost_agent.config_apply import core, plan, state
from roost_agent.config_apply.job import RefusedError
from roost_agent.config_apply.machine import Machine, StepError, shown
from roost_agent.config_apply.ports import boot_ms
from roost_agent.config_apply.sections import SECTIONS
from roost_agent.config_apply.state import Held, Journal, Leaving, State
from roost_agent.config_apply.step import PutNetwork, PutValue, Step, Unit, is_as, is_done, undoing
from roost_agent.config_apply.teller import (
    Teller,
    failure_of,
    look,
    refused_of,
    refused_sections,
    say,
    undone_of,
)
from roost_agent.config_apply.told import Told
from roost_protocol.profile.check import Tree, leaves
from roost_protocol.profile.field import dotted

# roost-helper's config_confirm sends it. One that is ignored by default: a program that systemd has
# just started again, and that does not block it yet, must not end by a word for the one before it.
CONFIRM: Final = signal.SIGURG
TRIED: Final = ("paths", "ha")  # what the agent goes by before it counts, to see where that leads
UNDO_MAX: Final = 8  # times in vain: by then it is a person's matter


@dataclass(frozen=True, slots=True)
class Work:
    """A document that is to be applied.

    Attributes:
        sections, before: its settings, and those that are applied.
        goal: the state once it is.
        begun: how often it was begun before, and killed.
        is_confirmed: nobody has to confirm that the node is reached.
    """

    sections: Tree
    before: Tree
    goal: State
    told: Told
    begun: int = 0
    is_confirmed: bool = False


class Carrier:
    """Root's hands, under the lock.

    Args:
        folder: of the state.
        found: the state.
        machine: to be changed.
        teller: of what comes of it.
    """

    def __init__(self, folder: Path, found: State, machine: Machine, teller: Teller) -> None:
        self.state = found
        teller.knows(found)
        self._folder = folder
        self._machine = machine
        self._teller = teller

    def undo(self, *, again: bool = False) -> None:
        """Undo what was interrupted.

        Args:
            again: also where that was tried UNDO_MAX times in vain: a boot may have changed things.

        Raises:
            RefusedError: it could not be: nothing else is begun, and the journal stays. ``undo``:
                it is worth another try; ``stuck``: a person has to look.
        """
        journal = self.state.journal
        if journal is None:
            return
        say(f"document {journal.digest.hex()}: was interrupted, is undone")
        if journal.failed >= UNDO_MAX and not again:
            raise RefusedError("stuck", _stuck(journal.failed))
        left = [why for step in undoing(journal.steps) if (why := self._undo(step))]
        left = left or [why for why in (self._keep(replace(self.state, journal=None)),) if why]
        if left:
            failed = journal.failed + 1
            self._keep(replace(self.state, journal=replace(journal, failed=failed)))
            is_last = failed >= UNDO_MAX
            text = f"what was interrupted is not undone: {'; '.join(left)}"
            text = f"{text}; {_stuck(failed)}" if is_last else text
            raise RefusedError("stuck" if is_last else "undo", text)

    def _undo(self, step: Step) -> str:
        """Undo a step of a journal, if it was done; return why it is not as before, empty: it is.

        The journal has all steps of a document, those too that were never reached: what another
        has put there since is not ours to take away.
        """
        if isinstance(step, Unit | PutNetwork):  # they read what is there, and leave what is right
            return self._do(step)
        try:
            if not isinstance(step, PutValue):
                self._machine.tidy(step)
            found = self._machine.found(step)
            if not is_done(step, found):
                if not is_as(step, found):
                    say(f"{shown(step)}: another has changed it since, it is left so")
                return ""
            if why := self._do(step):
                return why
            is_back = is_as(step, self._machine.found(step))
        except OSError as err:
            return f"{shown(step)}: {err.strerror or err}"
        return "" if is_back else f"{shown(step)} is not as it was"

    def hold(self, work: Work, held: Held) -> None:
        """Keep an order until its window opens, and tell; its number is spent.

        Raises:
            RefusedError: it cannot be kept.
        """
        if why := self._keep(replace(work.goal, applied=self.state.applied, held=held)):
            raise RefusedError("state", why)
        names = plan.concerned(work.sections, work.before)
        self._teller.waits(work.told, names, self.state.applied)

    def carry(self, work: Work) -> bool:
        """Carry a document to its end and tell; return whether the machine is one or the other."""
        try:
            found = look(self._machine, work.sections, work.before)
        except OSError as err:
            self._teller.refused(work.told, RefusedError("read", str(err)), self.state.applied)
            return True
        if refused := plan.refusals(work.sections, found):
            self._refuse(work, refused)
            return True
        whole, kept = plan.whole(work.sections, work.before, found, self.state.originals)
        mine = {name: dict(each) for name, each in kept.items()}
        others = {n: each for n, each in self.state.originals.items() if n not in work.before}
        goal = replace(work.goal, originals={**others, **mine}, leaving=self._leaving(work, found))
        application = core.Application(whole, is_confirmed=work.is_confirmed)
        self._teller.tell(work.told, self.state.applied)
        action = application.start(boot_ms())
        while action is not None:
            action = application.handle(self._act(action, work, goal, found), boot_ms())
        if application.is_kept:
            self._teller.kept(work.told, self.state.applied)
            return True
        section, why = application.failed or ("", "")
        why = "; ".join((why, *(f"not undone: {each}" for each in application.left)))
        names = plan.concerned(work.sections, work.before)
        failure = failure_of(undone_of(work.told, names, (section, why)))
        if failure is not None:  # told again after a boot, and when other settings are put back
            self._keep(replace(self.state, failure=failure))
        self._teller.undone(work.told, names, (section, why), self.state.applied)
        return not application.left

    def _leaving(self, work: Work, found: Mapping[str, Any]) -> Leaving | None:
        """Return what waits for a boot to be gone, once a document is applied."""
        boot, wanted = self._machine.boot, {dotted(path) for path, _ in leaves(work.sections)}
        old = self.state.leaving
        kept = old.settings if old is not None and old.boot == boot else []
        gone = plan.leaving(work.sections, work.before, found)
        names = [each for each in dict.fromkeys((*kept, *gone)) if each not in wanted]
        return Leaving(boot, names) if names else None

    def _act(
        self, action: core.Action, work: Work, goal: State, found: plan.FoundAll
    ) -> core.Event:
        match action:
            case core.Record(steps):
                return core.Did(self._record(steps, work, goal))
            case core.Do(section, step):
                say(f"{section}: {shown(step)}")
                return core.Did(self._do(step))
            case core.Look(section):
                return core.Did(self._unlike(section, work))
            case core.LookBack(section):
                return core.Did(self._unlike_before(section, work, found[section]))
            case core.Await(until_ms):
                return self._await(until_ms, work)
            case core.Keep() | core.Drop():
                is_kept = isinstance(action, core.Keep)
                return core.Did(self._keep(goal if is_kept else replace(self.state, journal=None)))
            case _:
                assert_never(action)

    def _record(self, steps: tuple[Step, ...], work: Work, goal: State) -> str:
        """Write the journal; the order's number is spent with it, what is applied stays."""
        digest = bytes.fromhex(work.told.digest)
        journal = Journal(work.told.desired, digest, list(steps), work.begun + 1)
        old = self.state
        return self._keep(
            replace(goal, applied=old.applied, originals=old.originals, journal=journal)
        )

    def _do(self, step: Step) -> str:
        try:
            self._machine.do(step)
        except StepError as err:
            return str(err)
        return ""

    def _keep(self, fresh: State) -> str:
        try:
            state.save(self._folder, fresh)
        except OSError as err:
            return f"{self._folder}: {err.strerror}"
        self.state = fresh
        self._teller.knows(fresh)
        return ""

    def _unlike(self, name: str, work: Work) -> str:
        """Return how a section is not what it should be after its steps; empty: it is."""
        wanted = work.sections.get(name)
        if wanted is None:
            return ""  # it is gone from the document: what was there before is there again
        try:
            found = SECTIONS[name].read(wanted, work.before.get(name, {}), self._machine)
        except OSError as err:
            return f"cannot be read: {err}"
        other = plan.drift({name: wanted}, {name: found}).get(name, [])
        return "; ".join(f"{each.setting} is {each.found or 'absent'}" for each in other)

    def _unlike_before(self, name: str, work: Work, was: object) -> str:
        """Return how a section is not what it was, after its steps were undone; empty: it is."""
        trees = (work.sections.get(name, {}), work.before.get(name, {}))
        try:
            found = SECTIONS[name].read(*trees, self._machine)
        except OSError as err:
            return f"{name} cannot be read: {err}"
        return "; ".join(dict.fromkeys(plan.unlike(name, trees, was, found)))

    def _await(self, until_ms: int, work: Work) -> core.Event:
        while signal.sigtimedwait({CONFIRM}, 0) is not None:
            pass  # a word about something else
        trial = {name: dict(work.sections.get(name, {})) for name in TRIED}
        said = replace(work.told, waits_ms=until_ms, trial=trial)
        self._teller.tell(said, self.state.applied)
        left_s = max(until_ms - boot_ms(), 0) / 1_000
        return core.Confirmed() if signal.sigtimedwait({CONFIRM}, left_s) else core.Tick()

    def _refuse(self, work: Work, refused: list[tuple[str, str]]) -> None:
        said = replace(work.told, sections=refused_sections(refused))
        why = RefusedError("impossible", "; ".join(why for _, why in refused))
        if said.seq:  # an order's number is spent, whatever came of it
            failure = failure_of(refused_of(said, why))
            self._keep(replace(work.goal, applied=self.state.applied, failure=failure))
        self._teller.refused(said, why, self.state.applied)


def _stuck(failed: int) -> str:
    return (
        f"tried {failed} times in vain: put it right by hand, then `roost-config forget` as root, "
        "and the next order begins anew"
    )
