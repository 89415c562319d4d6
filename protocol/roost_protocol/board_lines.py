"""What a centre and the child that polls boards for it say to each other: JSON, a line each.

The centre's lines go by standard input, a pipe, since they have passwords; the child's by standard
output have none. It ends where its input ends, and says that it lives every ALIVE_S.

Invariants: a line has at most LINE_BYTES_MAX; what is set stands in place of all that was set.
"""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from roost_protocol.alarm import Scalar
from roost_protocol.bmc_report import BmcReport
from roost_protocol.boards import BoardAccess, SensorSettings

MODULE: Final = "roost_agent.bmc.fleet"  # python -m
BOARDS_MAX: Final = 2_000  # that one child polls
LINE_BYTES_MAX: Final = 32 << 20  # BOARDS_MAX of them with a CA's certificate each
ALIVE_S: Final = 10.0
REACH_S: Final = 30.0  # for a board to be reached by hand

Learned = dict[str, Any]  # of a controller: the child's own, given back as it was


class Polled(msgspec.Struct, frozen=True, kw_only=True):
    """A board that is to be polled; ``node`` is its machine's id, its site included."""

    node: str
    access: BoardAccess
    sensors: SensorSettings = SensorSettings()
    learned: Learned = {}


class PollBoards(msgspec.Struct, frozen=True, tag="poll"):
    """Poll these, and no others."""

    boards: Annotated[list[Polled], Meta(max_length=BOARDS_MAX)]


class ReachBoard(msgspec.Struct, frozen=True, tag="reach"):
    """Reach one now, and say who it is."""

    node: str


class LearnAnew(msgspec.Struct, frozen=True, tag="relearn"):
    """Forget what was learned of one, and poll it now."""

    node: str


Line = PollBoards | ReachBoard | LearnAnew


class Found(msgspec.Struct, frozen=True):
    """An alarm's condition as it is now; ``severity`` 0: it is not so, None: nobody knows."""

    type: str
    entity: str
    severity: int | None
    params: dict[str, Scalar] = {}


class Told(msgspec.Struct, frozen=True, kw_only=True, tag="told"):
    """How a board stands, when that changed or is old.

    Attributes:
        report: as a node tells it.
        found: all conditions of it; what is not there is not so.
        learned: to be given back with the next start.
    """

    node: str
    report: BmcReport
    found: list[Found]
    learned: Learned


class Logged(msgspec.Struct, frozen=True, kw_only=True, tag="logged"):
    """A record of a board's own log; ``severity`` as of an alarm."""

    node: str
    record: int
    at: str
    text: str
    severity: int


class Reached(msgspec.Struct, frozen=True, kw_only=True, tag="reached"):
    """What came of reaching one; ``fault`` is its kind, empty: it was reached."""

    node: str
    fault: str = ""
    text: str = ""


class Alive(msgspec.Struct, frozen=True, kw_only=True, tag="alive"):
    """The child lives; ``late`` boards are a whole interval past their time."""

    boards: int
    late: int = 0


Word = Told | Logged | Reached | Alive

read_line: Final = msgspec.json.Decoder(Line).decode
read_word: Final = msgspec.json.Decoder(Word).decode
