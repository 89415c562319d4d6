"""The application of one document: step by step, verified, and kept whole or undone whole. Pure.

The shell (program.py) does one action after the other and answers each. Invariants, whatever
fails and wherever it is killed:

- no step is done before all of them, with what was there before, are in the journal;
- a document is kept only after every section was read anew and is what it should be, and, where it
  could have cut the node off, after the agent has said within CONFIRM_MS that it did not;
- what is not kept is undone whole, the step that failed included, read anew, and told after that;
- the journal goes when the document is kept, in the same write, or when all is undone and reads as
  before: with a journal at its start a program undoes first.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, assert_never

from roost_agent.config_apply.step import Step, undoing

CONFIRM_MS: Final = 120_000


@dataclass(frozen=True, slots=True)
class SectionPlan:
    """The steps of one section."""

    section: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Whole:
    """The steps of a document.

    Attributes:
        sections: in their order, also those without a step: they are verified too.
        needs_confirm: a step can cut the node off, or the agent is to try what it goes by.
    """

    sections: tuple[SectionPlan, ...]
    needs_confirm: bool = False


@dataclass(frozen=True, slots=True)
class Did:
    """The last action is done; ``why`` says why it is not. Empty: it is."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The agent reaches the centre, or its peers."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed."""


Event = Did | Confirmed | Tick


@dataclass(frozen=True, slots=True)
class Record:
    """Bring the journal to the disk: these steps are about to be done."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Do:
    """Do a step of a section."""

    section: str
    step: Step


@dataclass(frozen=True, slots=True)
class Look:
    """Read a section anew: is it what it should be?"""

    section: str


@dataclass(frozen=True, slots=True)
class LookBack:
    """Read a section anew after its steps were undone: is it what it was before them?"""

    section: str


@dataclass(frozen=True, slots=True)
class Await:
    """Wait for the agent's word until then, on the clock of ``handle``."""

    until_ms: int


@dataclass(frozen=True, slots=True)
class Keep:
    """Write that the document is applied, without a journal."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Write that there is no journal any more: all is as it was before."""


Action = Record | Do | Look | LookBack | Await | Keep | Drop


class _At(Enum):
    RECORDING = auto()
    DOING = auto()
    LOOKING = auto()
    WAITING = auto()
    KEEPING = auto()
    UNDOING = auto()
    LOOKING_BACK = auto()
    DROPPING = auto()
    ENDED = auto()


class Application:
    """One document on its way.

    Args:
        whole: its steps.
        is_confirmed: nobody has to confirm it: it was, before the last boot.

    Attributes:
        failed: section and reason of what failed; None: nothing.
        left: why it could not be undone whole; then the journal stays.
        is_kept: it is applied.
    """

    __slots__ = (
        "_at",
        "_confirms",
        "_looks",
        "_section",
        "_steps",
        "_todo",
        "_until_ms",
        "failed",
        "is_kept",
        "left",
    )

    def __init__(self, whole: Whole, *, is_confirmed: bool = False) -> None:
        self.failed: tuple[str, str] | None = None
        self.left: tuple[str, ...] = ()
        self.is_kept = False
        self._steps = [(each.section, step) for each in whole.sections for step in each.steps]
        self._todo = list(self._steps)
        self._looks = [each.section for each in whole.sections]
        self._confirms = whole.needs_confirm and not is_confirmed
        self._at = _At.RECORDING if self._steps else _At.LOOKING
        self._section = ""
        self._until_ms = 0

    @property
    def is_ended(self) -> bool:
        """Whether there is nothing more to do."""
        return self._at is _At.ENDED

    def start(self, now_ms: int) -> Action | None:
        """Return the first action."""
        if self._at is _At.RECORDING:
            return Record(tuple(step for _, step in self._steps))
        return self._next(now_ms)

    def handle(self, event: Event, now_ms: int) -> Action | None:
        """Return the next action; None: there is none.

        Args:
            event: what the last one came to, or what happened while it waits.
            now_ms: of a clock that never steps.
        """
        match event:
            case Did(why):
                return self._did(why, now_ms)
            case Confirmed():
                return self._keep() if self._at is _At.WAITING else None
            case Tick():
                if self._at is not _At.WAITING or now_ms < self._until_ms:
                    return None
                why = f"nobody confirmed within {CONFIRM_MS // 1_000} s that the node is reached"
                return self._fail(why, now_ms)
            case _:
                assert_never(event)

    def _did(self, why: str, now_ms: int) -> Action | None:
        match self._at:
            case _At.RECORDING if why:  # nothing was done
                self.failed = ("", why)
                self._at = _At.ENDED
                return None
            case _At.UNDOING | _At.LOOKING_BACK:
                if why:  # the others are undone, and looked at, all the same
                    self.left = (*self.left, why)
                return self._next(now_ms)
            case _At.KEEPING | _At.DROPPING:
                return self._written(why)
            case _ if why:
                return self._fail(why, now_ms)
            case _At.RECORDING:
                self._at = _At.DOING
            case _:
                pass
        return self._next(now_ms)

    def _next(self, now_ms: int) -> Action | None:
        if self._at in {_At.UNDOING, _At.LOOKING_BACK}:
            return self._next_back()
        if self._at is _At.DOING:
            if self._todo:
                self._section, step = self._todo.pop(0)
                return Do(self._section, step)
            self._at = _At.LOOKING
        if self._at is _At.LOOKING:
            if self._looks:
                self._section = self._looks.pop(0)
                return Look(self._section)
            if self._confirms:
                self._at, self._until_ms = _At.WAITING, now_ms + CONFIRM_MS
                return Await(self._until_ms)
            return self._keep()
        return None

    def _next_back(self) -> Action | None:
        if self._todo:
            return Do(*self._todo.pop(0))
        self._at = _At.LOOKING_BACK
        return LookBack(self._looks.pop(0)) if self._looks else self._drop()

    def _keep(self) -> Action:
        self._at = _At.KEEPING
        return Keep()

    def _drop(self) -> Action | None:
        if self.left:
            self._at = _At.ENDED  # the journal stays: the next program tries again
            return None
        self._at = _At.DROPPING
        return Drop()

    def _written(self, why: str) -> Action | None:
        if self._at is _At.KEEPING and why:
            # Whether it is on disk nobody knows: with the journal back a kill is undone, too.
            self._begin_undoing(why)
            return Record(tuple(step for _, step in self._steps))
        if why:
            self.left = (*self.left, why)
        self.is_kept = self._at is _At.KEEPING
        self._at = _At.ENDED
        return None

    def _fail(self, why: str, now_ms: int) -> Action | None:
        self._begin_undoing(why)
        if not self._steps:
            self._at = _At.ENDED
            return None
        return self._next(now_ms)

    def _begin_undoing(self, why: str) -> None:
        self.failed = (self._section, why)
        begun = self._steps[: len(self._steps) - len(self._todo)]
        undo = undoing([step for _, step in begun])
        self._todo = [(self._section, step) for step in undo]
        self._looks = list(dict.fromkeys(section for section, _ in begun))
        self._at = _At.UNDOING
