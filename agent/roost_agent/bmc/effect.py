"""What the core of board controllers takes in and what it wants done."""

from dataclasses import dataclass
from typing import TypeAlias

from roost_agent.bmc.talk import Answer, LogRecord, Verb


@dataclass(frozen=True, slots=True)
class Moment:
    """Now: by the boot clock, and UTC for what a restart must not forget."""

    ms: int
    wall_ms: int


@dataclass(frozen=True, slots=True)
class Tick:
    """Look what is due; ``is_ours``: this node's turn it is; None: nobody knows yet whose."""

    is_ours: bool | None


@dataclass(frozen=True, slots=True)
class Answered:
    """A poll came back; ``spent``: when machines of the site were acted on within the hour."""

    answer: Answer
    spent: tuple[int, ...] = ()


Event: TypeAlias = Tick | Answered


@dataclass(frozen=True, slots=True)
class Poll:
    """Ask these controllers together: those that answer well, or those that do not."""

    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Act:
    """Do this to a machine; ``acts`` is to be on the disk before it is."""

    node: str
    verb: Verb
    why: str
    acts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """Write a sentence to the log of the agent."""

    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a controller's own log."""

    node: str
    record: LogRecord


Effect: TypeAlias = Poll | Act | Note | Record
