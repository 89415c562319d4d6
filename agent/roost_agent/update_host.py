"""The updates of a running agent: what they work with, and whether this node can have any."""

import logging
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from roost_agent.alarms.row import Row
from roost_agent.ports import SystemEntropy
from roost_agent.update.baseline import Baseline, Key, Stand, crashed, raised, running
from roost_agent.update.hands import Hands
from roost_agent.update.journal import Journal
from roost_agent.update.keeper import Keeper
from roost_agent.update.kept import Hold, Kept
from roost_agent.update.node_clock import NodeClock
from roost_agent.update.own_window import OwnWindow
from roost_agent.update.place import Near, Places
from roost_agent.update.receipts import Receipts
from roost_agent.update.restriction import in_the_way, shown, stood
from roost_agent.update.service import Updates
from roost_agent.update.site_job import Verdict, decide
from roost_agent.update.site_standing import Head, Job, Member, Role, Site
from roost_agent.update.teller import Teller
from roost_agent.update.times import closed, held

if TYPE_CHECKING:
    from roost_agent.driver import Driver
    from roost_agent.ha.runtime import Runtime
    from roost_agent.update.in_site import InSite as OfSite
    from roost_protocol.update import Offer

log = logging.getLogger(__name__)

ASK_S: Final = 65.0
FOLDER: Final = "updates"


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

    @property
    def role(self) -> Role:
        """See Coordinator: of the roles that its configuration names, else a controller."""
        said = self._driver.config.processes.roles
        return next((role for role in Role if role in said), Role.CONTROLLER)

    async def look(self, offer: "Offer") -> None:
        """See Coordinator."""
        await self._own.look()
        if offer.window is not None or self._own.now is not None:
            await self._clock.look()

    def closed(self, offer: "Offer") -> tuple[str, bool]:
        """Return why nothing may go in now by this node, empty: it may; and whose window that is.

        True: of its profile alone, which binds no other node.
        """
        wall_ms, distrust = self._driver.known_time.wall_ms(), self._clock.distrust()
        is_own = not closed(offer, wall_ms, distrust)
        if self._own.fault:
            return f"the window of its profile cannot be read: {self._own.fault}", is_own
        return closed(offer, wall_ms, distrust, self._own.now), is_own

    def ask(self, offer: "Offer", kept: Kept, head: Head, hold: Hold | None) -> tuple[int, Verdict]:
        """See Coordinator."""
        me = self._driver.identity.node
        job = Job(frozenset({me}), takes_down=kept.reboot or kept.drain, alarms=offer.alarms)
        head = replace(head, alarm=shown(self.alarm(offer, kept)))
        alone = [Member(me, self.role, head, is_coordinator=True)]
        site = Site(alone, window=self.closed(offer)[0], hold=held(hold))
        return 0, decide(job, site, self._driver.clock.boot_ms())

    def standing(self, offer: "Offer") -> tuple[Key, ...]:
        """See Coordinator."""
        return stood(self._rows(), self._driver.alarms.types, offer)

    def alarm(self, offer: "Offer", kept: Kept) -> Row | None:
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

    def near(self, _offer: "Offer") -> Near:
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


class InSite:
    """A node of a site with local HA, which goes by its coordinator's word.

    Args:
        alone: the same node by itself.
        site: see update/in_site.py.
    """

    def __init__(self, alone: Alone, site: "OfSite") -> None:
        self._alone = alone
        self._site = site
        self.drain = site.drain
        self.hand_over = site.hand_over
        self.lock = site.lock
        self.unlock = site.unlock
        self.near = site.near
        self.lending = site.lending
        self.look = self._alone.look
        self.is_reached = self._alone.is_reached
        self.baseline = self._alone.baseline
        self.standing = self._alone.standing

    def ask(self, offer: "Offer", kept: Kept, head: Head, hold: Hold | None) -> tuple[int, Verdict]:
        """See Coordinator."""
        why, is_own = self._alone.closed(offer)
        return self._site.ask(
            offer, head, takes_down=kept.reboot or kept.drain, closed=why, is_own=is_own,
            hold=held(hold), is_reached=self.is_reached(), alarm=self._alone.alarm(offer, kept),
        )  # fmt: skip

    async def unwell(self, kept: Kept, expected: Collection[str]) -> str:
        """See Site: as a node alone, and it has its place in the site.

        That the whole site is cut off is no fault of a release. The way back is measured without
        the site: what is back is stuck by no fault of its neighbours.
        """
        if kept.before is not None and (why := self._site.view()):
            return why
        if self._site.is_cut_off:
            kept = msgspec.structs.replace(kept, was_reached=False)
        return await self._alone.unwell(kept, expected)

    @property
    def role(self) -> Role:
        """See Coordinator."""
        return self._site.role

    @property
    def is_locked(self) -> bool:
        """See Site."""
        return self._site.is_locked

    @property
    def holds_lease(self) -> bool:
        """See Site."""
        return self._site.holds_lease


def updates_of(driver: "Driver", ha: "Runtime | None" = None) -> Updates | None:
    """Return the updates of a node, None where nothing could install any.

    Args:
        driver: the running agent; its host has begun.
        ha: of the site; None: this node is alone.
    """
    config = driver.config
    socket, trust = Path(config.settings.helper), Path(config.updates.trust)
    if not socket.is_socket():
        log.info("updates: none are installed: there is no helper at %s", socket)
        return None
    from roost_agent.helper_client import ask  # noqa: PLC0415 - brings json

    said = config.updates
    places = Places(
        state_dir=Path(config.state_dir), root=Path(said.root), trust=trust,
        installed=Path(said.installed), requests=Path(said.requests), source=said.source,
        ask=partial(ask, socket=str(socket), seconds=ASK_S),
        beat_s=config.beat.interval_ms / 1_000, verify_s=said.verify_s,
        stabilise_s=said.steady_s, bytes_max=said.bytes_max, drain=said.drain,
    )  # fmt: skip
    place = _place(driver, ha)
    hands, clock = Hands(places, place), driver.clock
    keeper = Keeper(Journal(Path(config.state_dir) / FOLDER))
    who = (driver.identity.node, driver.identity.boot_id.hex())
    receipts = Receipts(
        *who, keeper=keeper, measure=hands.measured, clock=clock,
        sign=None if config.enrolled is None else hands.sign, trust=trust,
    )  # fmt: skip
    return Updates(
        *who, hands=hands, keeper=keeper, coordinator=place, teller=Teller(driver.spool, clock),
        receipts=receipts, alarms=driver.alarms, clock=clock, entropy=SystemEntropy(),
        inhibits=said.inhibit,
    )  # fmt: skip


def _place(driver: "Driver", ha: "Runtime | None") -> Alone | InSite:
    config = driver.config
    clock = NodeClock(driver.known_time, Path(config.updates.trust))
    alone = Alone(driver, clock, OwnWindow(Path(config.settings.told)))
    if ha is None:
        return alone
    if driver.host is None or driver.acts is None:  # alone, all nodes of a site would go at once
        raise RuntimeError("the host is there before the updates of a site with local HA")
    from roost_agent.update.in_site import InSite as OfSite  # noqa: PLC0415 - where there is HA
    from roost_agent.update.site_lan import Lan  # noqa: PLC0415 - as above

    lan = Lan(config.enrolled, config.updates.lan_port)
    return InSite(alone, OfSite(config.site, ha, driver.host, driver.acts, lan=lan))
