"""Requests and answers of the control socket: one JSON line each."""

from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from roost_protocol.limits import HA_PATHS_MAX, NAME_CHARS_MAX, PATH_NAME_CHARS_MAX
from roost_protocol.patterns import END

REQUEST_BYTES_MAX: Final = 4_096
ANSWER_BYTES_MAX: Final = 1 << 20
HOST_MAINTENANCE_S_MAX: Final = 72 * 3_600  # as of the order (host_verbs.py)
HOLD_S_MAX: Final = 86_400  # a path that is forgotten on hold comes back within a day
CLASSES_MAX: Final = 64
DRILL_S: Final = (5, 300)  # long enough for a path's silence to show, short enough to be watched
EXPLAIN_MAX: Final = 2_000  # decisions of one answer: all that are remembered

PathName = Annotated[str, Meta(max_length=PATH_NAME_CHARS_MAX)]
NodeName = Annotated[str, Meta(max_length=NAME_CHARS_MAX)]  # of a node or a group


class Status(msgspec.Struct, tag_field="do", tag="status", forbid_unknown_fields=True):
    """How is it?"""


class PathHold(msgspec.Struct, tag_field="do", tag="path-hold", forbid_unknown_fields=True):
    """Take a path out of service for a while."""

    path: PathName
    seconds: Annotated[int, Meta(ge=1, le=HOLD_S_MAX)]


class PathRelease(msgspec.Struct, tag_field="do", tag="path-release", forbid_unknown_fields=True):
    """End a hold."""

    path: PathName


class Reprobe(msgspec.Struct, tag_field="do", tag="reprobe", forbid_unknown_fields=True):
    """Look at the hardware now."""

    classes: Annotated[
        list[Annotated[str, Meta(pattern="^[a-z_]{1,32}" + END)]], Meta(max_length=CLASSES_MAX)
    ] = []


class HostProcesses(
    msgspec.Struct, tag_field="do", tag="host-processes", forbid_unknown_fields=True
):
    """How are the watched processes?"""


class HostHealth(msgspec.Struct, tag_field="do", tag="host-health", forbid_unknown_fields=True):
    """What do the health scripts say? ``is_run``: have them run as well."""

    is_run: bool = False


class HostShow(msgspec.Struct, tag_field="do", tag="host-show", forbid_unknown_fields=True):
    """How do this host and the others of its site stand, and what came of the last act?"""


class HostAct(msgspec.Struct, tag_field="do", tag="host-act", forbid_unknown_fields=True):
    """Begin an act on this host; HostShow says what comes of it.

    Attributes:
        verb: of host_verbs.py.
        expect: the state that it was decided on, as ``unlocked/enabled/available``; empty: any.
        seconds: of a maintenance; 0 ends it.
        node: of a lock, another host that is silent; empty: this one.
    """

    verb: Annotated[str, Meta(max_length=40)]
    by: NodeName
    reason: Annotated[str, Meta(max_length=200)] = ""
    expect: Annotated[str, Meta(max_length=50)] = ""
    force: bool = False
    seconds: Annotated[int, Meta(ge=0, le=HOST_MAINTENANCE_S_MAX)] = 0
    node: NodeName = ""


class UpdateStatus(msgspec.Struct, tag_field="do", tag="update-status", forbid_unknown_fields=True):
    """What runs here, and which update is under way?"""


class UpdateHold(msgspec.Struct, tag_field="do", tag="update-hold", forbid_unknown_fields=True):
    """Let no update go in until then, UTC."""

    until_ms: Annotated[int, Meta(ge=0)]
    why: Annotated[str, Meta(min_length=1, max_length=200)]


class UpdateRelease(
    msgspec.Struct, tag_field="do", tag="update-release", forbid_unknown_fields=True
):
    """End a hold."""


class HaStatus(msgspec.Struct, tag_field="do", tag="ha-status", forbid_unknown_fields=True):
    """How is local HA?"""


class HaExplain(msgspec.Struct, tag_field="do", tag="ha-explain", forbid_unknown_fields=True):
    """What was decided of late?"""

    count: Annotated[int, Meta(ge=1, le=EXPLAIN_MAX)] = 50


class HaSwitchover(msgspec.Struct, tag_field="do", tag="ha-switchover", forbid_unknown_fields=True):
    """Give a group to another node, in order; ``is_forced``: also to one that joined just now."""

    group: NodeName
    to: NodeName | None = None
    is_forced: bool = False


class HaMaintenance(
    msgspec.Struct, tag_field="do", tag="ha-maintenance", forbid_unknown_fields=True
):
    """No chosen moves and no candidacy here for a while; 0 ends it."""

    group: NodeName
    seconds: Annotated[int, Meta(ge=0, le=HOLD_S_MAX)]


class HaTakeover(msgspec.Struct, tag_field="do", tag="ha-takeover", forbid_unknown_fields=True):
    """Take a group of a sticky pair: the operator has seen that the peer is off."""

    group: NodeName


class HaDrill(msgspec.Struct, tag_field="do", tag="ha-drill", forbid_unknown_fields=True):
    """Cut paths of this node, or stop its broker, for a while."""

    seconds: Annotated[int, Meta(ge=DRILL_S[0], le=DRILL_S[1])]
    cut: Annotated[list[Annotated[str, Meta(max_length=80)]], Meta(max_length=HA_PATHS_MAX)] = []
    stop_broker: bool = False


class HaDrillResult(
    msgspec.Struct, tag_field="do", tag="ha-drill-result", forbid_unknown_fields=True
):
    """How goes the drill, or how did the last one go?"""


class HaVoters(msgspec.Struct, tag_field="do", tag="ha-voters", forbid_unknown_fields=True):
    """One voter more or one less; ``is_disk_gone``: the operator's word that it votes no more."""

    node: NodeName
    is_added: bool
    is_disk_gone: bool = False


class HaMayGoDown(msgspec.Struct, tag_field="do", tag="ha-may-go-down", forbid_unknown_fields=True):
    """May this node go down now? The answer's ``verdict`` is a GoDown."""


class GoDown(StrEnum):
    """Whether a node may go down."""

    YES = "yes"
    AFTER_TRANSFER = "after transfer"
    NO = "no"


class HaTestWatchdog(
    msgspec.Struct, tag_field="do", tag="ha-test-watchdog", forbid_unknown_fields=True
):
    """Have this node's watchdog reset it; ``is_confirmed``: whoever asks knows that it does."""

    is_confirmed: bool = False


HaRequest = (
    HaStatus
    | HaExplain
    | HaSwitchover
    | HaMaintenance
    | HaTakeover
    | HaDrill
    | HaDrillResult
    | HaVoters
    | HaMayGoDown
    | HaTestWatchdog
)
HostRequest = HostProcesses | HostHealth | HostShow | HostAct
UpdateRequest = UpdateStatus | UpdateHold | UpdateRelease
Request = Status | PathHold | PathRelease | Reprobe | HostRequest | UpdateRequest | HaRequest


class Answer(msgspec.Struct, omit_defaults=True):
    """``error`` is empty when it was done."""

    error: str = ""
    result: dict[str, Any] = {}


request_decoder: Final = msgspec.json.Decoder(Request)
answer_decoder: Final = msgspec.json.Decoder(Answer)
