"""Asks this node's gateways, again and again, whether they are there: by ARP or ND.

Asked is who the site's file names, or else who the default routes over the node's networks name.
One answer of any is enough. Where nothing can be asked, nothing is said. A gateway that is a node
of the site, or an address that moves with a group, is not asked: it dies with the node that it is
to tell of.
"""

import asyncio
import ipaddress
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

import msgspec

from roost_agent.ha.config import HaConfig
from roost_agent.ha.gateway import Gateways
from roost_agent.ha.interfaces import interfaces
from roost_agent.ha.routes import Address, default_gateways
from roost_agent.ha.services.vip_frame import ARP, IPV6
from roost_agent.ha.services.vip_link import Link
from roost_agent.ports import Clock

ASK_S: Final = 1.0  # so that an answer after a peer's silence is there before anybody acts on it
FIND_MS: Final = 10_000  # between two looks at the routes
GATEWAYS_MAX: Final = 8

log = logging.getLogger(__name__)

Place = tuple[str, Address]  # interface, gateway


async def is_there(place: Place) -> bool:
    """Return whether a gateway answers on its interface."""
    interface, gateway = place
    kind = ARP if isinstance(gateway, ipaddress.IPv4Address) else IPV6
    with Link(interface, kind) as link:
        return await link.ask(gateway) is not None


class Doors(msgspec.Struct, frozen=True):
    """What the watch touches; a test has its own."""

    interfaces: Callable[[], Mapping[str, str]] = interfaces
    routes: Callable[[], Sequence[Place]] = default_gateways
    is_there: Callable[[Place], Awaitable[bool]] = is_there


class GatewayWatch:
    """See the module.

    Args:
        config: of the site.
        node: this node's name.
        clock: the boot clock.
        doors: to the network.

    Attributes:
        said: what follows from their answers.
    """

    def __init__(
        self, config: HaConfig, node: str, clock: Clock, doors: Doors | None = None
    ) -> None:
        self.said = Gateways(config.timing.age_ms_max)
        self._address = config.node(node).address
        self._named = {each.name: each.gateway for each in config.networks if each.gateway}
        self._ours = _addresses_of(config)
        self._clock = clock
        self._doors = doors or Doors()
        self._places: list[Place] = []
        self._found_ms: int | None = None
        self._fault = ""

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(ASK_S)

    async def look(self) -> None:
        """Ask all once."""
        now_ms = self._clock.boot_ms()
        if self._found_ms is None or now_ms - self._found_ms >= FIND_MS:
            self._found_ms = now_ms
            self._places = await asyncio.to_thread(self._find)
        for place in self._places:
            if await self._answers(place):
                self.said.answered(self._clock.boot_ms())
                return

    def is_silent(self) -> bool:
        """Whether those that did answer have been silent for long enough to count."""
        return self.said.is_silent(self._clock.boot_ms())

    def _find(self) -> list[Place]:
        """Return whom to ask, on which interface."""
        with suppress(OSError):
            here = self._doors.interfaces()
            ours = {network: here[at] for network, at in self._address.items() if at in here}
            places = [
                (ours[network], ipaddress.ip_address(gateway))
                for network, gateway in self._named.items()
                if network in ours
            ]
            if not self._named:
                places = [each for each in self._doors.routes() if each[0] in ours.values()]
            return [each for each in places if each[1] not in self._ours][:GATEWAYS_MAX]
        return []

    async def _answers(self, place: Place) -> bool:
        try:
            return await self._doors.is_there(place)
        except OSError as err:
            fault = f"{place[1]} on {place[0]}: {err.strerror}"
            if fault != self._fault:
                self._fault = fault
                log.warning("ha: gateway %s: it cannot be asked", fault)
            return False


def _addresses_of(config: HaConfig) -> frozenset[Address]:
    """Return the addresses that are a node's, or move with a group."""
    nodes = (text for node in config.nodes for text in node.address.values())
    moving = (vip.address.partition("/")[0] for group in config.groups for vip in group.vip)
    return frozenset(map(ipaddress.ip_address, (*nodes, *moving)))
