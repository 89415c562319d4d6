"""Answers one request of an application; knows nothing of sockets.

Every request is answered at once or after the commit it needs; a disk that does not take it in
ANSWER_S is told as such, and the alarm stays wanted.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from roost_agent.alarms.local_message import (
    PACKET_BYTES_MAX,
    Answer,
    ClearAllRequest,
    ClearRequest,
    ListRequest,
    LogRequest,
    PingRequest,
    RaiseRequest,
    Request,
    refused,
)
from roost_agent.alarms.row import Row
from roost_agent.alarms.service import Alarms, refusal
from roost_agent.alarms.table import Raise
from roost_agent.errors import StorageError
from roost_agent.outbox.spool import Batch, Spool
from roost_agent.outbox.store import Entry
from roost_agent.ports import Clock
from roost_protocol import __version__
from roost_protocol import entity as entities
from roost_protocol.alarm import Event
from roost_protocol.catalogue import cut
from roost_protocol.codec import VERSION, pack
from roost_protocol.envelope import ItemKind, Lane
from roost_protocol.errors import ProtocolError
from roost_protocol.severity import Severity

ANSWER_S: Final = 0.15  # for the disk; the client waits 0.2 s in all
REASON: Final = "gone"
TYPES_SHOWN_MAX: Final = 12  # of those that a refusal names


class Desk:
    """What applications may ask of one node.

    Args:
        alarms: the node's.
        spool: for events.
        clock: for their times.
        node: its id.
    """

    def __init__(self, alarms: Alarms, spool: Spool, clock: Clock, node: str) -> None:
        self._alarms = alarms
        self._spool = spool
        self._clock = clock
        self._node = node

    async def answer(self, request: Request, unit: str) -> Answer:
        """Do what is asked for a unit and say how it went."""
        try:
            if not (self._alarms.is_open or isinstance(request, PingRequest)):
                return Answer(ok=False, error="starting", detail="the outbox is not open yet")
            return await self._done(request, unit)
        except ProtocolError as err:
            return refused(err)
        except StorageError as err:
            return Answer(ok=False, error="storage", detail=str(err)[:512])

    async def _done(self, request: Request, unit: str) -> Answer:
        match request:
            case RaiseRequest():
                answer = await self._raise(request, unit)
            case ClearRequest():
                answer = await self._clear(request)
            case ClearAllRequest():
                answer = await self._clear_all(request)
            case ListRequest():
                answer = self._list(request)
            case LogRequest():
                answer = await self._log(request)
            case _:
                answer = Answer(ok=True, result={"node": self._node, "version": __version__})
        return answer

    def over_quota(self, unit: str, reason: str) -> None:
        """Make it visible that a unit wants more than it may."""
        if self._alarms.is_open:
            self._alarms.over_quota(unit, reason)

    async def _raise(self, request: RaiseRequest, unit: str) -> Answer:
        event = Raise(
            request.type,
            request.entity,
            Severity.of(request.severity),
            request.text,
            request.params,
            owner=unit,
            ttl_ms=round((request.ttl_s or 0) * 1000),
        )
        self._check_type(request.type, is_event=False)
        if (err := refusal(event, self._alarms.types)) is not None:
            raise err
        done = _future()
        no_room = self._alarms.raise_(event, _settling(done))
        if no_room is not None:
            whose = "of this application" if no_room.owner else "of this node"
            raise ProtocolError("quota", field="alarms", bound=f"{no_room.bound} {whose}")
        return await _on_disk(done)

    async def _clear(self, request: ClearRequest) -> Answer:
        self._check_type(request.type, is_event=False)
        entities.parse(request.entity)
        done = _future()
        self._alarms.clear(request.type, request.entity, REASON, _settling(done))
        return await _on_disk(done)

    async def _clear_all(self, request: ClearAllRequest) -> Answer:
        outer = entities.parse(request.prefix)
        if not outer:
            raise ProtocolError("entity", field="prefix", got="", bound="at least one kind=value")
        found = [
            row.key
            for row in self._alarms.table.rows.values()
            if row.owner and entities.contains(outer, entities.parse(row.entity))
        ]
        done = _future()
        if not found:
            return Answer(ok=True, result={"cleared": 0})
        for key in found[:-1]:
            self._alarms.clear(*key, REASON)
        self._alarms.clear(*found[-1], REASON, _settling(done))
        answer = await _on_disk(done)
        answer.result = {"cleared": len(found)}
        return answer

    def _list(self, request: ListRequest) -> Answer:
        rows = self._alarms.table.rows
        keys = {entities.key(*key): key for key in rows}
        shown: list[dict[str, object]] = []
        size = 256  # of the answer around the alarms
        after = request.after
        for key in sorted(each for each in keys if each > request.after):
            one = _shown(rows[keys[key]])
            size += len(msgspec.json.encode(one)) + 1
            if size > PACKET_BYTES_MAX and shown:
                return Answer(ok=True, result={"alarms": shown, "next": after})
            shown.append(one)
            after = key
        return Answer(ok=True, result={"alarms": shown, "next": None})

    async def _log(self, request: LogRequest) -> Answer:
        self._check_type(request.type, is_event=True)
        type_ = self._alarms.types[request.type]
        kinds = [kind for kind, _ in entities.parse(request.entity)]
        if not type_.fits(kinds):
            bound = f"{type_.shape} for {request.type}"
            raise ProtocolError("entity", field="entity", got=request.entity, bound=bound)
        severity = Severity.of(request.severity)
        values: dict[str, object] = dict(entities.parse(request.entity))
        text = cut(type_.text(severity, values, said=request.text))
        event = Event(
            v=VERSION, type=request.type, severity=severity, entity=request.entity, text=text
        )
        body, compressed = pack(event)
        at_ms = max(self._clock.wall_ms(), 0)
        entry = Entry(Lane.BULK, ItemKind.EVENT, at_ms, body, compressed)
        done = _future()
        settle = _settling(done)
        self._spool.append(Batch((entry,), {}, lambda lanes: settle(lanes[Lane.BULK].last)))
        return await _on_disk(done)

    def _check_type(self, id_: str, *, is_event: bool) -> None:
        types = self._alarms.types
        type_ = types.get(id_)
        if type_ is None or type_.source != "app" or type_.event is not is_event:
            known = [
                name
                for name, each in sorted(types.items())
                if each.source == "app" and each.event is is_event
            ]
            what = "events" if is_event else "alarms"
            bound = f"an application's type of {what}: {', '.join(known[:TYPES_SHOWN_MAX])}"
            raise ProtocolError("type", field="type", got=id_, bound=bound)


def _future() -> "asyncio.Future[int]":
    return asyncio.get_running_loop().create_future()


def _settling(done: "asyncio.Future[int]") -> Callable[[int], None]:
    def settle(seq: int) -> None:
        if not done.done():  # the asker has stopped waiting
            done.set_result(seq)

    return settle


async def _on_disk(done: "asyncio.Future[int]") -> Answer:
    try:
        async with asyncio.timeout(ANSWER_S):
            return Answer(ok=True, seq=await done)
    except TimeoutError:
        detail = f"taken, and not on disk within {ANSWER_S:g} s"
        return Answer(ok=False, error="slow-disk", detail=detail)


def _shown(row: Row) -> dict[str, object]:
    return {
        "type": row.type,
        "entity": row.entity,
        "severity": row.severity.word,
        "text": row.text,
        "params": row.params,
        "raised_ms": row.raised_ms,
        "count": row.count,
        "flapping": row.flapping,
        "owner": row.owner,
        "ttl_s": row.ttl_ms / 1000 if row.ttl_ms else None,
    }
