"""Which sites or nodes an act on many is for: named ones, or all that match a filter.

Invariants: a filter acts on its whole result, and only when it has the size that the caller saw;
whoever may not act on a site does not count it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta

from roost_central.api.call import Call
from roost_central.api.inventory_tests import inventory_tests
from roost_central.api.listing import Ask, Listing, select
from roost_central.api.lists import FilterText, nodes_listing, sites_listing, unhurried
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.api.readers import parse_filter
from roost_central.fleet.view import NodeRow, SiteRow

R = TypeVar("R")

BULK_MAX: Final = 50_000  # of one act, in one transaction: a whole fleet's sites
NAMES_MAX: Final = 1_000  # named one by one; a body has 256 KiB
NAME_CHARS_MAX: Final = 64

Name = Annotated[str, Meta(max_length=NAME_CHARS_MAX)]


class DryRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Only say what would be acted on."""

    dry_run: bool = False


class Targets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which: by name, or all that match a filter of the size that was seen."""

    filter: FilterText | None = None
    names: Annotated[list[Name], Meta(max_length=NAMES_MAX)] = []
    expect_count: Annotated[int, Meta(ge=0, le=BULK_MAX)] | None = None


class ManyAnswer(msgspec.Struct, frozen=True):
    """How many were meant, and how many are others than before; of a dry run: would be."""

    matched: int
    changed: int


async def sites_meant(call: Call[DryRun, Any]) -> list[SiteRow]:
    """Return the sites of a body's Targets, in the order of their names.

    Raises:
        ApiError: see ``_meant``.
    """
    sight = call.api.alarms
    return await _meant(
        call, sites_listing(sight), call.api.order.sites(), call.api.view.sites, "site"
    )


async def nodes_meant(call: Call[DryRun, Any]) -> list[NodeRow]:
    """Return the nodes of a body's Targets, in the order of their names.

    Raises:
        ApiError: see ``_meant``.
    """
    sight = call.api.alarms
    return await _meant(
        call, nodes_listing(sight), call.api.order.nodes(), call.api.view.nodes, "node"
    )


async def _meant(
    call: Call[DryRun, Any],
    listing: Listing[R],
    rows: Sequence[R],
    by_name: Mapping[str, R],
    noun: str,
) -> list[R]:
    """Return what is meant.

    Raises:
        ApiError: ``invalid`` for neither or both of filter and names, or a filter without a count;
            ``not-found`` for a name; ``conflict`` when the count is another now.
    """
    body: Targets = call.body
    if (body.filter is None) is not bool(body.names):
        detail = f"give a filter, or names of {noun}s"
        raise blame("invalid", FieldError(field="filter", code="missing", detail=detail))
    if body.filter is None:
        return _named(body.names, by_name, noun)
    if body.expect_count is None:
        detail = f"is needed with a filter: how many {noun}s you saw"
        raise blame("invalid", FieldError(field="expect_count", code="missing", detail=detail))
    query = parse_filter(body.filter, listing.carrier)
    items = await inventory_tests(call.api.database, query, call.now_ms, listing, rows)
    found = await unhurried(select(listing, rows, Ask(query), call.now_ms, items))
    count = len(found.rows)
    if count != body.expect_count:
        detail = (
            f"the filter matches {count} {noun}s that you may change now, not {body.expect_count}"
        )
        error = FieldError(field="expect_count", code="differs", detail=detail, bound=count)
        raise ApiError("conflict", detail, errors=[error])
    return found.rows


def _named(names: Sequence[str], by_name: Mapping[str, R], noun: str) -> list[R]:
    missing = [name for name in names if by_name.get(name) is None]
    if missing:
        raise ApiError("not-found", f"there is no {noun} {missing[0][:80]!r}")
    return [by_name[name] for name in sorted(set(names))]


def about(body: Targets, name: Callable[[Any], str], rows: Sequence[Any]) -> str:
    """Return what the audit log says an act was done to."""
    if body.filter is not None:
        return " ".join(body.filter.split()) or "all"
    return ",".join(name(row) for row in rows[:10])
