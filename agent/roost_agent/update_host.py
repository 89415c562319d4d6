"""The updates of a running agent: what they work with, and whether this node can have any."""

import logging
from collections.abc import Collection
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from roost_agent.ports import SystemEntropy
from roost_agent.update.baseline import Baseline, Stand, crashed, raised, running
from roost_agent.update.hands import Hands, Near, Places
from roost_agent.update.journal import Hold, Journal, Kept
from roost_agent.update.keeper import Keeper
from roost_agent.update.receipts import Receipts
from roost_agent.update.service import Updates
from roost_agent.update.site_job import Apply, Head, Job, Member, Role, Site, Verdict, decide
from roost_agent.update.teller import Teller
from roost_protocol.errors import ProtocolError
from roost_protocol.window import next_start_ms, open_until_ms

if TYPE_CHECKING:
    from roost_agent.driver import Driver
    from roost_agent.ha.runtime import Runtime
    from roost_agent.update.in_site import InSite as OfSite
    from roost_protocol.update import Offer

log = logging.getLogger(__name__)

ASK_S: Final = 65.0
CLOCK_S_MAX: Final = 60.0  # off the centre's, and no window is believed to be open
FOLDER: Final = "updates"


class Alone:
    """A node that asks nobody: it is its own site's coordinator.

    Args:
        driver: the running agent.
    """

    def __init__(self, driver: "Driver") -> None:
        self._driver = driver

    def ask(self, offer: "Offer", kept: Kept, head: Head, hold: Hold | None) -> tuple[int, Verdict]:
        """See Coordinator."""
        me = self._driver.identity.node
        takes_down = kept.reboot or kept.drain
        apply = {role: Apply(getattr(offer, f"{role}s", offer.storage)) for role in Role}
        job = Job(frozenset({me}), takes_down, {Role.CONTROLLER: apply[Role.CONTROLLER]})
        clock = self._driver.known_time
        site = Site(
            [Member(me, Role.CONTROLLER, head, is_coordinator=True)],
            window=closed(offer, clock.wall_ms(), clock.offset_s()),
            hold=held(hold),
        )
        return 0, decide(job, site, clock.boot_ms())

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
        driver: the running agent.
        site: see update/in_site.py.
    """

    def __init__(self, driver: "Driver", site: "OfSite") -> None:
        self._driver = driver
        self._alone = Alone(driver)
        self._site = site
        self.drain = site.drain
        self.hand_over = site.hand_over
        self.lock = site.lock
        self.unlock = site.unlock
        self.near = site.near
        self.lending = site.lending
        self.unwell = self._alone.unwell
        self.is_reached = self._alone.is_reached
        self.baseline = self._alone.baseline

    def ask(self, offer: "Offer", kept: Kept, head: Head, hold: Hold | None) -> tuple[int, Verdict]:
        """See Coordinator."""
        clock = self._driver.known_time
        return self._site.ask(
            offer, head, takes_down=kept.reboot or kept.drain,
            closed=closed(offer, clock.wall_ms(), clock.offset_s()), hold=held(hold),
        )  # fmt: skip

    @property
    def is_locked(self) -> bool:
        """See Site."""
        return self._site.is_locked

    @property
    def holds_lease(self) -> bool:
        """See Site."""
        return self._site.holds_lease


def held(hold: Hold | None) -> str:
    """Return until when a person holds this node, and why; empty: nobody does."""
    return "" if hold is None else f"until {shown(hold.until_ms)}: {hold.why}"


def closed(offer: "Offer", wall_ms: int, offset_s: float | None) -> str:
    """Return why nothing may go in now by the job's times; empty: it may.

    Args:
        offer: with its window.
        wall_ms: the node's UTC.
        offset_s: of this node's clock to the centre's; None: not known.
    """
    if wall_ms < offer.not_before_ms:
        return f"its time begins at {shown(offer.not_before_ms)}"
    if offer.window is None:
        return ""
    if offset_s is not None and abs(offset_s) > CLOCK_S_MAX:
        return f"clock: it is {abs(offset_s):.0f} s off the centre's, so no window counts as open"
    try:
        if open_until_ms(offer.window, wall_ms) is not None:
            return ""
        return f"the window opens at {shown(next_start_ms(offer.window, wall_ms))}"
    except ProtocolError as err:
        return f"the window cannot be judged here: {err}"


def shown(at_ms: int) -> str:
    """Return a moment for people."""
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M UTC")


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
        beat_s=config.beat.interval_ms / 1_000, verify_s=said.verify_s, bytes_max=said.bytes_max,
        drain=said.drain,
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
    if ha is None:
        return Alone(driver)
    if driver.host is None or driver.acts is None:  # alone, all nodes of a site would go at once
        raise RuntimeError("the host is there before the updates of a site with local HA")
    from roost_agent.update.in_site import InSite as OfSite  # noqa: PLC0415 - where there is HA
    from roost_agent.update.in_site import Lan  # noqa: PLC0415 - as above

    lan = Lan(driver.config.enrolled, driver.config.updates.lan_port)
    return InSite(driver, OfSite(driver.config.site, ha, driver.host, driver.acts, lan=lan))
