"""Which sites are a tenant's: those that its query selects, by name and labels alone.

Pure but for the fleet's view, which it reads.
"""

from collections.abc import Iterable, Mapping

from roost_central.fleet.place import parse_place, place_test
from roost_central.fleet.view import SiteRow


class Tenancy:
    """The sites of one tenant.

    Raises:
        QueryError: no query, or one that asks for more than names and labels.
    """

    def __init__(self, query: str) -> None:
        self.selected: dict[str, None] = {}
        self._test = place_test(parse_place(query, "a tenant"))

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
            is_ours = row is not None and self._test(row)
            if is_ours == (name in self.selected):
                continue
            is_new = True
            if is_ours:
                self.selected[name] = None
            else:
                del self.selected[name]
        return is_new
