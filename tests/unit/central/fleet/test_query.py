"""The query language as a whole: the shared vectors, and what Query adds to them."""

import json

import pytest

from roost_central.fleet.query import QueryError, parse

NOW_MS = 1_800_000_000_000


def wrong(found):
    """The answers that differ from their vectors, for one readable assertion."""
    return [(vector, answer) for vector, answer, expected in found if answer != expected]


def test_trees_and_errors_are_those_of_the_vectors(vectors, fields, to_json):
    def answer(query):
        try:
            return to_json(parse(query, fields).root)
        except QueryError as error:
            return to_json(error)

    found = [
        (vector, answer(vector["query"]), vector.get("error") or vector["ast"])
        for vector in vectors["parse"]
    ]
    assert wrong(found) == []


def test_canonical_texts_are_those_of_the_vectors(vectors, fields):
    found = [
        (vector, parse(vector["query"], fields).canonical(), vector["canonical"])
        for vector in vectors["canonical"]
    ]
    assert wrong(found) == []


def test_objects_match_as_in_the_vectors(vectors, fields, row_of):
    rows = {name: row_of(values) for name, values in vectors["objects"].items()}
    found = [
        (
            vector,
            parse(vector["query"], fields).match(rows[vector["object"]], vectors["now_ms"]),
            vector["match"],
        )
        for vector in vectors["match"]
    ]
    assert wrong(found) == []


def test_what_is_not_here_yet_says_so_as_in_the_vectors(vectors, to_json):
    def answer(query, on):
        try:
            return parse(query).require_available(on)
        except QueryError as error:
            return to_json(error)

    found = [
        (vector, answer(vector["query"], vector["on"]), vector["error"])
        for vector in vectors["available"]
    ]
    assert wrong(found) == []


def test_the_vectors_are_many_and_none_stands_twice(vectors):
    groups = [vectors[name] for name in ("parse", "canonical", "match", "available")]
    asked = [
        (index, vector["query"], vector.get("object"), vector.get("on"))
        for index, group in enumerate(groups)
        for vector in group
    ]
    assert len(asked) == len(set(asked)) >= 250


def test_the_vectors_name_every_error_code(vectors):
    named = {vector["error"]["code"] for vector in vectors["parse"] if "error" in vector}
    assert named == {
        "bad-escape",
        "bad-key",
        "expected-space",
        "expected-term",
        "expected-value",
        "invalid-value",
        "keyword",
        "not-ordered",
        "null-operator",
        "one-value",
        "too-deep",
        "too-long",
        "too-many-stars",
        "too-many-terms",
        "too-many-values",
        "unclosed",
        "unclosed-quote",
        "unexpected",
        "unknown-field",
    }


def test_queries_with_the_same_tree_are_equal():
    assert parse("a AND (b)") == parse("a b") != parse("b a")
    assert len({parse("a AND (b)"), parse("a b")}) == 1
    assert parse("a") != "a"
    assert repr(parse("a AND b")) == "parse('a b')"


def test_a_query_beyond_this_release_never_matches_quietly(row_of):
    query = parse("!wave>=3")
    with pytest.raises(QueryError, match="a later release") as caught:
        query.match(row_of({}), NOW_MS)
    assert caught.value.code == "not-yet"
    with pytest.raises(QueryError, match="a later release"):
        parse("actor=jd").compile(lambda name, key: None)


@pytest.mark.parametrize(
    "text", ["!inv.nic{driver=ice}", "a OR count(inv.disk{type=nvme})=0", "inv.dimm.reason=null"]
)
def test_the_inventory_never_matches_quietly_where_nobody_has_it(text):
    query = parse(text)
    assert query.asks_inventory
    with pytest.raises(QueryError, match="not at hand") as caught:
        query.compile(lambda name, key: None)
    assert caught.value.code == "not-here"


def test_the_tests_of_the_inventory_may_come_from_elsewhere():
    asked = []

    def items(part):
        asked.append(part)
        return lambda node, _now: node == "n1"

    test = parse("node:n* !inv.nic.driver=ice").compile(lambda name, key: lambda node: node, items)
    assert asked == [parse("inv.nic.driver=ice").root]
    assert [test(node, NOW_MS) for node in ("n1", "n2", "m")] == [False, True, False]


def test_a_compiled_query_reads_objects_through_its_resolver():
    asked = []

    def resolver(name, key):
        asked.append((name, key))
        return lambda values: values[name, key]

    test = parse("status=ok region:r0* path.p1=up age>1m").compile(resolver)
    assert asked == [("status", None), ("label", "region"), ("path", "p1"), ("age", None)]
    values = dict(zip(asked, ("ok", "r01", "up", NOW_MS - 61_000), strict=True))
    assert test(values, NOW_MS)
    assert not test(values, NOW_MS - 1000), "ages are told by the time that is given"


def test_a_field_that_a_kind_of_object_never_has_is_unknown():
    def resolver(name, key):
        return None if name == "status" else lambda site: site

    assert parse("status=null").compile(resolver)("edge", NOW_MS)
    assert not parse("status!=ok").compile(resolver)("edge", NOW_MS)
    assert parse("dg").compile(resolver)("edge", NOW_MS)


def test_half_a_surrogate_pair_is_refused_with_its_place():
    with pytest.raises(QueryError) as caught:
        parse("ab\ud83d")
    assert (caught.value.code, caught.value.offset) == ("not-text", 2)
    assert json.loads('"\\ud83d\\ude00"') == parse("\U0001f600").canonical()
