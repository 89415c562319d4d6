"""The address that connections of a path come from, where it is told by an interface."""

import fcntl
import socket
import struct
from typing import Final

from roost_agent.errors import LinkError

SIOCGIFADDR: Final = 0x8915  # linux/sockios.h
_REQUEST: Final = struct.Struct("16s4x4s16x")  # struct ifreq with a sockaddr_in
NAME_BYTES_MAX: Final = 15


def address_of(interface: str) -> str:
    """Return the first IPv4 address of an interface, as it is now.

    Raises:
        LinkError: it is not there, or has none.
    """
    name = interface.encode()[:NAME_BYTES_MAX]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            raw = fcntl.ioctl(sock, SIOCGIFADDR, struct.pack(f"{_REQUEST.size}s", name))
        except OSError as err:
            raise LinkError(f"interface {interface}: no address: {err.strerror}") from err
    return socket.inet_ntoa(_REQUEST.unpack(raw)[1])
