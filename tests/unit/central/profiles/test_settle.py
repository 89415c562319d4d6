"""Generations: they rise with the settings, and with nothing else."""

from dataclasses import replace

from making import fleet, profile, subjects, swappiness

from roost_central.profiles.core import compile_profiles
from roost_central.profiles.desired import DesiredRecord, document_of
from roost_central.profiles.possible import Machine
from roost_central.profiles.settle import Cause, settle, why_not

NODES = subjects("a.n1", "b.n1")
FIRST = Cause(1_000, "ann", "first")
LATER = Cause(2_000, "bob", "later")


def after(profiles, known=None, cause=FIRST):
    """What nodes should be once it was written."""
    heads, documents = known or ({}, {})
    digests = {key: each.digest for key, each in documents.items()}
    writes = settle(compile_profiles(profiles, NODES), heads, digests, cause)
    heads = heads | {record.node: record for record in writes.records}
    return writes, (heads, documents | writes.documents)


def test_the_first_settings_are_generation_one():
    writes, (heads, documents) = after([fleet("f", swappiness(1))])
    assert [(each.node, each.generation, each.by, each.reason) for each in writes.changes] == [
        ("a.n1", 1, "ann", "first"),
        ("b.n1", 1, "ann", "first"),
    ]
    assert len(documents) == 1
    assert heads["a.n1"].since_ms == 1_000


def test_nodes_without_settings_are_not_written():
    writes, _ = after([profile("p", 'site = "b"', swappiness(1))])
    assert [record.node for record in writes.records] == ["b.n1"]


def test_the_same_settings_are_the_same_generation_and_nothing_is_written():
    _, known = after([fleet("f", swappiness(1))])
    writes, _ = after([fleet("f", "# a comment\n" + swappiness(1))], known, LATER)
    assert writes.records == []
    assert writes.changes == []


def test_other_settings_are_the_next_generation_of_those_nodes_alone():
    _, known = after([fleet("f", swappiness(1))])
    more = [fleet("f", swappiness(1)), profile("s", 'site = "b"', swappiness(2))]
    writes, (heads, _) = after(more, known, LATER)
    assert [(each.node, each.generation) for each in writes.changes] == [("b.n1", 2)]
    assert (heads["a.n1"].generation, heads["a.n1"].since_ms) == (1, 1_000)
    assert heads["b.n1"].since_ms == 2_000


def test_another_profile_with_the_same_value_is_another_reason_and_no_generation():
    _, known = after([fleet("f", swappiness(1))])
    more = [fleet("f", swappiness(1)), profile("s", 'site = "b"', swappiness(1))]
    writes, (heads, documents) = after(more, known, LATER)
    assert writes.changes == []
    assert (heads["b.n1"].generation, heads["b.n1"].since_ms) == (1, 1_000)
    assert set(documents[heads["b.n1"].document].reasons.values()) == {"s"}


def test_settings_that_all_go_are_a_generation_of_none():
    _, known = after([fleet("f", swappiness(1))])
    writes, (heads, documents) = after([], known, LATER)
    assert [(each.node, each.generation) for each in writes.changes] == [("a.n1", 2), ("b.n1", 2)]
    assert documents[heads["a.n1"].document].sections == {}


def test_a_node_that_cannot_keeps_what_it_has_with_the_reason_and_loses_it_with_the_fault():
    _, known = after([fleet("f", swappiness(1))])
    conflict = [
        profile("x", 'select = "site:a"', swappiness(2)),
        profile("y", 'select = "node:a.n1"', swappiness(3)),
    ]
    writes, (heads, documents) = after([fleet("f", swappiness(1)), *conflict], known, LATER)
    assert writes.changes == []
    assert (heads["a.n1"].generation, heads["b.n1"].fault) == (1, "")
    assert "x and y say different things" in heads["a.n1"].fault
    _, (heads, _) = after([fleet("f", swappiness(1))], (heads, documents), LATER)
    assert heads["a.n1"] == replace(known[0]["a.n1"], fault="")


def test_a_node_that_never_had_settings_and_cannot_is_told_without_a_generation():
    body = '[update-window]\nstart = "01:00"\n'
    writes, (heads, _) = after([profile("bad", 'site = "b"', body)])
    assert writes.changes == []
    assert heads == {
        "b.n1": DesiredRecord(
            "b.n1", 0, b"", 1_000, "update-window.start: needs update-window.minutes as well"
        )
    }
    _, (heads, _) = after([], (heads, {}), LATER)
    assert heads["b.n1"].fault == ""
    writes, _ = after([fleet("f", swappiness(1))], (heads, {}), LATER)
    assert {each.node: each.generation for each in writes.changes} == {"a.n1": 1, "b.n1": 1}


def test_the_machine_is_a_reason_too():
    made = compile_profiles([fleet("f", "[memory.hugepages.2M]\nnode0 = 1000\n")], NODES)
    made.judge({"a.n1": Machine(1024**3)})
    assert "2000 MiB of huge pages" in why_not(made, "a.n1")


def test_a_document_is_known_by_its_settings_and_its_reasons():
    one = document_of({"dns": {"attempts": 1}}, {("dns", "attempts"): "f"}, b"d")
    other = document_of({"dns": {"attempts": 1}}, {("dns", "attempts"): "g"}, b"d")
    assert one.key != other.key
    assert one.key == document_of({"dns": {"attempts": 1}}, {("dns", "attempts"): "f"}, b"d").key
