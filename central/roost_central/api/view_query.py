"""What stands in the address of a page of the console, read by the rules of what that page asks.

A view that could not be opened is refused when it is kept. What only says how a page looks (its
order, its groups) is the page's own, which bears whatever stands there.
"""

from collections.abc import Callable, Mapping
from typing import Final, Literal
from urllib.parse import parse_qsl

from roost_central.api.deliveries import DriftQuery
from roost_central.api.fleet_inventory import item_condition
from roost_central.api.intake import read_parameters
from roost_central.api.inventory_parts import PartQuery, SearchQuery
from roost_central.api.problem import FieldError, blame
from roost_central.api.readers import parse_filter
from roost_central.fleet.fields import Carrier
from roost_central.fleet.inventory_fields import CLASSES

ViewPageName = Literal["fleet", "alarms", "incidents", "events", "inventory", "hosts", "drift"]

PARAMETERS_MAX: Final = 32  # the page with the most has seven
FIRST_CLASS: Final = "nic"  # what the page Inventory shows where its address names no class

_Parameters = Mapping[str, str]
_Check = Callable[[_Parameters], None]


def check_query(page: ViewPageName, query: str) -> None:
    """Refuse an address that its page could not show.

    Raises:
        ApiError: ``bad-filter``, ``bad-parameter`` or ``invalid``, naming the parameter.
    """
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=PARAMETERS_MAX)
    except ValueError:
        detail = "has too many parameters"
        error = FieldError(field="query", code="too-many", detail=detail, bound=PARAMETERS_MAX)
        raise blame("invalid", error) from None
    # of two with one name a page reads the first; one without a value says nothing
    _CHECKS[page]({name: value for name, value in reversed(pairs) if value})


def _filtered(on: Carrier) -> _Check:
    """Return the check of a page whose ``q`` is a filter of such rows."""

    def check(given: _Parameters) -> None:
        parse_filter(given.get("q", ""), on, "q")

    return check


def _incidents(given: _Parameters) -> None:
    _without_filter(given, "incidents", "state=closed")


def _drift(given: _Parameters) -> None:
    _without_filter(given, "drift", "site=NAME")
    read_parameters([("site", given.get("site", ""))], DriftQuery)


def _inventory(given: _Parameters) -> None:
    parse_filter(given.get("q", ""), "node", "q")
    item_class = given.get("class", FIRST_CLASS)
    _known_class(item_class, "class")
    item_condition(item_class, given.get("where", ""))
    if "text" in given:
        read_parameters([("text", given["text"])], SearchQuery)
    if "part" in given:
        of_class, _, item = given["part"].partition(" ")
        _known_class(of_class, "part")
        read_parameters([("class", of_class), ("item", item)], PartQuery)


def _known_class(name: str, field: str) -> None:
    if name not in CLASSES:
        detail = f"there is no class {name[:64]!r}; there are {', '.join(CLASSES)}"
        raise blame("invalid", FieldError(field=field, code="unknown-class", detail=detail))


def _without_filter(given: _Parameters, page: str, instead: str) -> None:
    if "q" in given:
        detail = f"the page {page} has no filter; what its address takes is {instead}"
        raise blame("invalid", FieldError(field="q", code="no-filter", detail=detail))


_CHECKS: Final[Mapping[str, _Check]] = {
    "fleet": _filtered("site"),
    "alarms": _filtered("alarm"),
    "incidents": _incidents,
    "events": _filtered("event"),
    "inventory": _inventory,
    "hosts": _filtered("node"),
    "drift": _drift,
}
