"""An interface for whole frames: asks who has an address there, and tells who has it."""

import asyncio
import fcntl
import socket
import struct
from typing import Final

from roost_agent.ha.services.vip_frame import Address, owner, question

QUESTIONS: Final = 2
LISTEN_S: Final = 0.2  # after each question
FRAME_BYTES_MAX: Final = 2_048
SIOCGIFHWADDR: Final = 0x8927
ETH_P_ALL: Final = 0x0003


class Link:
    """An interface, for whole frames.

    Args:
        interface: its name.
        kind: of the frames that are heard; all by default.

    Raises:
        OSError: there is none of that name, or no right (CAP_NET_RAW).
    """

    def __init__(self, interface: str, kind: int = ETH_P_ALL) -> None:
        how = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        self._sock = socket.socket(socket.AF_PACKET, how, 0)  # of no interface, it hears nothing
        try:
            self._sock.bind((interface, kind))
            asked = struct.pack("256s", interface.encode()[:15])
            self.mac = fcntl.ioctl(self._sock, SIOCGIFHWADDR, asked)[18:24]
        except OSError:
            self._sock.close()
            raise

    def __enter__(self) -> "Link":
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
