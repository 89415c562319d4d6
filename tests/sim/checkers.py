"""What must hold of a running agent and a running centre after each event, and at the end of all.

Separate from the product's own ``check_invariants``: it reads positions and lengths, and bounds
that stand here a second time, so that a bound changed by mistake is seen.
"""

from typing import TYPE_CHECKING

from sim.oracle import ALARM_TYPE

from roost_protocol.envelope import Lane

if TYPE_CHECKING:
    from sim.node import Node
    from sim.world import World

WIRE_MAX = 64
PENDING_ITEMS_MAX = 1_024 + 256
FLIGHTS_MAX = 8
BEATS_MAX = 50_000
REPORTS_MAX = 10_000
CRITICAL_BYTES_MAX = 400  # of one that nodes say here, with its row: a full outbox takes no more
FORGOTTEN_S = 600.0  # a node that is shown online beat within this, whatever the network held back


class Checkers:
    """See the module."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._acted: dict[str, int] = {}

    def after_event(self, host: str) -> None:
        """Check the program that an event reached."""
        node = self._world.nodes.get(host)
        if node is not None:
            self._node(node)
        elif host == "centre":
            self._centre()

    def periodic(self) -> None:
        """Check what costs too much to be checked after each event."""
        self._world.audit.look()
        self._presence()

    def unsettled(self) -> list[str]:
        """Return what has not converged yet: empty once the fleet is as it ought to be."""
        world = self._world
        view = world.centre.view
        if not world.centre.host.is_up or world.centre.service is None:
            return ["the centre is not up"]
        reasons = [
            f"{name} is {row.status}"
            for name, row in view.sites.items()
            if row.status not in {"ok", "degraded"}
        ]
        if world.centre.service.counters.quiet:
            reasons.append("the centre suspects itself")
        for name, node in world.nodes.items():
            reasons += self._unsettled_node(name, node)
        return reasons

    def final(self) -> None:
        """Compare with the oracle, once everything has converged."""
        for name, told in self._world.oracle.nodes.items():
            effects = {
                number
                for lane in Lane
                for number in self._world.audit.effects.get((name, lane.value), ())
            }
            missing = sorted(told.accepted.keys() - effects)
            kept_bytes = CRITICAL_BYTES_MAX * sum(told.accepted.values())
            lost = [number for number in missing if told.accepted[number]]
            if lost and kept_bytes < self._world.plan.outbox_bytes:
                self._world.violate(f"{name} lost criticals: {lost[:10]}")
            driver = self._world.nodes[name].driver
            assert driver is not None
            dropped = sum(counts.dropped for counts in driver.spool.lanes.values())
            if missing:
                self._world.trace.met("an outbox dropped by its policy")
            if len(missing) > dropped:
                self._world.violate(
                    f"{name} lost {len(missing)} and owns to {dropped}: {missing[:10]}"
                )

    def _node(self, node: "Node") -> None:
        driver = node.driver
        if driver is None:
            return
        for name, wire in driver.wires.items():
            if len(wire._queue) > WIRE_MAX:
                self._world.violate(f"{node.name}: {len(wire._queue)} messages wait for {name}")
        if driver.spool._pending:
            waiting = sum(len(batch.entries) for batch in driver.spool._pending)
            if waiting > PENDING_ITEMS_MAX:
                self._world.violate(f"{node.name}: {waiting} entries wait for the disk")
        if driver._delivery is not None:
            for lane in driver._delivery._lanes.values():
                if not lane.mark <= lane.cursor <= lane.last or len(lane.flights) > FLIGHTS_MAX:
                    self._world.violate(
                        f"{node.name} {lane.lane}: mark {lane.mark}, cursor {lane.cursor}, last "
                        f"{lane.last}, {len(lane.flights)} in flight"
                    )

    def _centre(self) -> None:
        service = self._world.centre.service
        if service is None:
            return
        inbox = service._inbox
        if len(inbox.beats) > BEATS_MAX or len(inbox.reports) > REPORTS_MAX:
            self._world.violate(f"{len(inbox.beats)} beats, {len(inbox.reports)} reports wait")

    def _presence(self) -> None:
        """See that nobody is shown online who did not beat for long."""
        world = self._world
        if not world.centre.host.is_up or world.is_replaying or world.paused:
            return
        for name, row in world.centre.view.nodes.items():
            silent_s = world.loop.time() - world.oracle.nodes[name].beat_s
            if row.presence == "online" and silent_s > FORGOTTEN_S:
                world.violate(f"{name} is shown online and was silent for {silent_s:.0f} s")

    def _unsettled_node(self, name: str, node: "Node") -> list[str]:
        row = self._world.centre.view.nodes.get(name)
        driver = node.driver
        if row is None or driver is None or not node.host.is_up:
            return [f"{name} is not there"]
        assert self._world.centre.service is not None
        epoch = self._world.centre.service._receipts.epoch
        reasons = []
        if row.presence not in {"online", "degraded"}:
            reasons.append(f"{name} is {row.presence}")
        reasons += [
            f"{name} {path.name} is {path.state}"
            for path in row.paths.values()
            if path.state not in {"up", "flaky"}
        ]
        if len(row.paths) != len(node.config.paths):
            reasons.append(f"{name} shows {len(row.paths)} of {len(node.config.paths)} paths")
        if driver._delivery is None or not driver._delivery.idle() or not driver.spool.is_idle:
            reasons.append(f"{name} has something unsaid")
        elif any(lane.epoch != epoch for lane in driver._delivery._lanes.values()):
            reasons.append(f"{name} has not met this centre yet")
        hardware = {each: node.machine.found(each) for each in node.machine.sections}
        if row.inventory_behind or self._world.audit.sections(name) != hardware:
            reasons.append(f"{name} has another inventory than central")
        if self._world.audit.alarms(name, ALARM_TYPE) != node.alarms():
            reasons.append(f"{name} has other alarms than central")
        return reasons
