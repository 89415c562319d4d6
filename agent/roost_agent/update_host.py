"""The updates of a running agent: what they work with, and whether this node can have any."""

import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from roost_agent.ports import SystemEntropy
from roost_agent.update.alone import Alone
from roost_agent.update.hands import Hands
from roost_agent.update.journal import Journal
from roost_agent.update.keeper import Keeper
from roost_agent.update.node_clock import NodeClock
from roost_agent.update.own_window import OwnWindow
from roost_agent.update.place import Places
from roost_agent.update.receipts import Receipts
from roost_agent.update.service import Updates
from roost_agent.update.teller import Teller

if TYPE_CHECKING:
    from roost_agent.driver import Driver
    from roost_agent.ha.runtime import Runtime
    from roost_agent.update.in_site import InSite

log = logging.getLogger(__name__)

ASK_S: Final = 65.0
FOLDER: Final = "updates"


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


def _place(driver: "Driver", ha: "Runtime | None") -> "Alone | InSite":
    config = driver.config
    clock = NodeClock(driver.known_time, Path(config.updates.trust))
    alone = Alone(driver, clock, OwnWindow(Path(config.settings.told)))
    if ha is None:
        return alone
    if driver.host is None or driver.acts is None:  # alone, all nodes of a site would go at once
        raise RuntimeError("the host is there before the updates of a site with local HA")
    from roost_agent.update.in_site import InSite  # noqa: PLC0415 - where there is HA
    from roost_agent.update.out_of_service import OutOfService  # noqa: PLC0415 - as above
    from roost_agent.update.site_lan import Lan  # noqa: PLC0415 - as above
    from roost_agent.update.site_members import SiteMembers  # noqa: PLC0415 - as above
    from roost_agent.update.site_update import SiteUpdate  # noqa: PLC0415 - as above

    lan = Lan(config.enrolled, config.updates.lan_port)
    members = SiteMembers(config.site, ha, driver.host)
    service = OutOfService(driver.host, driver.acts, members)
    return InSite(alone, SiteUpdate(config.site, ha, members, lan=lan), service)
