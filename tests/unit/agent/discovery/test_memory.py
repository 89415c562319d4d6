from roost_agent.discovery.memory import memory

MEMINFO = "MemTotal:       16384 kB\nSwapTotal:          0 kB\nActive(anon):      7 kB"


def test_sizes_are_in_bytes_and_no_swap_is_zero(tree):
    item = memory(tree.plant({"proc/meminfo": MEMINFO}).reader()).items["memory"]
    assert item["total_bytes"] == 16384 << 10
    assert item["swap_bytes"] == 0


def test_zram_is_the_sum_of_its_devices(tree):
    tree.plant({"sys/block/zram0/disksize": 4096, "sys/block/zram1/disksize": 8192})
    tree.plant({"sys/block/sda/size": 1})
    assert memory(tree.reader()).items["memory"]["zram_bytes"] == 12288


def test_no_zram_is_absent_not_zero(tree):
    tree.plant({"sys/block/sda/size": 1})
    assert memory(tree.reader()).missing["memory.zram_bytes"] == "absent"


def test_an_unreadable_meminfo_gives_its_reason_to_every_size(tree):
    (tree.root / "proc/meminfo").mkdir(parents=True)
    missing = memory(tree.reader()).missing
    assert missing["memory.total_bytes"] == missing["memory.swap_bytes"] == "unsupported"


def test_a_negative_size_is_no_size(tree):
    section = memory(tree.plant({"proc/meminfo": "MemTotal: -1 kB"}).reader())
    assert section.missing["memory.total_bytes"] == "absent"
