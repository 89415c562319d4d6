"""What the node says: fills messages from what the cores and the outbox know, and encodes them."""

from collections.abc import Mapping
from typing import TypedDict

import msgspec

from roost_agent.alarms.service import AlarmMark
from roost_agent.config_apply.mark import ConfigMark
from roost_agent.heartbeat.core import SendBeat
from roost_agent.identity import Identity
from roost_agent.outbox.core import Publish
from roost_agent.outbox.spool import Spool
from roost_agent.paths.core import PathCore
from roost_agent.ports import Clock
from roost_protocol import __version__
from roost_protocol.beat import Beat, InventoryMark, LaneReport, PathReport
from roost_protocol.codec import VERSION, encode
from roost_protocol.envelope import Gone, Lane, Report


class _Sender(TypedDict):
    v: int
    node: str
    boot_id: bytes
    incarnation: int
    path: str
    sent_ms: int


class Marks(msgspec.Struct, frozen=True):
    """What was told last; None where nothing was."""

    inventory: InventoryMark | None
    alarms: AlarmMark | None
    config: ConfigMark | None


class Speaker:
    """One node's voice.

    Args:
        identity: whose.
        clock: for the times in the messages.
    """

    def __init__(self, identity: Identity, clock: Clock) -> None:
        self._identity = identity
        self._clock = clock

    def beat(
        self,
        due: SendBeat,
        cores: Mapping[str, PathCore],
        spool: Spool,
        marks: Marks,
    ) -> bytes:
        """Return the beat that is due, with the state of every path."""
        alarms, config = marks.alarms, marks.config
        return encode(
            Beat(
                **self._sender(due.path),
                n=due.n,
                interval_ms=due.interval_ms,
                uptime_s=self._clock.boot_ms() // 1000,
                agent=__version__,
                why=due.why,
                paths=[self._path(name, core) for name, core in cores.items()],
                alarm=_lane(spool, Lane.ALARM),
                bulk=_lane(spool, Lane.BULK),
                inventory=marks.inventory,
                alarms_digest=alarms.digest if alarms else None,
                alarms_count=alarms.count if alarms else 0,
                alarms_seq=alarms.seq if alarms else 0,
                config_digest=config.digest if config else None,
                config_gen=config.gen if config else 0,
                config_pending_reboot=config is not None and config.pending_reboot,
                config_drift=config.drift if config else 0,
            )
        )

    def report(self, said: Publish) -> bytes:
        """Return the report of a lane's items, or the empty one."""
        return encode(
            Report(
                **self._sender(said.path),
                lane=said.lane,
                stream=said.stream,
                prev=said.prev,
                items=list(said.items),
            )
        )

    def gone(self, path: str) -> bytes:
        """Return the good-bye, also a connection's will."""
        return encode(Gone(**self._sender(path)))

    def _sender(self, path: str) -> _Sender:
        return {
            "v": VERSION,
            "node": self._identity.node,
            "boot_id": self._identity.boot_id,
            "incarnation": self._identity.incarnation,
            "path": path,
            "sent_ms": max(self._clock.wall_ms(), 0),
        }

    def _path(self, name: str, core: PathCore) -> PathReport:
        age_ms = self._clock.boot_ms() - core.since_ms
        since_ms = max(self._clock.wall_ms() - age_ms, 0)
        return PathReport(name, core.kind, core.state, since_ms, core.rtt_us, core.loss_permille)


def _lane(spool: Spool, lane: Lane) -> LaneReport | None:
    counts = spool.lanes.get(lane)
    if counts is None:
        return None
    refused = spool.refused if lane is Lane.BULK else 0
    return LaneReport(
        counts.stream,
        counts.last,
        counts.waiting_items,
        counts.waiting_bytes,
        counts.dropped + refused,
    )
