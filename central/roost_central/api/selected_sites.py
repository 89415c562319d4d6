"""The sites that a selector of a plan holds for, as who asks sees them."""

import re
from collections.abc import Collection
from typing import Any

from roost_central.api.call import Call
from roost_central.api.inventory_tests import inventory_tests
from roost_central.api.listing import Ask, select
from roost_central.api.lists import FilterText, sites_listing, unhurried
from roost_central.api.problem import ApiError
from roost_central.api.readers import parse_filter
from roost_central.api.service import Api
from roost_central.fleet.query_suggest import hint
from roost_central.rollout.late import SelectSites
from roost_protocol.errors import ProtocolError

_LABEL = re.compile(r"\blabel\.([A-Za-z0-9_.-]+)")


async def selected(call: Call[Any, Any], text: FilterText | None, field: str) -> Collection[str]:
    """Return the sites that a selector of a plan holds for, by name; of those that the caller sees.

    Raises:
        ProtocolError: ``plan``: it is none; ``field`` says where it stands.
    """
    try:
        found = await sites_of(call.api, text or "", call.now_ms)
    except ApiError as err:
        detail = err.detail.removeprefix("filter: ")
        raise ProtocolError("plan", field=field, detail=detail) from err
    if text and not found:
        _check_labels(call.api, text, field)
    return found


def _check_labels(api: Api, text: str, field: str) -> None:
    """Tell of a selector that holds for nobody which label of it no site has.

    Raises:
        ProtocolError: ``plan``.
    """
    known = {key for row in api.order.sites() for key in row.labels}
    for asked in _LABEL.findall(text):
        if asked not in known:
            there = "`roost label list` has all that there are"
            detail = f"no site has a label {asked}{hint(asked, known) or f'; {there}'}"
            raise ProtocolError("plan", field=field, detail=detail)


def selecting(api: Api) -> SelectSites:
    """Return what finds sites for rollouts that run, of the whole fleet."""

    async def select_(text: str) -> Collection[str]:
        try:
            return await sites_of(api, text, api.clock.wall_ms())
        except ApiError as err:  # it was read before, by an earlier release
            raise ProtocolError("query", detail=err.detail) from err

    return select_


async def sites_of(api: Api, text: str, now_ms: int) -> list[str]:
    """Return the sites that a query holds for, in the order of their names.

    Raises:
        ApiError: ``bad-filter``.
    """
    listing, rows = sites_listing(api.alarms), api.order.sites()
    if not text.strip():
        return [row.site for row in rows]
    query = parse_filter(text, listing.carrier)
    items = await inventory_tests(api.database, query, now_ms, listing, rows)
    found = await unhurried(select(listing, rows, Ask(query), now_ms, items))
    return [row.site for row in found.rows]
