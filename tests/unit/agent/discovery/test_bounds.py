import msgspec
from hypothesis import given
from hypothesis import strategies as st

from roost_agent.discovery.bounds import LIST_MAX, bound
from roost_agent.discovery.section import ABSENT, Missing, Section
from roost_protocol.inventory import Section as WireSection
from roost_protocol.limits import (
    INVENTORY_FIELDS_MAX,
    INVENTORY_ITEMS_MAX,
    INVENTORY_STRING_BYTES_MAX,
)


def section_of(**fields):
    section = Section()
    section.put_all("0", fields)
    return section


def test_what_fits_stays_as_it_is():
    section = section_of(name="x", count=3, flags=["a"], serial=Missing(ABSENT))
    bounded, dropped = bound(section)
    assert (bounded.items, bounded.missing, dropped) == (section.items, section.missing, 0)


def test_a_long_string_is_cut_between_characters():
    bounded, dropped = bound(section_of(name="é" * 300))
    assert bounded.items["0"]["name"] == "é" * (INVENTORY_STRING_BYTES_MAX // 2)
    assert dropped == 1
    odd, _ = bound(section_of(name="x" + "é" * 300))
    assert len(odd.items["0"]["name"].encode()) == INVENTORY_STRING_BYTES_MAX - 1


def test_a_surrogate_cannot_break_the_encoder():
    bounded, _ = bound(section_of(name="a\udcffb"))
    assert msgspec.msgpack.encode(bounded.items) == msgspec.msgpack.encode({"0": {"name": "a?b"}})


def test_a_number_past_64_bits_is_too_big():
    bounded, dropped = bound(section_of(count=1 << 64))
    assert bounded.missing == {"0.count": "too-big"}
    assert dropped == 1


def test_a_list_past_its_limit_is_too_big():
    bounded, dropped = bound(section_of(cpus=list(range(LIST_MAX + 1))))
    assert bounded.missing == {"0.cpus": "too-big"}
    assert dropped == 1


def test_items_past_the_limit_are_dropped_counted_and_told():
    section = Section()
    for number in range(INVENTORY_ITEMS_MAX + 5):
        section.put(str(number), "x", 1)
    bounded, dropped = bound(section)
    assert len(bounded.items) == INVENTORY_ITEMS_MAX
    assert bounded.missing == {"*": "too-big"}
    assert dropped == 5


def test_fields_past_the_limit_are_dropped_and_counted():
    bounded, dropped = bound(section_of(**{f"f{n}": n for n in range(INVENTORY_FIELDS_MAX + 2)}))
    assert len(bounded.items["0"]) == INVENTORY_FIELDS_MAX
    assert dropped == 2


def test_a_null_whose_reason_does_not_fit_is_left_out():
    section = Section()
    for number in range(INVENTORY_ITEMS_MAX):
        section.put_all(str(number), {"a": Missing(ABSENT), "b": Missing(ABSENT)})
    bounded, dropped = bound(section)
    assert len(bounded.missing) == INVENTORY_ITEMS_MAX
    nulls = sum(value is None for row in bounded.items.values() for value in row.values())
    assert nulls == INVENTORY_ITEMS_MAX
    assert dropped == INVENTORY_ITEMS_MAX


def test_two_ids_alike_after_the_cut_do_not_merge():
    section = Section()
    section.put("x" * 600, "n", 1)
    section.put("x" * 601, "n", 2)
    bounded, dropped = bound(section)
    assert list(bounded.items.values()) == [{"n": 1}]
    assert dropped == 3


values = st.one_of(
    st.booleans(),
    st.integers(-(1 << 70), 1 << 70),
    st.text(st.characters(), max_size=600),
    st.lists(st.text(max_size=5), max_size=5),
    st.just(Missing(ABSENT)),
)


names = st.text(max_size=9)
field_names = st.text("abcdefgh_", min_size=1, max_size=9)  # they are ours, not the machine's


@given(st.dictionaries(names, st.dictionaries(field_names, values, max_size=5)))
def test_the_wire_takes_whatever_comes_out(items):
    section = Section()
    for item, fields in items.items():
        section.put_all(item, fields)
    bounded, _ = bound(section)
    wire = {"digest": bytes(8), "as_of_ms": 0, "items": bounded.items, "missing": bounded.missing}
    msgspec.msgpack.decode(msgspec.msgpack.encode(wire), type=WireSection)
    for item, row in bounded.items.items():
        for field, value in row.items():
            assert (value is None) == (f"{item}.{field}" in bounded.missing)
