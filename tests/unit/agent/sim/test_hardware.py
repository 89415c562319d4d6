import pytest

from roost_agent.inventory.snapshot import digest_of
from roost_agent.sim.hardware import MACHINES, NEW, sections


def look(node="edge-0001.n1", wear=NEW, seed=1):
    return sections(node, wear, seed=seed, as_of_ms=1)


def test_a_node_is_found_the_same_again():
    assert look() == look()


def test_no_two_nodes_share_their_serials():
    one, other = look("edge-0001.n1"), look("edge-0001.n2")
    assert one["nic"].items.keys().isdisjoint(other["nic"].items)
    assert one["disk"].items.keys().isdisjoint(other["disk"].items)
    assert digest_of(one) != digest_of(other)


def test_every_machine_is_in_the_fleet():
    found = {look(f"edge-{n:04}.n1")["system"].items["system"]["product_name"] for n in range(60)}
    assert found == {box.product for box in MACHINES}


@pytest.mark.parametrize(("turn", "section"), [(0, "disk"), (2, "os")])
def test_wear_shows_in_its_section_alone(turn, section):
    before, after = look(), look(wear=NEW.after(turn))
    assert [name for name in before if before[name].digest != after[name].digest] == [section]


def test_a_module_that_is_taken_out_takes_its_memory_along():
    node = next(n for n in (f"e-{i}.n1" for i in range(60)) if len(look(n)["dimm"].items) == 4)
    before, after = look(node), look(node, NEW.after(1))
    taken = before["memory"].items["memory"]["total_bytes"] // 4
    assert len(after["dimm"].items) == 3
    assert after["memory"].items["memory"]["total_bytes"] == 3 * taken
    assert look(node, NEW.after(1).after(1)) == before


def test_every_null_has_its_reason():
    for name, section in look().items():
        for item, fields in section.items.items():
            for field, value in fields.items():
                assert (value is None) == (f"{item}.{field}" in section.missing), (name, field)


def test_some_machines_have_accelerators_and_all_say_what_huge_pages_they_could_have():
    nodes = [look(f"edge-{n:04}.n1") for n in range(60)]
    kinds = {item["kind"] for node in nodes for item in node["accelerator"].items.values()}
    assert kinds == {"crypto", "compression", "gpu"}
    assert any(node["gpu"].items for node in nodes)
    assert all(node["gpu"].items or node["gpu"].missing == {"*": "absent"} for node in nodes)
    assert all(node["hugepages"].items["machine"]["sizes_bytes"] for node in nodes)
