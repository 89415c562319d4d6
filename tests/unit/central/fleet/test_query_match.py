"""How the closure reads objects; what comparisons mean is in the vectors."""

from enum import IntEnum, StrEnum

from roost_central.fleet.fields import FIELDS
from roost_central.fleet.query import parse
from roost_central.fleet.query_items import no_items
from roost_central.fleet.query_match import compile_node

NOW_MS = 1_800_000_000_000


class Status(StrEnum):
    OK = "ok"


class Size(IntEnum):
    PAIR = 2


def test_enumerations_count_as_their_values(row_of):
    row = row_of({"status": Status.OK, "nodes": Size.PAIR})
    assert parse("status=ok nodes>=2 status:o*").match(row, NOW_MS)
    assert parse("status<degraded").match(row, NOW_MS)


def test_a_tuple_counts_as_a_list(row_of):
    assert parse("node=n2 !node=n3 n1").match(row_of({"node": ("n1", "n2")}), NOW_MS)
    assert parse("node=null").match(row_of({"node": ()}), NOW_MS)


def test_a_boolean_is_no_number(row_of):
    assert parse("nodes=null !nodes=1").match(row_of({"nodes": True}), NOW_MS)


def test_the_costly_search_in_all_texts_is_asked_last():
    asked = []

    def resolver(name, key):
        return lambda row: asked.append(name)

    tree = parse("words status=ok").root
    assert not compile_node(tree, FIELDS, resolver, no_items)(None, NOW_MS)
    assert asked == ["status"]


def test_a_long_disjunction_stops_at_the_first_that_holds():
    asked = []

    def resolver(name, key):
        return lambda row: asked.append(key) or key

    tree = parse(" OR ".join(f"label.k{number}=k{number}" for number in range(30))).root
    assert compile_node(tree, FIELDS, resolver, no_items)(None, NOW_MS)
    assert asked == ["k0"]
