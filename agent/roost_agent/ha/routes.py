"""The gateways of a machine's default routes, as the kernel has them in /proc/net.

proc(5): ``route`` has IPv4 addresses as numbers of the machine's own byte order, ``ipv6_route``
addresses as they are written. Default routes come first in both.
"""

import ipaddress
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

READ_BYTES_MAX: Final = 64 << 10

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def default_gateways(root: str = "/") -> list[tuple[str, Address]]:
    """Return interface and gateway of each default route; nothing where there is none.

    Args:
        root: where ``proc`` is.
    """
    found = dict.fromkeys([*_four(_read(root, "route")), *_six(_read(root, "ipv6_route"))])
    return [(interface, gateway) for interface, gateway in found if not gateway.is_unspecified]


def _read(root: str, name: str) -> str:
    with suppress(OSError), (Path(root) / "proc/net" / name).open("rb") as file:
        return file.read(READ_BYTES_MAX).decode(errors="replace")
    return ""


def _four(text: str) -> Iterator[tuple[str, Address]]:
    for line in text.splitlines()[1:]:
        interface, target, gateway, *rest = [*line.split(), "", "", ""]
        with suppress(ValueError, IndexError):
            if int(target, 16) == 0 and int(rest[4], 16) == 0:  # its mask
                raw = int(gateway, 16).to_bytes(4, sys.byteorder)
                yield interface, ipaddress.IPv4Address(raw)


def _six(text: str) -> Iterator[tuple[str, Address]]:
    for line in text.splitlines():
        words = line.split()
        with suppress(ValueError, IndexError):
            if int(words[0], 16) == 0 and words[1] == "00":
                yield words[9], ipaddress.IPv6Address(bytes.fromhex(words[4]))
