"""Removes a virtual address over netlink: the guard has no time to start a program."""

from __future__ import annotations

import errno
import socket
import struct

from roost_agent.guard.record import Final

RTM_DELADDR: Final = 21
REQUEST_AND_ACK: Final = 0x1 | 0x4
NLMSG_ERROR: Final = 2
IFA_ADDRESS: Final = 1
IFA_LOCAL: Final = 2
WAIT_S: Final = 0.2  # the kernel answers at once or not at all
ANSWER_BYTES_MAX: Final = 4_096

_HEADER: Final = struct.Struct("=IHHII")
_ADDRESS: Final = struct.Struct("=BBBBI")
_ATTRIBUTE: Final = struct.Struct("=HH")
_ERROR: Final = struct.Struct("=i")


def remove(address: str, interface: str) -> str:
    """Remove ``ADDRESS/LENGTH`` from an interface; return why it may still be there."""
    try:
        index = socket.if_nametoindex(interface)
    except OSError:
        return ""  # with its interface, the address is gone
    try:
        message = _message(address, index)
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0) as sock:
            sock.settimeout(WAIT_S)
            sock.sendto(message, (0, 0))
            answer = sock.recv(ANSWER_BYTES_MAX)
    except (OSError, ValueError) as err:
        return f"{address} on {interface}: {err}"
    code = -int(_ERROR.unpack_from(answer, _HEADER.size)[0]) if len(answer) >= 20 else 0  # noqa: PLR2004 - header and code
    if code in {0, errno.EADDRNOTAVAIL, errno.ENODEV}:
        return ""
    return f"{address} on {interface}: {errno.errorcode.get(code, str(code))}"


def _message(address: str, index: int) -> bytes:
    text, _, length = address.partition("/")
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    packed = socket.inet_pton(family, text)
    body = _ADDRESS.pack(family, int(length), 0, 0, index)
    for kind in (IFA_LOCAL, IFA_ADDRESS):
        body += _ATTRIBUTE.pack(_ATTRIBUTE.size + len(packed), kind) + packed
    header = _HEADER.pack(_HEADER.size + len(body), RTM_DELADDR, REQUEST_AND_ACK, 1, 0)
    return header + body
