"""The settings of a running agent: what they work with, and whether this node can have any."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from roost_agent.alarm_types import with_thresholds
from roost_agent.config import Config
from roost_agent.config_apply import told as tolds
from roost_agent.config_apply.for_agent import ForAgent
from roost_agent.config_apply.probation import Probation, Signs
from roost_agent.config_apply.service import RootPart, Settings, by_child, own_of
from roost_agent.driver import Driver
from roost_agent.enrolled import CONFIGURATION
from roost_agent.orders.order_keys import read_keys, read_vouches
from roost_agent.ports import Clock
from roost_protocol.beat import PathKind

log = logging.getLogger(__name__)

ASK_S: Final = 65.0

Site = Callable[[], tuple[int | None, tuple[int | None, ...]]]  # see ha.report.heard


class DriverHost:
    """See Host; whether the node is reached is for Probation to say.

    Args:
        driver: the running agent.
        site: when gateway and peers were heard last, where local HA runs.
        ha: what a profile says of local HA, with which this agent has begun.
    """

    def __init__(self, driver: Driver, site: Site, ha: Mapping[str, Any]) -> None:
        self._driver = driver
        self._site = site
        self._since_ms = -1
        self._probation = Probation(Signs(), 0)
        self._level = logging.getLogger().level
        self._ha = ha

    def changed(self) -> None:
        """See Host."""
        self._driver.changed()

    def use(self, own: ForAgent) -> bool:
        """See Host."""
        types = self._driver.config.alarms.types
        self._driver.alarms.judge_by(with_thresholds(types, own.thresholds))
        logging.getLogger().setLevel(own.level.upper() or self._level)
        if self._driver.watching is not None:
            self._driver.watching.define(own.processes)
        self._driver.tune(own.paths)
        log.info(
            "settings: limits of %d alarm types, %d processes, %d paths, log level %s",
            len(own.thresholds),
            len(own.processes),
            len(own.paths.order),
            own.level or "-",
        )
        if own.ha == self._ha or not self._driver.config.ha_file:
            return True
        self._driver.end("local HA is to run by other settings, which are read at a start")
        return False

    def refusals(self, said: Mapping[str, Any]) -> list[str]:
        """See Host."""
        paths = self._driver.config.paths
        there = [path.name for path in paths if path.kind is PathKind.WAN]
        return [
            f"paths.wan.{name}: there is no such WAN path; there is {', '.join(there) or 'none'}"
            for name in said.get("paths", {}).get("wan", {})
            if name not in there
        ]

    def is_reached(self, since_ms: int, *, by_centre: bool) -> bool:
        """See Host."""
        gateway_ms, peers_ms = (None, ()) if by_centre else self._site()
        signs = Signs(self._driver.receipt_ms, gateway_ms, peers_ms)
        if since_ms != self._since_ms:
            self._since_ms, self._probation = since_ms, Probation(signs, since_ms)
        if self._probation.is_reached(signs):
            return True
        self._driver.ask_centre()
        return False


def own_at_start(config: Config, clock: Clock) -> ForAgent:
    """Return what root told the agent to go by, before there is an agent that could be told."""
    try:
        return own_of(tolds.read(Path(config.settings.told)), clock.boot_ms())
    except (OSError, ValueError) as err:
        log.warning("settings: what root tells cannot be read: %s", err)
        return ForAgent()


def settings_of(
    driver: Driver, identity: Path, site: Site, ha: Mapping[str, Any]
) -> Settings | None:
    """Return the settings of a node, None where nothing could apply them.

    Args:
        driver: the running agent.
        identity: its folder, with order keys.
        site: see DriverHost.
        ha: as there.
    """
    config = driver.config.settings
    socket, told = Path(config.helper), Path(config.told)
    if not socket.is_socket():
        log.info("settings: none are applied: there is no helper at %s", socket)
        return None
    try:
        keys, vouches = read_keys(identity), read_vouches(identity)
    except (OSError, ValueError) as err:
        log.warning("settings: none are applied: %s", err)
        return None

    async def ask(verb: str, digest: str) -> None:
        from roost_agent.helper_client import ask as ask_helper  # noqa: PLC0415 - brings json

        await ask_helper(verb, socket=str(socket), seconds=ASK_S, digest=digest)

    look = by_child(told, config.root)
    root = RootPart(keys, ask, look, vouches, Path(config.jobs), told)
    return Settings(DriverHost(driver, site, ha), driver.spool, driver.clock, driver.alarms, root)


def came_with(identity: Path) -> bytes:
    """Return the order that came with an identity, once; empty: there is none.

    It is checked as any other; where it is lost, the centre sends its like.
    """
    path = identity / CONFIGURATION
    try:
        message = path.read_bytes()
        path.unlink()
    except FileNotFoundError:
        return b""
    except OSError as err:
        log.warning("settings: %s: %s", path, err)
        return b""
    return message
