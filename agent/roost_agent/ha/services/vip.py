"""Virtual addresses: asks who has one, adds it, tells everybody, and removes it again."""

import asyncio
import fcntl
import ipaddress
import logging
import socket
import struct
from collections.abc import Sequence
from typing import Final

from roost_agent.guard import address as guarded
from roost_agent.ha.services.driver import PATH
from roost_agent.ha.services.process import done
from roost_agent.ha.services.vip_frame import Address, claim, owner, question
from roost_agent.ports import Clock

log = logging.getLogger(__name__)

CONFLICT: Final = "vip-conflict: "  # begins the word of an address that another box has
QUESTIONS: Final = 2
LISTEN_S: Final = 0.2  # after each question
CLAIMS: Final = 3
REFRESH_S: Final = 60.0  # a switch may have forgotten
COMMAND_S: Final = 2.0  # for `ip`, which asks the kernel and nobody else
FRAME_BYTES_MAX: Final = 2_048
SIOCGIFHWADDR: Final = 0x8927
ETH_P_ALL: Final = 0x0003


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
        with _Link(interface) as link:
            while (other := await link.ask(address)) is not None:
                log.warning("vip: %s still has %s on %s", other.hex(":"), text, interface)
                if self._clock.boot_ms() >= ends_ms:
                    return f"{CONFLICT}{other.hex(':')} has {text} on {interface}"
            flags = ("nodad",) if address.version == 6 else ()  # noqa: PLR2004 - it was asked
            words = ("/usr/bin/env", "ip", "address", "replace", text, "dev", interface, *flags)
            status = await done(words, {"PATH": PATH}, seconds=COMMAND_S)
            if status != 0:
                return f"{text} on {interface}: ip address replace: status {status}"
            for _ in range(CLAIMS):
                link.send(claim(address, link.mac))
        return ""

    def _claim_all(self) -> None:
        for text, interface in self.places:
            try:
                with _Link(interface) as link:
                    link.send(claim(ipaddress.ip_interface(text).ip, link.mac))
            except OSError as err:
                log.warning("vip: %s on %s not told again: %s", text, interface, err.strerror)


class _Link:
    """An interface, for whole frames.

    Raises:
        OSError: there is none of that name, or no right (CAP_NET_RAW).
    """

    def __init__(self, interface: str) -> None:
        kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        self._sock = socket.socket(socket.AF_PACKET, kind, socket.htons(ETH_P_ALL))
        try:
            self._sock.bind((interface, ETH_P_ALL))
            asked = struct.pack("256s", interface.encode()[:15])
            self.mac = fcntl.ioctl(self._sock, SIOCGIFHWADDR, asked)[18:24]
        except OSError:
            self._sock.close()
            raise

    def __enter__(self) -> "_Link":
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    def send(self, frame: bytes) -> None:
        """Send one frame."""
        self._sock.send(frame)

    async def ask(self, address: Address) -> bytes | None:
        """Return the MAC of another that has the address; None where nobody answers."""
        for _ in range(QUESTIONS):
            self.send(question(address, self.mac))
            try:
                async with asyncio.timeout(LISTEN_S):
                    return await self._answer(address)
            except TimeoutError:
                continue
        return None

    async def _answer(self, address: Address) -> bytes:
        loop = asyncio.get_running_loop()
        while True:
            frame = await loop.sock_recv(self._sock, FRAME_BYTES_MAX)
            mac = owner(frame, address)
            if mac is not None and mac != self.mac:
                return mac
