"""The states of hosts (X.731) and what a site's coordinator tells of them: on change, all of them.

An item ``hosts`` of the bulk lane. The coordinator holds the lease ``site``; the centre takes the
report of the highest epoch and ignores those of holders before it. What is said replaces what was
said before; each change of a state is a report of its own, so that none is missed.

Invariants of what ``check`` passes: every triple is a row of LEGAL, no node stands twice.
"""

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_protocol.envelope import Count, NodeText, ShortText
from roost_protocol.errors import ProtocolError
from roost_protocol.limits import ALARM_TEXT_BYTES_MAX, HA_NODES_MAX, NAME_CHARS_MAX

TASK_CHARS_MAX: Final = 63  # StarlingX's
REASONS_MAX: Final = 16
EVIDENCE_MAX: Final = 64  # the last changes of who heard whom by which path

NameText = Annotated[str, Meta(min_length=1, max_length=NAME_CHARS_MAX)]
Sentence = Annotated[str, Meta(max_length=ALARM_TEXT_BYTES_MAX)]


class Admin(StrEnum):
    """What operators want of a host."""

    LOCKED = "locked"
    UNLOCKED = "unlocked"


class Oper(StrEnum):
    """Whether it serves."""

    DISABLED = "disabled"
    ENABLED = "enabled"


class Avail(StrEnum):
    """How it stands beside that; the words are StarlingX's."""

    NOT_INSTALLED = "not-installed"
    OFFLINE = "offline"
    ONLINE = "online"
    POWER_OFF = "power-off"
    INTEST = "intest"
    FAILED = "failed"
    AVAILABLE = "available"
    DEGRADED = "degraded"


LEGAL: Final = frozenset(
    {
        (Admin.LOCKED, Oper.DISABLED, Avail.NOT_INSTALLED),
        (Admin.LOCKED, Oper.DISABLED, Avail.OFFLINE),
        (Admin.LOCKED, Oper.DISABLED, Avail.ONLINE),
        (Admin.LOCKED, Oper.DISABLED, Avail.POWER_OFF),
        (Admin.UNLOCKED, Oper.DISABLED, Avail.POWER_OFF),
        (Admin.UNLOCKED, Oper.DISABLED, Avail.OFFLINE),
        (Admin.UNLOCKED, Oper.DISABLED, Avail.INTEST),
        (Admin.UNLOCKED, Oper.DISABLED, Avail.FAILED),
        (Admin.UNLOCKED, Oper.ENABLED, Avail.AVAILABLE),
        (Admin.UNLOCKED, Oper.ENABLED, Avail.DEGRADED),
    }
)


def is_legal(admin: Admin, oper: Oper, avail: Avail) -> bool:
    """Say whether a host may stand so (hosts.md section 2); every other triple is a bug."""
    return (admin, oper, avail) in LEGAL


class Evidence(msgspec.Struct, frozen=True, array_like=True):
    """One change of who heard a node, by which path; ``at_ms`` is UTC of the coordinator."""

    at_ms: Count
    node: NameText
    path: Sentence
    text: Sentence


class HostSaid(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One host.

    Attributes:
        node: its name in the site.
        task: what is under way with it, for people.
        reasons: why it is degraded: reason, such as ``process``, to since when, in UTC ms.
        since_ms: of the triple, UTC by the coordinator's clock.
        cause: why it is as it is, in a sentence.
        maintenance_until_ms: 0: it is in none.
    """

    node: NameText
    admin: Admin
    oper: Oper
    avail: Avail
    since_ms: Count
    task: Annotated[str, Meta(max_length=TASK_CHARS_MAX)] = ""
    reasons: Annotated[dict[ShortText, Count], Meta(max_length=REASONS_MAX)] = {}
    cause: Sentence = ""
    boot_id: ShortText = ""
    uptime_s: Count = 0
    maintenance_until_ms: Count = 0


class HostsReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The hosts of a site, by its coordinator; the item's ``at_ms`` is when.

    Attributes:
        epoch: of the lease ``site``; 0 of a node alone, which needs none.
        by: the coordinator's node id.
        is_mnfa: several nodes are silent together, so that none is failed (200.802).
        is_dead_office: the whole site powered up a moment ago, so that none is failed.
        evidence: the last changes of who heard whom, the oldest first.
    """

    v: int
    epoch: Count
    by: NodeText
    hosts: Annotated[list[HostSaid], Meta(max_length=HA_NODES_MAX)]
    is_mnfa: bool = False
    is_dead_office: bool = False
    evidence: Annotated[list[Evidence], Meta(max_length=EVIDENCE_MAX)] = []

    def check(self) -> None:
        """Check what the shape does not say.

        Raises:
            ProtocolError: ``triple`` or ``twice``.
        """
        seen = set[str]()
        for each in self.hosts:
            if not is_legal(each.admin, each.oper, each.avail):
                got = f"{each.node}: {each.admin} {each.oper} {each.avail}"
                raise ProtocolError("triple", field="hosts", got=got, bound="a row of LEGAL")
            if each.node in seen:
                raise ProtocolError("twice", field="hosts", got=each.node)
            seen.add(each.node)
