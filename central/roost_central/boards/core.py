"""Which node is to be told which board controllers, and when again. Pure.

Every node of a site is told all of its site's controllers: whoever comes to hold the lease ``site``
reads them. Where the site has no local HA one node reads them, the first by name.

Invariants:
- a node that has what it should is told nothing;
- one that could not take it is told again, later each time, and never more than one order at once;
- a node that was told of controllers is told when there are none any more.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from msgspec.structs import replace

from roost_central.orders.core import OPEN, State
from roost_protocol.boards import BoardAccess, BoardsDocument, BoardTold, SensorSettings
from roost_protocol.codec import VERSION
from roost_protocol.topics import split_node_id

ReachedBy = Literal["site", "centre"]

RETRY_MS: Final = (60_000, 3_600_000)  # after an order that failed: soon, then twice as late
PLACE: Final = ("host", "user", "type", "port", "ipmi_port", "ca", "certificate_sha256")


@dataclass(frozen=True, slots=True)
class BoardRecord:
    """A controller as it was set.

    Attributes:
        node: whose machine it controls.
        access: without its password; None: its nodes' own files say how it is reached.
        secret: the password, closed (vault.py); empty: none.
        sensors: None: nobody said anything of them here.
        reached_by: ``site``: its nodes are told of it and one reads it; ``centre``: this centre
            polls it, and no node is told.
    """

    node: str
    access: BoardAccess | None
    secret: bytes
    sensors: SensorSettings | None
    changed_ms: int
    by: str
    reached_by: ReachedBy = "site"


@dataclass(frozen=True, slots=True)
class Member:
    """A node that can be told: it has an identity that is in no quarantine."""

    node: str
    sealing_key: bytes


@dataclass(frozen=True, slots=True)
class Given:
    """What a node was told last.

    Attributes:
        mark: of the document and of the key that it was sealed to.
        order: by which.
        digest, body: sealed, as the order names it.
        tries: orders that did not end well, of this mark.
    """

    node: str
    mark: bytes
    order: str
    digest: str
    body: bytes
    placed_ms: int
    tries: int


def document(
    opened: Iterable[tuple[BoardRecord, str]], members: Sequence[Member]
) -> BoardsDocument:
    """Return what a site's nodes are told.

    Args:
        opened: its controllers with their passwords.
        members: of the site.
    """
    told = [
        BoardTold(
            node=split_node_id(record.node)[1],
            access=None if record.access is None else replace(record.access, password=password),
            sensors=record.sensors,
        )
        for record, password in sorted(opened, key=lambda each: each[0].node)
        if record.reached_by == "site"
    ]
    reader = min((split_node_id(each.node)[1] for each in members), default="")
    return BoardsDocument(v=VERSION, reader=reader, boards=told)


def is_due(mark: bytes, given: Given | None, order: State | None, now_ms: int) -> bool:
    """Return whether a node is to be told now.

    Args:
        mark: of what it should have.
        given: what it was told last.
        order: how that order stands; None: it is not kept any more.
        now_ms: UTC.
    """
    if given is None or given.mark != mark:
        return True
    if order is State.DONE or order in OPEN:
        return False
    pause_ms = min(RETRY_MS[0] << min(given.tries, 16), RETRY_MS[1])
    return now_ms - given.placed_ms >= pause_ms


def keeps_password(before: BoardRecord, after: BoardAccess, reached_by: ReachedBy) -> bool:
    """Return whether a password that nobody may read may stay when an access changes.

    Not where it would go to another place, or to whoever answers there: that would read it out.
    One address is two places in the networks of a site and of the centre.
    """
    return (
        before.access is not None
        and before.reached_by == reached_by
        and all(getattr(before.access, field) == getattr(after, field) for field in PLACE)
    )
