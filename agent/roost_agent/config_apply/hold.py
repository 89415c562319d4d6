"""Whether a document waits for its node's window: what of it disturbs services, and when. Pure.

The window is the document's own: who shuts a node out by a bad one mends it by the next document.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zlib import crc32
from zoneinfo import ZoneInfo

from roost_protocol.profile.check import Tree, field_at, leaves
from roost_protocol.profile.field import Mark, Path, dotted
from roost_protocol.window import SECTION, Window, next_start_ms, open_until_ms, window_of

DISTURBS: Final = frozenset({Mark.RESTART, Mark.REBOOT})
SETTINGS_SHOWN: Final = 4
MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Wait:
    """Until when, UTC in ms, and because of what.

    Attributes:
        opens_ms: when this node's turn in the window comes.
    """

    opens_ms: int
    text: str


def wait_of(wanted: Tree, before: Tree, wall_ms: int, node: str) -> Wait | None:
    """Return what a document waits for; None: it may be applied now.

    Args:
        wanted: the document.
        before: the one that is applied.
        wall_ms: the node's clock, UTC.
        node: whose: the nodes of a site begin at different moments of one window, in its first
            half, so that one of them is as it was while another is disturbed.

    Raises:
        ProtocolError: the window's zone is not known here.
    """
    window = window_of(wanted.get(SECTION, {}))
    if window is None or open_until_ms(window, wall_ms) is not None:
        return None
    paths = disturbing(wanted, before)
    if not paths:
        return None
    opens_ms = next_start_ms(window, wall_ms)
    turn_ms = crc32(node.encode()) % (window.minutes * MINUTE_MS // 2)
    names = ", ".join(dotted(path) for path in paths[:SETTINGS_SHOWN])
    more = f" and {len(paths) - SETTINGS_SHOWN} more" if len(paths) > SETTINGS_SHOWN else ""
    return Wait(
        opens_ms + turn_ms,
        f"{names}{more}: waits for the window that opens {_at(window, opens_ms)}",
    )


def disturbing(wanted: Tree, before: Tree) -> list[Path]:
    """Return the settings that become others by restarting a service, or by the next boot."""
    old, new = dict(leaves(before)), dict(leaves(wanted))
    changed = (path for path in sorted(old.keys() | new.keys()) if old.get(path) != new.get(path))
    return [
        path for path in changed if (field := field_at(path)) is not None and field.mark in DISTURBS
    ]


def _at(window: Window, moment_ms: int) -> str:
    """Return a moment as a clock in the window's zone shows it."""
    moment = datetime.fromtimestamp(moment_ms / 1_000, UTC).astimezone(ZoneInfo(window.tz))
    return f"{moment:%Y-%m-%d %H:%M} {window.tz}"
