"""Which sites are a tenant's: those that its query selects, by name and labels alone.

What a tenant may see must not come and go with a site's status, so no other field is taken. Pure
but for the fleet's view, which it reads.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from roost_central.fleet.fields import ANY_KEY
from roost_central.fleet.query import QueryError, parse
from roost_central.fleet.query_match import Getter
from roost_central.fleet.view import SiteRow

FIELDS: Final = ("site", "label")
NOW_MS: Final = 0  # neither field has to do with time


class Tenancy:
    """The sites of one tenant.

    Raises:
        QueryError: no query, or one that asks for more than names and labels.
    """

    def __init__(self, query: str) -> None:
        parsed = parse(query)
        for use in parsed.uses:
            if use.field.name not in FIELDS and not use.field.is_label:
                message = f'"{use.field.name}" may change by itself: a tenant\'s query takes {_ASK}'
                raise QueryError("not-here", message, span=use.span)
        parsed.require_available("site")
        self.selected: dict[str, None] = {}
        self._test = parsed.compile(_resolve)

    def __call__(self, site: str) -> bool:
        """Whether a site is this tenant's."""
        return site in self.selected

    def review(self, sites: Mapping[str, SiteRow], touched: Iterable[str]) -> bool:
        """Look again at sites that may have changed, or are gone; true where something did."""
        gone = [name for name in self.selected if name not in sites]
        for name in gone:
            del self.selected[name]
        is_new = bool(gone)
        for name in touched:
            row = sites.get(name)
            is_ours = row is not None and self._test(row, NOW_MS)
            if is_ours == (name in self.selected):
                continue
            is_new = True
            if is_ours:
                self.selected[name] = None
            else:
                del self.selected[name]
        return is_new


_ASK: Final = "site and labels only"


def _resolve(name: str, key: str | None) -> Getter[SiteRow] | None:
    if name == "site":
        return lambda row: row.site
    if name == "label":
        if key == ANY_KEY:
            return lambda row: list(row.labels.values())
        return lambda row: row.labels.get(key or "")
    return None
