"""What a node's update is told, and what it asks for: the words of core.py. Pure.

The state is all that the journal keeps of where a node is; what follows from it is the core's.
"""

from typing import TypeAlias

import msgspec

from roost_agent.update.step import Step, Who
from roost_protocol.update import FailureType


class Plan(msgspec.Struct, frozen=True):
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


class State(msgspec.Struct, frozen=True):
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


class Did(msgspec.Struct, frozen=True):
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


class Go(msgspec.Struct, frozen=True):
    """The site's coordinator gives its lock; those of an older epoch are refused."""

    epoch: int


class Cancel(msgspec.Struct, frozen=True):
    """Give it up, if that is still possible; ``why`` is empty for an operator's word."""

    why: str = ""


class Tick(msgspec.Struct, frozen=True):
    """Time passed; ``waits``: for what a download or the site's word waits; empty: nobody says."""

    wall_ms: int
    waits: str = ""


class Started(msgspec.Struct, frozen=True):
    """The agent is here: the job begins, or goes on from where the journal has it."""

    boot_id: str


class Known(msgspec.Struct, frozen=True):
    """What the helper says of a key after a crash: done, running, or unknown."""

    key: str
    word: str
    why: str = ""
    reboot: bool = False


Event: TypeAlias = Did | Go | Cancel | Tick | Started | Known


class Record(msgspec.Struct, frozen=True):
    """Bring the state to the disk, and how the step before it ended; only then do what follows."""

    state: State
    ended: Step | None = None
    why: str = ""


class Do(msgspec.Struct, frozen=True):
    """Begin a step; its answer is a ``Did`` with this key."""

    step: Step
    key: str
    nonce: str = ""


class Ask(msgspec.Struct, frozen=True):
    """Ask the helper how a step stands that it was doing when the agent ended."""

    key: str


class Alarm(msgspec.Struct, frozen=True):
    """Raise one: ``rollback-failed``, ``unlock-failed`` or ``cleanup-failed``."""

    name: str
    detail: str


class Refused(msgspec.Struct, frozen=True):
    """An event that changes nothing; to be logged."""

    why: str


Action: TypeAlias = Record | Do | Ask | Alarm | Refused
