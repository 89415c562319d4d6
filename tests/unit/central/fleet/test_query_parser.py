"""The parser's bounds, each just kept and just passed, and the uses that it notes."""

import pytest

from roost_central.fleet.fields import FIELDS
from roost_central.fleet.query_error import (
    DEPTH_MAX,
    QUERY_BYTES_MAX,
    STARS_MAX,
    TERMS_MAX,
    VALUES_MAX,
    QueryError,
)
from roost_central.fleet.query_parser import parse_query

BOUNDS = [  # code, a query of a given size, the bound
    ("too-long", lambda size: "a" * size, QUERY_BYTES_MAX),
    ("too-long", lambda size: "ä" * (size // 2) + "a" * (size % 2), QUERY_BYTES_MAX),
    ("too-many-terms", lambda size: " ".join("a" * size), TERMS_MAX),
    ("too-many-terms", lambda size: " OR ".join("a" * size), TERMS_MAX),
    ("too-many-terms", lambda size: "inv.nic{" + "mac=1 " * (size - 1) + "}", TERMS_MAX),
    ("too-deep", lambda size: "(" * size + "a" + ")" * size, DEPTH_MAX),
    ("too-deep", lambda size: "!(" * size + "a" + ")" * size, DEPTH_MAX),
    (
        "too-deep",
        lambda size: "(" * (size - 2) + "count(inv.nic{mac=1})=1" + ")" * (size - 2),
        DEPTH_MAX,
    ),
    ("too-many-values", lambda size: "site=" + ",".join("a" * size), VALUES_MAX),
    ("too-many-values", lambda size: "inv.nic.mac:" + ",".join("a" * size), VALUES_MAX),
    ("too-many-stars", lambda size: "site:" + "*" * size, STARS_MAX),
    ("too-many-stars", lambda size: '"' + "* " * size + '"', STARS_MAX),
]


@pytest.mark.parametrize(("code", "query", "bound"), BOUNDS)
def test_a_bound_may_be_reached_but_not_passed(code, query, bound):
    parse_query(query(bound), FIELDS)
    with pytest.raises(QueryError) as caught:
        parse_query(query(bound + 1), FIELDS)
    assert caught.value.code == code
    assert str(bound) in caught.value.message


def test_the_uses_tell_each_field_and_its_place():
    _, uses = parse_query("(site=a OR label.tier:b*) words inv.nic{driver=ice mtu>9000}", FIELDS)
    assert [(use.field.name, use.span) for use in uses] == [
        ("site", (1, 4)),
        ("label", (11, 10)),
        ("inv.nic.driver", (40, 6)),
        ("inv.nic.mtu", (51, 3)),
    ]


def test_a_bracket_that_closed_is_not_counted_as_depth():
    parse_query(" ".join("(a)" for _ in range(TERMS_MAX)), FIELDS)
