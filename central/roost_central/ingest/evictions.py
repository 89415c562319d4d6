"""Closes the sessions of whoever may not speak any more, by taking over their client ids.

The broker's rules have made such a session mute; this ends it. Who connects under another id than
the one that its report key gives stays connected, and mute.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import gmqtt

from roost_central.fleet.view import FleetView
from roost_central.ingest.config import BrokerAddress
from roost_central.ingest.mqtt import take_over
from roost_central.ingest.seals import Seals
from roost_central.liveness.turns import Start
from roost_protocol.topics import NodeId

logger = logging.getLogger(__name__)

LOOK_S: Final = 1.0
# After the identity ended: a session that was closed before the broker's rules and its list of
# revoked certificates are there comes back once, so it is closed again when they are.
TURNS_S: Final = (2.5, 7.0)

TakeOver = Callable[[BrokerAddress, str], Awaitable[None]]
Starts = Callable[[NodeId], Iterable[Start]]


class Evictions:
    """Follows the identities.

    Args:
        brokers: where sessions may be; those in the clear are left alone, nobody is known there.
        starts: those of a node's agent that were heard lately; two boxes of one identity have two.
        take_over: closes one session.
    """

    def __init__(
        self,
        seals: Seals,
        view: FleetView,
        brokers: Iterable[BrokerAddress],
        starts: Starts,
        take_over: TakeOver = take_over,
    ) -> None:
        self._seals = seals
        self._view = view
        self._brokers = tuple(broker for broker in brokers if broker.tls is not None)
        self._starts = starts
        self._take_over = take_over

    async def run(self) -> None:
        """Close sessions until cancelled."""
        seen = -1
        async with asyncio.TaskGroup() as tasks:
            while True:
                revision = self._seals.identities.revision
                if revision != seen:
                    seen = revision
                    sessions = self._ended()
                    if sessions:
                        tasks.create_task(self._close(sessions), name="central.ingest.evict")
                await asyncio.sleep(LOOK_S)

    def _ended(self) -> list[str]:
        """Return the client ids of those that have ended since the last time."""
        sessions: list[str] = []
        for node, seal in self._seals.take_ended():
            row = self._view.nodes.get(node)
            if row is None:
                continue
            names = [path.name for path in row.paths.values() if path.kind == "wan"]
            starts = {*self._starts(node)}
            if row.boot_id and row.incarnation is not None:
                starts.add((bytes.fromhex(row.boot_id), row.incarnation))
            sessions += [seal.client_id(*start, name) for start in sorted(starts) for name in names]
            logger.info("%s: generation %d has ended, its sessions go", node, seal.generation)
        return sessions

    async def _close(self, sessions: list[str]) -> None:
        slept_s = 0.0
        for turn_s in TURNS_S:
            await asyncio.sleep(turn_s - slept_s)
            slept_s = turn_s
            for broker in self._brokers:
                await self._close_at(broker, sessions)

    async def _close_at(self, broker: BrokerAddress, sessions: list[str]) -> None:
        try:
            for session in sessions:
                await self._take_over(broker, session)
        except (OSError, TimeoutError, gmqtt.MQTTConnectError) as err:
            # a broker that is not there has no sessions, and its rules hold when it is back
            logger.warning("broker %s: sessions are not closed: %r", broker.name, err)
