"""What the core of process monitoring is told, and what it has done."""

from typing import TypeAlias

import msgspec


class Event(msgspec.Struct, frozen=True):
    """About the process ``name``."""

    name: str


class Looked(Event, frozen=True):
    """Somebody looked for it: ``pid`` runs, 0: none does, as far as one can see."""

    pid: int


class Died(Event, frozen=True):
    """The process that had this number has ended; whoever has it now is another."""

    pid: int


class Restarted(Event, frozen=True):
    """A restart has ended.

    Attributes:
        error: empty: done; the helper's word, or ``gone``: no helper answered.
        detail: a sentence on it.
    """

    error: str = ""
    detail: str = ""


class Answered(Event, frozen=True):
    """The question ``seq`` has ended; ``complaint`` empty: it is well; None: nobody could ask."""

    seq: int
    complaint: str | None = ""


class Explained(Event, frozen=True):
    """Why it ended, as systemd says."""

    why: str


class Checked(Event, frozen=True):
    """Its script has ended; ``complaint`` as of an answer."""

    complaint: str | None


Told: TypeAlias = Looked | Died | Restarted | Answered | Explained | Checked


class Look(Event, frozen=True):
    """See which process it is, and follow that one."""


class Restart(Event, frozen=True):
    """Have the helper start it; ``is_hard``: stop what is left of it before."""

    is_hard: bool


class Ping(Event, frozen=True):
    """Ask it, or whoever its mode says, whether it is well."""

    seq: int


class Check(Event, frozen=True):
    """Run its script."""


class Say(Event, frozen=True):
    """Log a sentence; ``is_bad``: a person should see it."""

    text: str
    is_bad: bool = False


Action: TypeAlias = Look | Restart | Ping | Check | Say
