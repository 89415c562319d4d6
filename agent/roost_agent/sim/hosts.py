"""How the hosts of a simulated fleet stand: well, but for a handful that show what can be. Pure.

Without local HA each node speaks for itself. Which ones are not well is drawn once; their number is
the same for a hundred nodes and for fifty thousand, so that a demo is no flood of alarms.
"""

import random
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from roost_protocol.codec import VERSION
from roost_protocol.host import Admin, Avail, HostSaid, HostsReport, Oper

BOOT_MS: Final = 20_000  # from its first word after a boot until it serves
NODES_EACH: Final = 20  # for one host that is not well; fewer nodes have fewer of them


class Lot(StrEnum):
    """How one host stands by itself."""

    WELL = "well"
    LOCKED = "locked"
    FAILED = "failed"
    DEGRADED = "degraded"
    WATCHED = "watched"  # in maintenance


_CAST: Final = (
    Lot.LOCKED, Lot.FAILED, Lot.DEGRADED, Lot.WATCHED, Lot.DEGRADED, Lot.LOCKED, Lot.FAILED,
    Lot.DEGRADED,
)  # fmt: skip
_STATES: Final = {
    Lot.WELL: (Admin.UNLOCKED, Oper.ENABLED, Avail.AVAILABLE, "its enable sequence is through"),
    Lot.LOCKED: (Admin.LOCKED, Oper.DISABLED, Avail.ONLINE, "locked by kim: a fan is changed"),
    Lot.FAILED: (
        Admin.UNLOCKED, Oper.DISABLED, Avail.FAILED,
        "health: 10-modem: no answer from the modem",
    ),
    Lot.DEGRADED: (Admin.UNLOCKED, Oper.ENABLED, Avail.DEGRADED, "degraded: process, resource"),
    Lot.WATCHED: (Admin.UNLOCKED, Oper.ENABLED, Avail.AVAILABLE, "its enable sequence is through"),
}  # fmt: skip
_MAINTENANCE_MS: Final = 2 * 3_600_000


def drawn(nodes: Sequence[str], rng: random.Random) -> dict[str, Lot]:
    """Return the hosts that are not well; all others are."""
    several = min(len(_CAST), len(nodes) // NODES_EACH)
    return dict(zip(rng.sample(list(nodes), several), _CAST, strict=False))


def said(node: str, lot: Lot, boot_id: bytes, uptime_s: int, *, wall_ms: int) -> HostsReport:
    """Return what a node says of itself."""
    admin, oper, avail, cause = _STATES[lot]
    reasons = {"process": wall_ms - 300_000, "resource": wall_ms - 60_000}
    return _report(
        node,
        HostSaid(
            node=node.partition(".")[2],
            admin=admin,
            oper=oper,
            avail=avail,
            since_ms=wall_ms,
            cause=cause,
            task="recovery threshold reached" if lot is Lot.FAILED else "",
            reasons=reasons if lot is Lot.DEGRADED else {},
            boot_id=boot_id.hex(),
            uptime_s=uptime_s,
            maintenance_until_ms=wall_ms + _MAINTENANCE_MS if lot is Lot.WATCHED else 0,
        ),
    )


def booting(node: str, boot_id: bytes, *, wall_ms: int) -> HostsReport:
    """Return what a node says of itself while it is being enabled."""
    return _report(
        node,
        HostSaid(
            node=node.partition(".")[2],
            admin=Admin.UNLOCKED,
            oper=Oper.DISABLED,
            avail=Avail.INTEST,
            since_ms=wall_ms,
            cause="it booted",
            task="being enabled: soak",
            boot_id=boot_id.hex(),
        ),
    )


def _report(node: str, host: HostSaid) -> HostsReport:
    return HostsReport(v=VERSION, epoch=0, by=node, hosts=[host])
