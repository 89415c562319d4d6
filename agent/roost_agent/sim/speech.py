"""What a simulated node says: fills the messages of the wire, as the agent's driver does."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypedDict

from roost_agent.heartbeat.core import SendBeat
from roost_agent.outbox.core import Publish
from roost_agent.paths.core import PathCore
from roost_agent.sim.outbox import MemoryLane
from roost_protocol import __version__
from roost_protocol.beat import Beat, InventoryMark, PathReport
from roost_protocol.codec import VERSION, encode
from roost_protocol.envelope import Gone, Report

AGENT: Final = f"{__version__}+sim"  # nobody shall take it for a real one


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant by both clocks that messages need, in ms."""

    now_ms: int  # boot clock
    wall_ms: int


@dataclass(slots=True)
class Sender:
    """Who speaks: changes at each boot."""

    node: str
    boot_id: bytes
    incarnation: int
    booted_ms: int


class _Envelope(TypedDict):
    v: int
    node: str
    boot_id: bytes
    incarnation: int
    path: str
    sent_ms: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What a beat tells besides itself."""

    paths: Iterable[tuple[str, PathCore]]
    alarm: MemoryLane
    bulk: MemoryLane
    inventory: InventoryMark | None
    alarms: tuple[bytes, int, int]  # digest and count of the set, last number in its lane


def beat(sender: Sender, due: SendBeat, standing: Standing, at: Moment) -> bytes:
    """Return the beat that is due."""
    return encode(
        Beat(
            **_envelope(sender, due.path, at),
            n=due.n,
            interval_ms=due.interval_ms,
            uptime_s=(at.now_ms - sender.booted_ms) // 1000,
            agent=AGENT,
            why=due.why,
            paths=[_path(name, core, at) for name, core in standing.paths],
            alarm=standing.alarm.report,
            bulk=standing.bulk.report,
            inventory=standing.inventory,
            alarms_digest=standing.alarms[0],
            alarms_count=standing.alarms[1],
            alarms_seq=standing.alarms[2],
        )
    )


def report(sender: Sender, said: Publish, at: Moment) -> bytes:
    """Return the report of a lane's items, or the empty one."""
    return encode(
        Report(
            **_envelope(sender, said.path, at),
            lane=said.lane,
            stream=said.stream,
            prev=said.prev,
            items=list(said.items),
        )
    )


def gone(sender: Sender, path: str, at: Moment) -> bytes:
    """Return the will of a path."""
    return encode(Gone(**_envelope(sender, path, at)))


def _envelope(sender: Sender, path: str, at: Moment) -> _Envelope:
    return {
        "v": VERSION,
        "node": sender.node,
        "boot_id": sender.boot_id,
        "incarnation": sender.incarnation,
        "path": path,
        "sent_ms": at.wall_ms,
    }


def _path(name: str, core: PathCore, at: Moment) -> PathReport:
    since_ms = at.wall_ms - (at.now_ms - core.since_ms)
    return PathReport(name, core.kind, core.state, since_ms, core.rtt_us, core.loss_permille)
