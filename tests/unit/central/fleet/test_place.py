"""Queries over names and labels: what they match, and what they refuse to depend on."""

from dataclasses import dataclass, field

import pytest

from roost_central.fleet.place import parse_place, place_test
from roost_central.fleet.query import QueryError


@dataclass
class Site:
    site: str
    labels: dict = field(default_factory=dict)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", True),
        ("site:al*", True),
        ("region:r1 label.tier:gold", True),
        ("label.*:gold", True),
        ("!label.owner:*", True),
        ("region:r2", False),
    ],
)
def test_a_place_is_matched_by_its_name_and_labels(query, expected):
    place = Site("alpha", {"region": "r1", "tier": "gold"})
    assert place_test(parse_place(query, "a grant"))(place) is expected


@pytest.mark.parametrize("query", ["status=ok", "presence=online", "alpha", "node:n1"])
def test_what_may_change_by_itself_is_refused(query):
    with pytest.raises(QueryError):
        parse_place(query, "a grant")
