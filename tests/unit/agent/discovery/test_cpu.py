import os

import pytest

from roost_agent.discovery.cpu import cpu, cpu_cache, cpu_thread

CPU = "sys/devices/system/cpu"
X86 = """processor\t: {number}
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 85
model name\t: Xeon
stepping\t: 4
microcode\t: 0x2006a0a
flags\t\t: fpu pse pdpe1gb
bugs\t\t: l1tf mds"""
ARM = "processor\t: {number}\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU part\t: {part}"


@pytest.fixture
def machine(tree):
    """Two packages of one core with two threads each: 0 and 2, 1 and 3."""
    for number in range(4):
        package = number % 2
        tree.plant(
            {
                f"{CPU}/cpu{number}/topology/physical_package_id": package,
                f"{CPU}/cpu{number}/topology/core_id": 0,
                f"{CPU}/cpu{number}/topology/thread_siblings_list": f"{package},{package + 2}",
            }
        )
    blocks = "\n\n".join(X86.format(number=number) for number in range(4))
    return tree.plant({f"{CPU}/online": "0-3", "proc/cpuinfo": blocks})


def plant_cache(tree, number, index, **attributes):
    cache = {
        "level": 1,
        "type": "Data",
        "size": "32K",
        "shared_cpu_list": "0",
        "ways_of_associativity": 8,
        "coherency_line_size": 64,
    }
    at = f"{CPU}/cpu{number}/cache/index{index}"
    tree.plant({f"{at}/{name}": value for name, value in (cache | attributes).items()})


def test_a_package_tells_what_it_is_and_how_many_threads_it_has(machine):
    section = cpu(machine.reader())
    assert list(section.items) == ["0", "1"]
    package = section.items["1"]
    assert (package["cores"], package["threads"]) == (1, 2)
    assert (package["vendor"], package["family"], package["model"]) == ("GenuineIntel", 6, 85)
    assert package["flags"] == ["fpu", "pse", "pdpe1gb"]
    assert package["bugs"] == ["l1tf", "mds"]


def test_what_a_kernel_does_not_tell_is_null_with_a_reason(machine):
    section = cpu(machine.reader())
    assert section.items["0"]["max_khz"] is None
    assert section.missing["0.max_khz"] == "absent"


def test_the_range_of_frequencies_spans_all_cores(machine):
    machine.plant(
        {
            f"{CPU}/cpu0/cpufreq/cpuinfo_min_freq": 800_000,
            f"{CPU}/cpu0/cpufreq/cpuinfo_max_freq": 3_000_000,
            f"{CPU}/cpu0/cpufreq/scaling_governor": "powersave",
        }
    )
    package = cpu(machine.reader()).items["0"]
    assert (package["min_khz"], package["max_khz"]) == (800_000, 3_000_000)
    assert package["governor"] == "powersave"


@pytest.mark.parametrize(
    ("path", "value", "turbo"),
    [
        ("intel_pstate/no_turbo", 1, False),
        ("intel_pstate/no_turbo", 0, True),
        ("cpufreq/boost", 1, True),
        ("cpufreq/boost", 0, False),
    ],
)
def test_turbo_is_told_by_either_driver(machine, path, value, turbo):
    machine.plant({f"{CPU}/{path}": value})
    assert cpu(machine.reader()).items["0"]["turbo"] is turbo


def test_mitigations_are_listed_by_name(machine):
    machine.plant({f"{CPU}/vulnerabilities/l1tf": "Mitigation: PTE Inversion"})
    found = cpu(machine.reader()).items["0"]["vulnerabilities"]
    assert found == ["l1tf: Mitigation: PTE Inversion"]


def test_arm_cores_of_two_kinds_join_their_names(machine):
    parts = ["0xd05", "0xd0b", "0xd05", "0xd0b"]
    blocks = [ARM.format(number=number, part=part) for number, part in enumerate(parts)]
    machine.plant({"proc/cpuinfo": "\n\n".join(blocks)})
    for number in range(4):
        machine.plant({f"{CPU}/cpu{number}/topology/physical_package_id": 0})
    package = cpu(machine.reader()).items["0"]
    assert package["vendor"] == "ARM"
    assert package["model_name"] == "Cortex-A55 + Cortex-A76"
    assert package["flags"] == ["fp", "asimd"]


def test_an_arm_part_that_nobody_listed_keeps_its_number(machine):
    machine.plant({"proc/cpuinfo": ARM.format(number=0, part="0xfff")})
    assert cpu(machine.reader()).items["0"]["model_name"] == "part 0xfff"


def test_the_trailing_block_of_32_bit_arm_holds_for_all(machine):
    text = "processor\t: 0\n\nprocessor\t: 1\n\nCPU implementer\t: 0x41\nCPU part\t: 0xc09"
    machine.plant({"proc/cpuinfo": text})
    assert cpu(machine.reader()).items["1"]["model_name"] == "Cortex-A9"


def test_threads_know_their_package_siblings_and_isolation(machine):
    machine.plant({f"{CPU}/isolated": "1,3", f"{CPU}/nohz_full": "(null)"})
    section = cpu_thread(machine.reader())
    assert section.items["3"]["siblings"] == [1, 3]
    assert section.items["3"]["isolated"] is True
    assert section.items["0"]["isolated"] is False
    assert section.items["0"]["nohz_full"] is False
    assert section.items["0"]["core_type"] == "uniform"


def test_intel_names_its_hybrid_cores_by_pmu(machine):
    machine.plant({"sys/devices/cpu_core/cpus": "0,2", "sys/devices/cpu_atom/cpus": "1,3"})
    items = cpu_thread(machine.reader()).items
    assert [items[number]["core_type"] for number in "0123"] == [
        "performance",
        "efficiency",
        "performance",
        "efficiency",
    ]


def test_arm_tells_its_hybrid_cores_by_capacity(machine):
    for number, capacity in enumerate((446, 1024, 446, 1024)):
        machine.plant({f"{CPU}/cpu{number}/cpu_capacity": capacity})
    items = cpu_thread(machine.reader()).items
    assert [items[number]["core_type"] for number in "01"] == ["efficiency", "performance"]


def test_a_shared_cache_is_counted_once(machine):
    for number in (0, 2):
        plant_cache(machine, number, 0, shared_cpu_list="0,2")
    section = cpu_cache(machine.reader())
    assert section.items == {
        "0/L1d": {"size_bytes": 32768, "ways": 8, "line_bytes": 64, "shared_by": 2, "count": 1}
    }


def test_the_smaller_cache_of_a_hybrid_is_an_item_of_its_own(machine):
    plant_cache(machine, 0, 0, size="48K", shared_cpu_list="0")
    plant_cache(machine, 2, 0, size="32K", shared_cpu_list="2")
    assert list(cpu_cache(machine.reader()).items) == ["0/L1d", "0/L1d/32768"]


def test_a_cache_without_ways_has_null_ways(machine):
    plant_cache(machine, 0, 3, level=3, type="Unified", size="11264K", ways_of_associativity=0)
    section = cpu_cache(machine.reader())
    assert section.items["0/L3"]["size_bytes"] == 11264 << 10
    assert section.missing["0/L3.ways"] == "unsupported"


def test_a_machine_that_tells_of_no_caches_says_so(machine):
    assert cpu_cache(machine.reader()).missing == {"*": "absent"}


@pytest.mark.parametrize("junk", ["-1", "junk", "\udcff".encode("utf-8", "surrogateescape"), ""])
@pytest.mark.parametrize(
    "path",
    [
        f"{CPU}/online",
        f"{CPU}/isolated",
        f"{CPU}/cpu0/topology/physical_package_id",
        f"{CPU}/cpu0/topology/thread_siblings_list",
        f"{CPU}/cpu0/cpufreq/cpuinfo_max_freq",
        f"{CPU}/cpu0/cache/index0/size",
        f"{CPU}/cpu0/cache/index0/level",
        f"{CPU}/intel_pstate/no_turbo",
        "proc/cpuinfo",
    ],
)
def test_junk_in_one_file_costs_no_other_field(machine, path, junk):
    plant_cache(machine, 0, 0)
    machine.plant({path: junk})
    for probe in (cpu, cpu_thread, cpu_cache):
        section = probe(machine.reader())
        for key, reason in section.missing.items():
            assert reason
            item, _, field = key.rpartition(".")
            assert key == "*" or section.items[item][field] is None
    assert cpu_thread(machine.reader()).items["3"]["siblings"] == [1, 3]


def test_fifos_in_place_of_files_do_not_hang(machine):
    for path in ("online", "cpu0/topology/core_id", "smt/control"):
        file = machine.root / CPU / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        os.mkfifo(file)
    section = cpu_thread(machine.reader())
    assert section.missing["0.core"] == "unsupported"
    assert cpu(machine.reader()).missing["0.smt"] == "unsupported"


def test_a_directory_that_links_to_its_parent_does_not_loop(machine):
    (machine.root / CPU / "cpu9").symlink_to(".")
    assert "9" in cpu_thread(machine.reader()).items
