"""Deltas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_agent.inventory.delta import DeltaMismatchError, apply, diff
from roost_agent.inventory.snapshot import section
from roost_protocol.codec import Decoder, encode
from roost_protocol.inventory import Delta, InventoryDocument

_names = st.sampled_from(["a", "b", "c"])
_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 2),
    st.sampled_from(["", "x"]),
    st.lists(st.one_of(st.integers(0, 1), st.just("y")), max_size=2),
)
_sections = st.builds(
    lambda items, missing, as_of_ms: section(items, missing, as_of_ms=as_of_ms),
    st.dictionaries(_names, st.dictionaries(_names, _values, max_size=3), max_size=3),
    st.dictionaries(st.sampled_from(["a.a", "b.c", "*"]), st.sampled_from(["denied", "absent"])),
    st.integers(0, 9),
)
inventories = st.dictionaries(st.sampled_from(["cpu", "nic", "disk"]), _sections, max_size=3)


def content(sections):
    """What counts: neither age nor cost."""
    return {name: (s.digest, encode([s.items, s.missing])) for name, s in sections.items()}


@given(inventories, inventories)
def test_a_delta_applied_to_its_base_is_the_other_inventory(old, new):
    assert content(apply(old, diff(old, new))) == content(new)


@given(inventories)
def test_nothing_changed_is_an_empty_delta(some):
    assert diff(some, some) == {}


@given(inventories, inventories)
def test_a_delta_passes_the_wire(old, new):
    delta = Delta(v=1, base_gen=1, gen=2, digest=b"12345678", sections=diff(old, new))
    assert Decoder[InventoryDocument](InventoryDocument).decode(encode(delta)) == delta


def test_true_is_not_one():
    old = {"cpu": section({"0": {"smt": True, "l": [1]}}, {}, as_of_ms=0)}
    new = {"cpu": section({"0": {"smt": 1, "l": [1]}}, {}, as_of_ms=0)}
    assert diff(old, new)["cpu"].put == {"0": {"smt": 1}}


def test_a_delta_names_only_what_moved():
    old = {"nic": section({"m1": {"up": True, "mtu": 1500}, "m2": {}}, {}, as_of_ms=0)}
    new = {"nic": section({"m1": {"up": False, "mtu": 1500}}, {}, as_of_ms=0)}
    delta = diff(old, new)["nic"]
    assert (delta.put, delta.unset, delta.gone) == ({"m1": {"up": False}}, {}, ["m2"])


def test_a_delta_of_another_base_is_refused():
    one = {"nic": section({"m1": {}}, {}, as_of_ms=0)}
    two = {"nic": section({"m2": {}}, {}, as_of_ms=0)}
    with pytest.raises(DeltaMismatchError, match="base"):
        apply({}, diff(one, two))


def test_a_delta_with_another_result_is_refused():
    one = {"nic": section({"m1": {"a": 1}}, {}, as_of_ms=0)}
    delta = diff({}, one)["nic"]
    delta.put["m1"]["a"] = 2
    with pytest.raises(DeltaMismatchError, match="result"):
        apply({}, {"nic": delta})
