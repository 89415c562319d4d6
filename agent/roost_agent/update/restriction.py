"""Which alarm on this node keeps its site from going on with an update, by the plan's word. Pure.

The centre judges by the same word before it offers a job; a site judges again before each node, so
that it holds with the WAN gone. What stood as the offer was taken, and would have stood in the way
then, is no news: the centre offered all the same, since somebody has shelved it there.

Left to others: local HA's alarms, which turns of nodes bring about (its state is judged itself,
site_members.py), and those of updates, which the next release may mend.

Design, updates.md sections 2 (alarm restrictions), 6 (baseline) and 7.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from roost_agent.alarms.row import Row
from roost_agent.update.baseline import OWN, Key
from roost_agent.update.kept import Kept
from roost_protocol.catalogue import Catalogue
from roost_protocol.severity import Severity
from roost_protocol.update import Offer

TEXT_CHARS_MAX: Final = 100  # of an alarm's, so that the centre is told the node's name, too


def restricting(rows: Iterable[Row], types: Catalogue, offer: Offer) -> Iterator[Row]:
    """Yield the alarms that the plan's word does not let pass.

    Args:
        rows: what is raised on this node.
        types: of the catalogue: from which severity on an alarm is management's business.
        offer: with that word, and with the types that it ignores.
    """
    if offer.alarms == "permissive":
        return
    for row in rows:
        if row.type.startswith(OWN) or row.type in offer.ignore_alarms:
            continue
        if offer.alarms == "strict" or _stops(row, types):
            yield row


def stood(rows: Iterable[Row], types: Catalogue, offer: Offer) -> tuple[Key, ...]:
    """Return what of that stands as the offer is taken, to be kept; see the module."""
    return tuple(row.key for row in restricting(rows, types, offer))


def in_the_way(rows: Iterable[Row], types: Catalogue, offer: Offer, kept: Kept) -> Row | None:
    """Return the worst alarm that keeps the site from going on; None: none does.

    Args:
        rows: what is raised on this node.
        types: of the catalogue.
        offer: of the job.
        kept: what stood as the offer was taken, all counts where that is not known; and types that
            the release's manifest expects.
    """
    before = kept.stood or ()
    some = (
        row
        for row in restricting(rows, types, offer)
        if row.key not in before and row.type not in kept.expected
    )
    return max(some, key=lambda row: (row.severity, row.key), default=None)


def shown(row: Row | None) -> str:
    """Return an alarm for people: its type and text, a long one cut; empty: none is."""
    if row is None:
        return ""
    text = row.text if len(row.text) <= TEXT_CHARS_MAX else f"{row.text[:TEXT_CHARS_MAX]}..."
    return f"{row.type} ({text})"


def _stops(row: Row, types: Catalogue) -> bool:
    """Say whether an alarm affects management, as the catalogue has it."""
    type_ = types.get(row.type)
    return type_ is not None and bool(type_.stops) and row.severity >= Severity.of(type_.stops)
