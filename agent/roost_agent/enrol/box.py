"""What this box is made of, in few words: to be told apart from another box, not to be managed.

The numbers of DMI are for root; what may not be read is left empty.
"""

import os
from collections.abc import Iterable
from contextlib import closing
from typing import Final

from roost_agent.discovery.dmi import DMI_DIR
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.root_facts import borrow
from roost_agent.discovery.section import Missing
from roost_agent.helper.facts import FOLDER
from roost_protocol.hardware import PARTS_MAX, TEXT_CHARS_MAX, Hardware, plain

_TREE: Final = "proc/device-tree"
_PERMANENT: Final = "0"  # addr_assign_type: burnt in (Linux, include/uapi/linux/netdevice.h)


def this_box() -> Hardware:
    """Return what this machine is; with root's facts, where a helper lends them."""
    with closing(Reader(lent=FOLDER)) as reader:
        if os.geteuid():  # root is denied nothing
            borrow(("dmi",), reader)
        return hardware(reader)


def hardware(reader: Reader) -> Hardware:
    """Return what the box says it is."""
    serial = _dmi(reader, "product_serial") or _text(reader, f"{_TREE}/serial-number")
    return Hardware(
        vendor=_dmi(reader, "sys_vendor"),
        product=_dmi(reader, "product_name") or _text(reader, f"{_TREE}/model"),
        serial=serial,
        uuid=_dmi(reader, "product_uuid"),
        board=_dmi(reader, "board_serial") or serial,
        disks=_parts(_disk(reader, name) for name in _names(reader, "sys/block")),
        macs=_parts(_mac(reader, name) for name in _names(reader, "sys/class/net")),
        firmware=_shown(reader, f"{DMI_DIR}/bios_version"),
    )


def _dmi(reader: Reader, name: str) -> str:
    return _text(reader, f"{DMI_DIR}/{name}")


def _disk(reader: Reader, name: str) -> str:
    for file in ("device/serial", "serial", "device/wwid", "wwid"):
        if text := _text(reader, f"sys/block/{name}/{file}"):
            return text
    return ""


def _mac(reader: Reader, name: str) -> str:
    """Return the address of a port of the box, not of a bridge, a container or a dummy."""
    base = f"sys/class/net/{name}"
    is_burnt_in = reader.text(f"{base}/addr_assign_type") == _PERMANENT
    return (
        _text(reader, f"{base}/address") if is_burnt_in and reader.exists(f"{base}/device") else ""
    )


def _parts(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({text for text in texts if plain(text)})[:PARTS_MAX])


def _names(reader: Reader, path: str) -> list[str]:
    found = reader.names(path)
    return [] if isinstance(found, Missing) else found


def _text(reader: Reader, path: str) -> str:
    """Return a number; empty where it says nothing."""
    shown = _shown(reader, path)
    return shown if plain(shown) else ""


def _shown(reader: Reader, path: str) -> str:
    found = reader.text(path)
    if isinstance(found, Missing):
        return ""
    return "".join(char for char in found if char.isprintable()).strip()[:TEXT_CHARS_MAX]
