from roost_agent.discovery.numa import numa

NODE = "sys/devices/system/node"


def plant_node(tree, number, *, cpus="0-1", kilobytes=1024, distance="10 21"):
    tree.plant(
        {
            f"{NODE}/node{number}/cpulist": cpus,
            f"{NODE}/node{number}/distance": distance,
            f"{NODE}/node{number}/meminfo": f"Node {number} MemTotal:  {kilobytes} kB",
        }
    )


def test_a_node_has_its_memory_cpus_and_distances(tree):
    plant_node(tree, 0)
    assert numa(tree.reader()).items["0"] == {
        "total_bytes": 1024 << 10,
        "cpus": [0, 1],
        "distances": [10, 21],
        "has_cpu": True,
        "has_memory": True,
        "tier": None,
    }


def test_a_node_may_have_memory_and_no_cpu_or_the_reverse(tree):
    plant_node(tree, 0, kilobytes=0)
    plant_node(tree, 8, cpus="")
    items = numa(tree.reader()).items
    assert (items["0"]["has_cpu"], items["0"]["has_memory"]) == (True, False)
    assert (items["8"]["has_cpu"], items["8"]["has_memory"]) == (False, True)


def test_a_tier_says_which_memory_is_faster(tree):
    plant_node(tree, 0)
    plant_node(tree, 1)
    tiers = "sys/devices/virtual/memory_tiering"
    tree.plant({f"{tiers}/memory_tier4/nodelist": "0", f"{tiers}/memory_tier22/nodelist": "1"})
    items = numa(tree.reader()).items
    assert (items["0"]["tier"], items["1"]["tier"]) == (4, 22)


def test_a_kernel_without_numa_says_so(tree):
    assert numa(tree.reader()).missing == {"*": "absent"}


def test_junk_is_null_with_a_reason(tree):
    plant_node(tree, 0, cpus="-1", distance="ten", kilobytes=-1)
    section = numa(tree.reader())
    assert section.missing["0.cpus"] == "unsupported"
    assert section.missing["0.has_cpu"] == "unsupported"
    assert section.missing["0.distances"] == "unsupported"
    assert section.missing["0.total_bytes"] == "absent"
