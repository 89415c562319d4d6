"""The table of the inventory's fields against what the agent's probes say on a real machine."""

import pytest

from roost_agent.discovery.reader import Reader
from roost_agent.discovery.registry import PROBES
from roost_central.fleet.fields import FIELDS
from roost_central.fleet.inventory_fields import CLASSES, item_fields
from roost_central.fleet.query_kinds import KINDS


def test_the_table_has_every_class_of_the_agent_in_its_order():
    assert list(CLASSES) == list(PROBES)


@pytest.mark.parametrize("name", PROBES)
def test_what_this_machine_says_is_in_the_table_with_its_kind(name):
    reader = Reader("/")
    section = PROBES[name](reader)
    reader.close()
    for item, fields in section.items.items():
        for field, value in fields.items():
            known = FIELDS.get(f"inv.{name}.{field}")
            assert known is not None, f"{item}: {field} is not in the table"
            values = value if isinstance(value, list) else [value]
            for one in values:
                assert one is None or isinstance(one, KINDS[known.kind].types), (field, one)
                assert not isinstance(one, bool) or known.kind == "bool", field


def test_the_unit_in_a_name_is_the_unit_of_the_field():
    units = {(each.item_class, each.name): each for each in item_fields()}
    assert (units["nic", "speed_mbps"].unit, units["nic", "speed_mbps"].kind) == (
        "Mbit/s",
        "number",
    )
    assert (units["disk", "size_bytes"].unit, units["disk", "size_bytes"].kind) == (
        "bytes",
        "size",
    )
    assert units["usb", "id"].is_indexed is False, "no field of the class is in the index"
    assert units["nic", "id"].is_indexed is True
