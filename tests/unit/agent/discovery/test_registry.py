import pytest

from roost_agent.discovery.registry import ON_DEMAND, PROBES, chosen
from roost_agent.discovery.section import Section
from roost_protocol.limits import INVENTORY_SECTIONS_MAX


def test_a_full_run_leaves_the_long_lists_out():
    assert set(chosen([])) == set(PROBES) - ON_DEMAND


def test_a_long_list_is_read_when_it_is_named():
    assert list(chosen(["package", "cpu"])) == ["package", "cpu"]


def test_an_unknown_class_is_an_error():
    with pytest.raises(KeyError):
        chosen(["cpux"])


def test_a_document_has_room_for_every_class():
    assert len(PROBES) <= INVENTORY_SECTIONS_MAX


@pytest.mark.parametrize("name", PROBES)
def test_every_probe_bears_an_empty_machine(tree, name):
    section = PROBES[name](tree.reader())
    assert isinstance(section, Section)
    assert section.items or section.missing.get("*")
    for item, row in section.items.items():
        for field, value in row.items():
            assert (value is None) == (f"{item}.{field}" in section.missing)
