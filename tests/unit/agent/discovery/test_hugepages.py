from roost_agent.discovery.hugepages import hugepages

MM = "sys/kernel/mm"
NODE = "sys/devices/system/node/node1/hugepages"


def test_sizes_counts_and_modes_of_the_machine(tree):
    tree.plant(
        {
            f"{MM}/hugepages/hugepages-2048kB/nr_hugepages": 512,
            f"{MM}/hugepages/hugepages-2048kB/nr_overcommit_hugepages": 0,
            f"{MM}/hugepages/hugepages-1048576kB/nr_hugepages": 1,
            f"{MM}/transparent_hugepage/enabled": "always [madvise] never",
            "proc/meminfo": "Hugepagesize:       2048 kB",
        }
    )
    section = hugepages(tree.reader())
    assert section.items["machine"]["sizes_bytes"] == [2 << 20, 1 << 30]
    assert section.items["machine"]["default_bytes"] == 2 << 20
    assert section.items["machine"]["thp_mode"] == "madvise"
    assert section.items[f"all/{2 << 20}"]["count"] == 512
    assert section.missing[f"all/{1 << 30}.overcommit"] == "absent"


def test_each_node_has_its_own_count(tree):
    tree.plant({f"{NODE}/hugepages-2048kB/nr_hugepages": 4})
    item = hugepages(tree.reader()).items[f"node1/{2 << 20}"]
    assert item == {"node": 1, "size_bytes": 2 << 20, "count": 4}


def test_a_count_of_minus_one_and_a_mode_without_brackets_are_null(tree):
    tree.plant(
        {
            f"{NODE}/hugepages-2048kB/nr_hugepages": -1,
            f"{MM}/transparent_hugepage/enabled": "junk",
        }
    )
    missing = hugepages(tree.reader()).missing
    assert missing[f"node1/{2 << 20}.count"] == "unsupported"
    assert missing["machine.thp_mode"] == "unsupported"


def test_a_kernel_without_huge_pages_says_so(tree):
    section = hugepages(tree.reader())
    assert list(section.items) == ["machine"]
    assert section.missing["machine.sizes_bytes"] == "absent"
