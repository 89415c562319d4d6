"""What a machine cannot be."""

import pytest

from roost_central.profiles.possible import (
    KEPT_BYTES,
    Machine,
    impossible,
    machine_of,
    needs_machine,
)

MIB = 1024**2
SIZES = frozenset({2 * MIB, 1024 * MIB})
TWO = Machine(4096 * MIB, {"node0": 2048 * MIB, "node1": 2048 * MIB}, SIZES)


def pages(**sizes):
    return {"memory": {"hugepages": sizes}}


@pytest.mark.parametrize(
    ("asked", "where", "said"),
    [
        ({"2M": {"node0": 1025}}, "memory.hugepages.2M.node0", "2050 MiB"),
        ({"1G": {"node0": 1}, "2M": {"node0": 513}}, "memory.hugepages.2M.node0", "2048 MiB"),
        ({"2M": {"node2": 1}}, "memory.hugepages.2M.node2", "node0, node1 only"),
        ({"64K": {"node0": 1}}, "memory.hugepages.64K", "2M, 1G only"),
        ({"2M": {"node0": 1000, "node1": 1000}}, "memory.hugepages", "512 are kept"),
    ],
)
def test_more_than_there_is_is_refused_with_the_bound(asked, where, said):
    (fault,) = impossible(pages(**asked), TWO)
    assert (fault.where, fault.code) == (where, "impossible")
    assert said in fault.bound


@pytest.mark.parametrize(
    ("asked", "machine"),
    [
        ({"2M": {"node0": 896, "node1": 896}}, TWO),
        ({"64K": {"node0": 0}}, TWO),
        ({"2M": {"node9": 10**6}}, Machine()),
        ({"2M": {"node0": 5}}, Machine(numa_bytes={"node0": None})),
    ],
)
def test_what_fits_or_is_not_known_is_not_refused(asked, machine):
    assert impossible(pages(**asked), machine) == []


def test_all_but_what_is_kept_can_be_huge_pages():
    room = (TWO.memory_bytes - KEPT_BYTES) // (2 * MIB)
    one = Machine(TWO.memory_bytes, None, SIZES)
    assert impossible(pages(**{"2M": {"node0": room}}), one) == []
    assert impossible(pages(**{"2M": {"node0": room + 1}}), one) != []


def test_only_huge_pages_and_the_network_need_a_look_at_the_machine():
    assert needs_machine(pages(**{"2M": {"node0": 1}}))
    assert needs_machine({"sriov": {"vfs": {"eth0": 1}}})
    assert not needs_machine({"memory": {"thp": "never"}, "dns": {"attempts": 1}})


def test_a_machine_is_read_from_its_inventory():
    inventory = {
        "memory": {"memory": {"total_bytes": 4096}},
        "numa": {"0": {"total_bytes": 2048}, "1": {"total_bytes": None}},
        "hugepages": {"machine": {"sizes_bytes": [2048]}, "all/2048": {"count": 0}},
    }
    assert machine_of(inventory) == Machine(4096, {"node0": 2048, "node1": None}, frozenset({2048}))
    assert machine_of({}) == Machine()
    assert machine_of({"memory": {"memory": {"total_bytes": "x"}}, "numa": {}}) == Machine()
