"""Takes local HA's decisions, state and alarms to the node's outbox, so that the centre has them.

A decision becomes an event; the state becomes one item whenever it is another, and never a second
one while the last still waits for the centre: a WAN that is gone for days holds one state, not a
thousand. What stands goes to the node's own alarm rules.

Invariants: nothing here waits for the disk, the broker or the centre, and local HA never waits for
any of this.
"""

import asyncio
from collections.abc import Mapping
from typing import Final, Protocol

from msgspec.structs import replace

from roost_agent.alarms.rules import Round
from roost_agent.alarms.samples.units import FAILED as SERVICE_FAILED
from roost_agent.errors import StorageError
from roost_agent.ha import state_report
from roost_agent.ha.decisions import Allowance, Decisions, Told, named
from roost_agent.ha.forgery import Forgery
from roost_agent.ha.health import LHM_UNFIT
from roost_agent.ha.runtime import Runtime
from roost_agent.ha.services.core import FAILED
from roost_agent.ha.standing import Facts, standing
from roost_agent.outbox.latest import Latest, Outbox
from roost_agent.outbox.spool import Batch
from roost_agent.outbox.store import Entry
from roost_agent.ports import Clock
from roost_protocol.alarm import Scalar
from roost_protocol.codec import pack
from roost_protocol.entity import escape
from roost_protocol.envelope import ItemKind, Lane
from roost_protocol.explain import Explain
from roost_protocol.ha_report import HaReport

LOOK_S: Final = 1.0
TOGETHER_MAX: Final = 32  # events of one batch


class Alarming(Protocol):
    """What judges and holds conditions: the node's alarms."""

    @property
    def is_open(self) -> bool:
        """Whether they take anything yet."""

    def observe(self, seen: Round) -> None:
        """Take in what stands; hold-off and clearing are its rules' matter."""

    def is_raised(self, type_: str, entity: str) -> bool:
        """Whether an alarm stands."""

    def raise_condition(self, type_: str, params: Mapping[str, Scalar], entity: str) -> None:
        """Raise one that needs no hold-off."""

    def clear_condition(self, type_: str, entity: str) -> None:
        """Clear it."""


class Upward:
    """One node's way up.

    Args:
        me: this node's name.
        outbox: of the node.
        alarms: of the node.
        clock: for times.
    """

    def __init__(self, me: str, outbox: Outbox, alarms: Alarming, clock: Clock) -> None:
        self._outbox = outbox
        self._alarms = alarms
        self._clock = clock
        self.decisions = Decisions(me, clock.boot_ms())
        changes = Allowance(clock.boot_ms())  # a path that flaps all day is told every 10 s
        self._state: Latest[HaReport] = Latest(outbox, ItemKind.HA, _steady, may=changes.take)
        self._failed: set[str] = set()
        self._were_open = False  # the node's alarms, at a look
        self._forgery = Forgery(clock.boot_ms())

    def explained(self, runtime: Runtime, said: Explain) -> Explain:
        """Note a decision, and return it with the names of its nodes."""
        told = named(said, runtime.core.name_of)
        now_ms = self._clock.boot_ms()
        self.decisions.explained(told, at_ms=max(self._clock.wall_ms(), 0), now_ms=now_ms)
        return told

    def done(self, runtime: Runtime) -> None:
        """Look at the roles after what was done."""
        at_ms = max(self._clock.wall_ms(), 0)
        self.decisions.changed(
            state_report.roles(runtime.core), at_ms=at_ms, now_ms=self._clock.boot_ms()
        )

    async def run(self, runtime: Runtime) -> None:
        """Look again and again, until cancelled."""
        while True:
            self.look(runtime)
            await asyncio.sleep(LOOK_S)

    def look(self, runtime: Runtime) -> None:
        """Hand over what is due."""
        self.done(runtime)
        if not self._outbox.lanes:
            return  # not open yet
        self._send_decisions()
        if not runtime.core.leases:
            return  # the first write of local HA is not on disk yet
        state = state_report.report(runtime, self._clock.wall_ms())
        self._alarms.observe(standing(self._facts(runtime)))
        self._tell_conditions(runtime)
        self._tell_failed(state)
        now_ms, wall_ms = self._clock.boot_ms(), self._clock.wall_ms()
        self._state.tell(state, now_ms=now_ms, wall_ms=wall_ms)  # or again in a second

    def _facts(self, runtime: Runtime) -> Facts:
        """Return what the alarms are judged by."""
        came = state_report.refused(runtime) | state_report.dropped(runtime)
        forged = self._forgery.look(came, self._clock.boot_ms())
        return replace(state_report.facts(runtime), forged=forged)

    def _tell_conditions(self, runtime: Runtime) -> None:
        """Raise what the core raised before the node's alarms were open; it does so once."""
        if self._were_open or not self._alarms.is_open:
            return
        self._were_open = True
        for (type_, entity), params in runtime.conditions.items():
            self._alarms.raise_condition(type_, params, entity)

    def _tell_failed(self, state: HaReport) -> None:
        """Raise services that failed; the type is shared with units that systemd runs alone."""
        failed = {
            f"service={escape(service)}"
            for group in state.groups
            for service, at in group.services.items()
            if at == FAILED
        }
        for entity in sorted(failed):
            if not self._alarms.is_raised(SERVICE_FAILED, entity):
                self._alarms.raise_condition(SERVICE_FAILED, {"state": FAILED}, entity)
        for entity in self._failed - failed:
            self._alarms.clear_condition(SERVICE_FAILED, entity)
        self._failed = failed

    def _send_decisions(self) -> None:
        while told := self.decisions.take(TOGETHER_MAX):
            try:
                self._outbox.append(Batch(tuple(map(_event, told)), {}))
            except StorageError:
                self.decisions.put_back(told)
                return


def _steady(state: HaReport) -> HaReport:
    """Return a state without what changes by itself from second to second."""
    peers = [replace(peer, since_ms=0) for peer in state.peers]
    return replace(state, health=int(state.health >= LHM_UNFIT), peers=peers)


def _event(told: Told) -> Entry:
    body, compressed = pack(told.event)
    return Entry(Lane.BULK, ItemKind.EVENT, told.at_ms, body, compressed)
