"""The coordinator of a node that is alone: what it goes by is what it sees itself.

Leaves to others: what a window and an alarm mean for a release (times.py, restriction.py).
"""

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from roost_agent.alarms.row import Row
from roost_agent.update.baseline import Baseline, Key, Stand, crashed, raised, running
from roost_agent.update.kept import Hold, Kept
from roost_agent.update.node_clock import NodeClock
from roost_agent.update.openings import Openings
from roost_agent.update.own_window import OwnWindow
from roost_agent.update.place import Near
from roost_agent.update.restriction import in_the_way, shown, stood
from roost_agent.update.site_job import Verdict, decide
from roost_agent.update.site_standing import Head, Job, Member, Role, Site
from roost_agent.update.times import closed, held
from roost_protocol.update import Offer
from roost_protocol.window import Window

if TYPE_CHECKING:
    from roost_agent.driver import Driver


class Alone:
    """A node that asks nobody: it is its own site's coordinator.

    Args:
        driver: the running agent.
        clock: whether windows open by this node's.
        own: the window of its profile.
    """

    def __init__(self, driver: "Driver", clock: NodeClock, own: OwnWindow) -> None:
        self._driver = driver
        self._clock = clock
        self._own = own
        self._openings = Openings()

    @property
    def role(self) -> Role:
        """See Coordinator: of the roles that its configuration names, else a controller."""
        said = self._driver.config.processes.roles
        return next((role for role in Role if role in said), Role.CONTROLLER)

    async def look(self, offer: Offer, *, is_at_it: bool) -> None:
        """See Coordinator: the window of its profile keeps nobody but this node."""
        if is_at_it:
            await self._own.look()
        if offer.window is not None or self._own.now is not None:
            await self._clock.look()

    def closed(self, offer: Offer) -> tuple[str, bool]:
        """Return why nothing may go in now by this node, empty: it may; and whose window that is.

        True: of its profile alone, which binds no other node.
        """
        own = self._own
        why = self._closed(offer, own.now)
        if own.now is not None:
            return why, not why or not self._closed(offer, None)
        if own.fault and not why:
            return f"the window of its profile cannot be read: {own.fault}", True
        return why, not why

    def _closed(self, offer: Offer, own: Window | None) -> str:
        wall_ms, distrust = self._driver.known_time.wall_ms(), self._clock.distrust()
        return closed(offer, wall_ms, distrust, own, self._openings)

    def ask(self, offer: Offer, kept: Kept, head: Head, hold: Hold | None) -> tuple[int, Verdict]:
        """See Coordinator."""
        me = self._driver.identity.node
        job = Job(frozenset({me}), takes_down=kept.reboot or kept.drain, alarms=offer.alarms)
        head = replace(head, alarm=shown(self.alarm(offer, kept)))
        alone = [Member(me, self.role, head, is_coordinator=True)]
        site = Site(alone, window=self.closed(offer)[0], hold=held(hold))
        return 0, decide(job, site, self._driver.clock.boot_ms())

    def standing(self, offer: Offer) -> tuple[Key, ...]:
        """See Coordinator."""
        return stood(self._rows(), self._driver.alarms.types, offer)

    def alarm(self, offer: Offer, kept: Kept) -> Row | None:
        """Return the alarm on this node that keeps its site from going on; None: none does."""
        return in_the_way(self._rows(), self._driver.alarms.types, offer, kept)

    def _rows(self) -> Collection[Row]:
        alarms = self._driver.alarms
        return alarms.table.rows.values() if alarms.is_open else ()

    def is_reached(self) -> bool:
        """See Coordinator."""
        return any(wire.core.connected for wire in self._driver.wires.values())

    async def drain(self) -> str:
        """See Site: nobody is there to take anything."""
        return ""

    is_locked = False
    holds_lease = False

    async def hand_over(self) -> str:
        """See Site."""
        return ""

    async def lock(self) -> str:
        """See Site."""
        return ""

    async def unlock(self) -> str:
        """See Site."""
        return ""

    def near(self, _offer: Offer) -> Near:
        """See Site: there is nobody near."""
        return Near()

    def lending(self) -> tuple[str, ...]:
        """See Site."""
        return ()

    def baseline(self) -> Baseline:
        """See Coordinator."""
        alarms = tuple(self._driver.alarms.serious())
        return Baseline(running(self._processes()), alarms)

    def _processes(self) -> dict[str, Stand]:
        watching = self._driver.processes
        found = {} if watching is None else watching.stands()
        return {name: Stand(*each) for name, each in found.items()}

    async def unwell(self, kept: Kept, expected: Collection[str]) -> str:
        """See Site: it beats as it did, its health scripts pass, and nothing has failed anew."""
        if kept.was_reached and not self.is_reached():
            return "it beats on no path, and did before"
        if kept.before is not None:
            now_ms = self._driver.clock.boot_ms()
            if why := crashed(kept.before, self._processes(), now_ms):
                return why
            fine = {*expected, *kept.expected}
            if why := raised(kept.before, self._driver.alarms.serious(), fine):
                return why
        failed = await self._driver.health.check("inservice")
        return "; ".join(f"health check {each.check}: {each.complaint}" for each in failed)
