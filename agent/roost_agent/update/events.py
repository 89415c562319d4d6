"""What a node's update is told, and what it asks for: the words of core.py. Pure.

The state is all that the journal keeps of where a node is; what follows from it is the core's.
"""

from dataclasses import dataclass
from typing import TypeAlias

from roost_agent.update.step import Step, Who
from roost_protocol.update import FailureType


@dataclass(frozen=True, slots=True)
class Plan:
    """What a job asks of this node.

    Attributes:
        job, attempt: of the site's job; with the step they make the key.
        needs_reboot, needs_drain: of the release.
        not_after_ms: wall clock; what is not applied by then is given up.
    """

    job: str
    attempt: int
    needs_reboot: bool
    needs_drain: bool
    not_after_ms: int


@dataclass(frozen=True, slots=True)
class State:
    """All that the journal keeps of where a node is.

    Attributes:
        step: whose intent is recorded.
        since_ms, boot_id: when and in which boot it began.
        tries: of rollback.
        epoch: of the coordinator that let it go on.
        nonce: of the reboot that is asked for, empty: of none.
        touched: the site gave its lock, and the node may be drained or locked.
        installed: an install was begun.
        rebooted: the new release was booted, so that the way back is a boot too.
        committed: nothing leads back any more.
        canceled, given_up: an abort is to be acted on at the next boundary, and why.
        failure, detail: why it failed; None: it did not.
        stuck: it could not go back whole.
    """

    step: Step
    since_ms: int
    boot_id: str
    tries: int = 0
    epoch: int = 0
    nonce: str = ""
    touched: bool = False
    installed: bool = False
    rebooted: bool = False
    committed: bool = False
    canceled: bool = False
    failure: FailureType | None = None
    detail: str = ""
    stuck: bool = False
    given_up: str = ""


@dataclass(frozen=True, slots=True)
class Did:
    """A step came to its end.

    Attributes:
        key: of the step (``Node.key``).
        why: it failed; empty: it did not.
        holds_lease: of drain: a lease is held here and is to be given away.
        reboot: of install: the installer says that it takes a boot.
    """

    key: str
    who: Who
    why: str = ""
    holds_lease: bool = False
    reboot: bool = False


@dataclass(frozen=True, slots=True)
class Go:
    """The site's coordinator gives its lock; those of an older epoch are refused."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """Give it up, if that is still possible; ``why`` is empty for an operator's word."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed."""

    wall_ms: int


@dataclass(frozen=True, slots=True)
class Started:
    """The agent is here: the job begins, or goes on from where the journal has it."""

    boot_id: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the helper says of a key after a crash: done, running, or unknown."""

    key: str
    word: str
    why: str = ""
    reboot: bool = False


Event: TypeAlias = Did | Go | Cancel | Tick | Started | Known


@dataclass(frozen=True, slots=True)
class Record:
    """Bring the state to the disk, and how the step before it ended; only then do what follows."""

    state: State
    ended: Step | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Do:
    """Begin a step; its answer is a ``Did`` with this key."""

    step: Step
    key: str
    nonce: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the helper how a step stands that it was doing when the agent ended."""

    key: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """Raise one: ``rollback-failed``, ``unlock-failed`` or ``cleanup-failed``."""

    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that changes nothing; to be logged."""

    why: str


Action: TypeAlias = Record | Do | Ask | Alarm | Refused
