"""Virtual addresses: asks who has one, adds it, tells everybody, and removes it again."""

import asyncio
import ipaddress
import logging
from collections.abc import Sequence
from typing import Final

from roost_agent.guard import address as guarded
from roost_agent.ha.services.driver import PATH
from roost_agent.ha.services.process import done
from roost_agent.ha.services.vip_frame import claim
from roost_agent.ha.services.vip_link import LISTEN_S, Link
from roost_agent.ports import Clock

log = logging.getLogger(__name__)

CONFLICT: Final = "vip-conflict: "  # begins the word of an address that another box has
CLAIMS: Final = 3
REFRESH_S: Final = 60.0  # a switch may have forgotten
COMMAND_S: Final = 2.0  # for `ip`, which asks the kernel and nobody else


class Vips:
    """The addresses of one group.

    Args:
        places: ``ADDRESS/LENGTH`` and interface of each.
        silence_ms_max: how long another may still answer: the promise's end less the lease's.
        clock: for that.
    """

    def __init__(
        self, places: Sequence[tuple[str, str]], silence_ms_max: int, clock: Clock
    ) -> None:
        self.places = tuple(places)
        self._silence_ms_max = silence_ms_max
        self._clock = clock
        self._told: dict[str, bytes] = {}  # address to the other that was told to have it

    async def up(self) -> str:
        """Have all addresses here; return why not, if so."""
        for text, interface in self.places:
            try:
                failure = await self._up(text, interface)
            except OSError as err:
                failure = f"{text} on {interface}: {err.strerror}"
            if failure:
                return failure
        return ""

    async def keep(self) -> None:
        """Tell everybody again and again, until cancelled."""
        while True:
            await asyncio.sleep(REFRESH_S)
            self._claim_all()

    async def down(self) -> None:
        """Remove all addresses; returns once none is here."""
        for text, interface in self.places:
            while failure := guarded.remove(text, interface):
                log.warning("vip: %s", failure)
                await asyncio.sleep(LISTEN_S)

    async def _up(self, text: str, interface: str) -> str:
        address = ipaddress.ip_interface(text).ip
        ends_ms = self._clock.boot_ms() + self._silence_ms_max
        with Link(interface) as link:
            while (other := await link.ask(address)) is not None:
                self._tell(text, interface, other)
                if self._clock.boot_ms() >= ends_ms:
                    return f"{CONFLICT}{other.hex(':')} has {text} on {interface}"
                await asyncio.sleep(LISTEN_S)  # one that answers at once is not asked at once
            self._told.pop(text, None)
            flags = ("nodad",) if address.version == 6 else ()  # noqa: PLR2004 - it was asked
            words = ("/usr/bin/env", "ip", "address", "replace", text, "dev", interface, *flags)
            status = await done(words, {"PATH": PATH}, seconds=COMMAND_S)
            if status != 0:
                return f"{text} on {interface}: ip address replace: status {status}"
            for _ in range(CLAIMS):
                link.send(claim(address, link.mac))
        return ""

    def _tell(self, text: str, interface: str, other: bytes) -> None:
        """Log who has an address: once, however often it is asked for."""
        if self._told.get(text) != other:
            self._told[text] = other
            log.warning("vip: %s still has %s on %s", other.hex(":"), text, interface)

    def _claim_all(self) -> None:
        for text, interface in self.places:
            try:
                with Link(interface) as link:
                    link.send(claim(ipaddress.ip_interface(text).ip, link.mac))
            except OSError as err:
                log.warning("vip: %s on %s not told again: %s", text, interface, err.strerror)
