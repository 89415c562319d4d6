"""Sections within the wire's bounds, and snapshots in parts."""

from hypothesis import given
from hypothesis import strategies as st

from roost_agent.inventory.snapshot import TOO_BIG, Taken, digest_of, merged, parts, section
from roost_protocol.codec import Decoder, encode
from roost_protocol.digest import section_digest
from roost_protocol.inventory import InventoryDocument, SnapshotPart
from roost_protocol.limits import (
    CHUNK_BYTES_MAX,
    INVENTORY_FIELDS_MAX,
    INVENTORY_ITEMS_MAX,
    INVENTORY_STRING_BYTES_MAX,
)

TAKEN = Taken(gen=1, boot_id=b"b" * 16, taken_ms=5)
decode = Decoder[InventoryDocument](InventoryDocument).decode


def packages(count, size=300):
    items = {f"p{n:05}": {"version": "x" * size} for n in range(count)}
    return section(items, {f"p{n:05}.v": "denied" for n in range(0, count, 10)}, as_of_ms=0)


def joined(snapshot):
    items, missing, digests = {}, {}, {}
    for part in snapshot:
        for name, piece in part.sections.items():
            assert digests.setdefault(name, piece.digest) == piece.digest
            assert not items.get(name, {}).keys() & piece.items.keys(), "an item twice"
            items.setdefault(name, {}).update(piece.items)
            missing.setdefault(name, {}).update(piece.missing)
    whole = {name: section_digest(items[name], missing[name]) for name in items}
    assert whole == digests, "a part's digest is of the whole section"
    return whole


def test_a_small_inventory_is_one_part():
    sections = {"cpu": section({"0": {"cores": 4}}, {}, as_of_ms=7)}
    (part,) = parts(sections, TAKEN)
    assert (part.part, part.parts, part.full, part.sections) == (1, 1, True, sections)
    assert part.digest == digest_of(sections)


@given(st.integers(0, 3_000), st.integers(0, 500), st.integers(0, 400))
def test_every_part_fits_and_together_they_are_the_whole(count, other, size):
    sections = {"package": packages(count, size), "disk": packages(other, size)}
    snapshot = parts(sections, TAKEN)
    assert [part.part for part in snapshot] == list(range(1, len(snapshot) + 1))
    assert all(len(encode(part)) <= CHUNK_BYTES_MAX for part in snapshot)
    assert joined(snapshot) == {name: each.digest for name, each in sections.items()}


def test_an_empty_inventory_is_one_empty_part():
    (part,) = parts({}, TAKEN)
    assert part.sections == {}


def test_a_snapshot_of_some_sections_says_so():
    sections = {"cpu": section({}, {}, as_of_ms=0), "nic": section({}, {}, as_of_ms=0)}
    (part,) = parts(sections, TAKEN, ["nic"])
    assert (part.full, list(part.sections)) == (False, ["nic"])
    assert part.digest == digest_of(sections)


def test_what_breaks_a_bound_is_null_and_too_big():
    long = "x" * (INVENTORY_STRING_BYTES_MAX + 1)
    found = section(
        {"a": {"s": long, "i": 2**64, "f": 1.5, "l": [1] * 5_000, "c": "\ud800"}}, {}, as_of_ms=0
    )
    assert found.items == {"a": {"s": None, "i": None, "f": None, "l": None, "c": None}}
    assert found.missing == {f"a.{name}": TOO_BIG for name in "csifl"}


def test_too_many_items_and_fields_are_cut_and_said():
    many = {f"{n:05}": {} for n in range(INVENTORY_ITEMS_MAX + 1)}
    assert section(many, {}, as_of_ms=0).missing == {"*": TOO_BIG}
    wide = {"a": {f"f{n:03}": n for n in range(INVENTORY_FIELDS_MAX + 1)}}
    found = section(wide, {}, as_of_ms=0)
    assert (len(found.items["a"]), found.missing) == (INVENTORY_FIELDS_MAX, {"a.*": TOO_BIG})


_texts = st.text(st.characters(codec=None))  # halves of surrogate pairs too


@given(
    st.dictionaries(
        st.text(max_size=600),
        st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), _texts, st.floats())),
        max_size=5,
    )
)
def test_whatever_a_probe_returns_passes_the_wire(items):
    found = section(items, {}, as_of_ms=0)
    for part in parts({"x": found}, TAKEN):
        assert isinstance(decode(encode(part)), SnapshotPart)


def test_a_probe_of_one_section_leaves_the_others():
    old = {"cpu": packages(1), "nic": packages(2)}
    assert merged(old, {"nic": packages(3)}) == {"cpu": old["cpu"], "nic": packages(3)}
