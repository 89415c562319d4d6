"""The frames that are kept, and the file that they are kept in. Pure.

Root looks into no frame: the last one of each sender on each port is kept, with its time.

Invariants: at most PORT_FRAMES_MAX senders a port, so that one that floods crowds out nobody
else's; nothing older than KEPT_MS_MAX is written.
"""

import base64
import json
from dataclasses import dataclass
from typing import Final

VERSION: Final = 1
PORT_FRAMES_MAX: Final = 6  # senders of one port; one is the rule
KEPT_MS_MAX: Final = 65_535_000  # the longest time to live: an older frame tells nothing
_ADDRESSES: Final = slice(0, 12)  # of an Ethernet frame: to whom and from whom
_HEADER_BYTES: Final = 14


@dataclass(frozen=True, slots=True)
class Heard:
    """One frame; ``heard_ms`` of the boot clock."""

    port: str
    heard_ms: int
    frame: bytes


Kept = dict[tuple[str, bytes], Heard]  # by port, and addresses of the frame


def keep(kept: Kept, heard: Heard, *, since_ms: int = 0) -> None:
    """Let a frame take the place of the one before it from the same sender to the same group.

    Args:
        kept: what is kept.
        heard: the newcomer.
        since_ms: where a port is full, one that was not heard since then makes room.
    """
    if len(heard.frame) <= _HEADER_BYTES:
        return
    key = heard.port, heard.frame[_ADDRESSES]
    senders = {each: kept[each].heard_ms for each in kept if each[0] == heard.port}
    if key not in kept and len(senders) >= PORT_FRAMES_MAX:
        longest = min(senders, key=senders.__getitem__)
        if senders[longest] >= since_ms:
            return
        del kept[longest]
    kept[key] = heard


def encoded(kept: Kept, names: list[str], ended_ms: int) -> bytes:
    """Return the file: what is not too old, and on which ports was listened, until when."""
    frames = [
        {
            "port": each.port,
            "heard_ms": each.heard_ms,
            "frame": base64.b64encode(each.frame).decode(),
        }
        for each in kept.values()
        if each.port in names and ended_ms - each.heard_ms < KEPT_MS_MAX
    ]
    document = {"v": VERSION, "ended_ms": ended_ms, "ports": names, "frames": frames}
    return json.dumps(document).encode()


def decoded(raw: bytes) -> Kept:
    """Return what earlier windows heard; a file that makes no sense is as if there were none."""
    kept: Kept = {}
    try:
        for each in json.loads(raw)["frames"]:
            frame = base64.b64decode(each["frame"])
            keep(kept, Heard(str(each["port"]), int(each["heard_ms"]), frame))
    except (ValueError, TypeError, KeyError):
        return {}
    return kept
