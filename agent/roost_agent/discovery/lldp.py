"""The neighbours of this box: which switch, or which other box, is at the end of each cable.

Frames are heard by ``roost-facts@lldp`` (``roost_agent.listener``), which runs at boot, every
15 minutes and when links move; here they are made sense of, without any right.

Invariants:
- an entry has ended when its time to live had passed by the end of the last window in which it
  could have been heard again (802.1AB-2016 9.2.7.7.4), at once when its sender took it back
  (time to live 0);
- where nobody listened, for too long or ever, nothing is told, and why.
"""

import base64
from collections.abc import Iterator
from typing import Final

import msgspec

from roost_agent.discovery.lldp_fields import fields
from roost_agent.discovery.lldp_frame import Neighbour, neighbour
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import (
    ABSENT,
    DENIED,
    TIMEOUT,
    UNSUPPORTED,
    Missing,
    Section,
)
from roost_agent.discovery.sysfs import clean, explained, fitted, joined, unique
from roost_agent.ports import SystemClock

FILE: Final = "run/roost-facts/lldp.json"
VERSION: Final = 1
WINDOWS_EVERY_S: Final = 15 * 60  # roost-lldp.timer
STALE_MS: Final = 3 * WINDOWS_EVERY_S * 1_000  # after two windows that did not come


class Heard(msgspec.Struct, frozen=True):
    """One frame, in base64; ``heard_ms`` of the boot clock."""

    port: str
    heard_ms: int
    frame: str


class Windows(msgspec.Struct, frozen=True):
    """What was heard, on which ports and until when it was listened."""

    v: int
    ended_ms: int
    ports: list[str]
    frames: list[Heard]


def lldp(reader: Reader) -> Section:
    """Return one item for each neighbour, by port, chassis and the neighbour's port."""
    raw = reader.raw(FILE)
    if isinstance(raw, Missing):
        return Section.empty(DENIED if raw.reason == ABSENT else raw.reason)
    try:
        windows = msgspec.json.decode(raw, type=Windows)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Section.empty(UNSUPPORTED)
    if reader.is_live and SystemClock().boot_ms() - windows.ended_ms > STALE_MS:
        return Section.empty(TIMEOUT)
    return section_of(windows)


def section_of(windows: Windows) -> Section:
    """Return the neighbours that had not ended when the last window did; pure."""
    section = Section()
    for port, each in _present(windows):
        item = unique(section, joined((fitted(port), fitted(each.chassis), fitted(each.port))))
        section.put_all(
            item,
            {
                "ifname": fitted(port),
                "chassis_id": fitted(each.chassis),
                "chassis_id_type": each.chassis_kind,
                "port_id": fitted(each.port),
                "port_id_type": each.port_kind,
                "ttl_s": each.ttl_s,
            },
        )
        section.put_all(item, fields(each.tlvs))
    return explained(section)


def _present(windows: Windows) -> Iterator[tuple[str, Neighbour]]:
    """Yield each neighbour with the port it was heard on, once, as it was heard last."""
    latest: dict[tuple[str, str, str], tuple[int, Neighbour]] = {}
    for heard in sorted(windows.frames, key=lambda heard: heard.heard_ms):
        found = neighbour(_bytes(heard.frame))
        if found is not None:
            latest[clean(heard.port), found.chassis, found.port] = heard.heard_ms, found
    for (port, _, _), (heard_ms, found) in sorted(latest.items(), key=lambda each: each[0]):
        if heard_ms + found.ttl_s * 1_000 > windows.ended_ms:
            yield port, found


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except ValueError:
        return b""
