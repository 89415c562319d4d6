"""Processors, memory and firmware of real machines, against hwloc's own answer about each.

The dumps belong to others (BSD-3-Clause) and are no part of the project: the tests run where
their folder is present. hwloc judges a machine where a probe reports what the kernel says, so the
places where the two rightly differ are listed with their reason.
"""

import os
import re
import tarfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from roost_agent.discovery.cpu import cpu, cpu_cache, cpu_thread
from roost_agent.discovery.dmi import DMI_DIR, system
from roost_agent.discovery.hugepages import hugepages
from roost_agent.discovery.memory import memory
from roost_agent.discovery.numa import numa
from roost_agent.discovery.reader import Reader

PROJECT = Path(__file__).parents[4]
FOLDER = Path(os.environ.get("ROOST_CORPORA", PROJECT.parent / "shared/corpora")) / "hwloc"
ARCHIVES = sorted(FOLDER.glob("*.tar.bz2"))
UNPACKED_BYTES_MAX = 64 << 20
NEEDED = re.compile(
    r"[^/]+/(proc/(cpuinfo|meminfo)"
    r"|sys/kernel/mm/.*"
    r"|sys/class/dmi/id(/\w+)?|sys/devices/virtual/dmi/id/\w+"
    r"|sys/devices/system/cpu/[^/]+"
    r"|sys/devices/system/cpu/cpu\d+/(topology|cache|cpufreq)/.*"
    r"|sys/devices/system/node/node\d+/(cpulist|cpumap|distance|meminfo|hugepages/.*))"
)

# What the kernel says where hwloc, rightly, says something else.
DIFFERENCES = {
    # hwloc drops a package and its L3 for the locality of PCI devices.
    ("40intel64-4n10c+pci-conflicts", "packages"): 4,
    ("40intel64-4n10c+pci-conflicts", "L3"): 4,
    # hwloc counts both halves of a compute unit as cores and knows that they share caches.
    ("64amd64-4s2n4ca2co", "cores"): 32,
    ("64amd64-4s2n4ca2co", "L1i"): 64,
    ("64amd64-4s2n4ca2co", "L2"): 64,
    # hwloc drops nodes that all claim the same CPUs.
    ("8em64t-2s2ca2c-buggynuma", "nodes"): set(range(8)),
    # hwloc hides the memory of GPUs.
    ("nvidiagpunumanodes", "nodes"): {0, 8, *range(250, 256)},
    # hwloc knows that this processor reports the ways of its L3 wrongly.
    ("128arm-2pa2n8cluster4co", "ways"): 15,
}

pytestmark = [
    pytest.mark.skipif(not ARCHIVES, reason=f"corpora absent: {FOLDER}"),
    pytest.mark.timeout(60),
]


@dataclass
class Answer:
    """What hwloc says of a machine; None where it does not say."""

    packages: int = 0
    cores: int = 0
    threads: set[int] = field(default_factory=set)
    nodes: dict[int, tuple[int, int]] = field(default_factory=dict)  # bytes, rounded to a unit
    caches: Counter = field(default_factory=Counter)  # (name, size_bytes, line_bytes, ways)
    page_sizes: list[int] | None = None
    firmware: dict[str, str] = field(default_factory=dict)  # DMI strings by our field's name


UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
SIZE = re.compile(r"(\d+)(KiB|MiB|GiB|TiB)")
OBJECT = re.compile(r"^ *(\w+) L#\d+(?: \((.*)\))?")
FIRMWARE = re.compile(r'DMI(\w+?)(Vendor|Name|Version|Serial|UUID|AssetTag|Date)=("[^"]*"|\S*)')
PAGE_SIZES = re.compile(r"PageSizes=([\d,]+)")


def parse_console(text):
    answer = Answer()
    for line in text.splitlines():
        match = OBJECT.match(line)
        if not match:
            continue
        kind, attributes = match[1], match[2] or ""
        number = re.search(r"P#(\d+)", attributes)
        if kind == "Package":
            answer.packages += 1
        elif kind == "Core":
            answer.cores += 1
        elif kind == "PU":
            answer.threads.add(int(number[1]))
        elif kind == "NUMANode":
            size, unit = SIZE.fullmatch(re.search(r"local=(\w+)", attributes)[1]).groups()
            answer.nodes[int(number[1])] = int(size) * UNITS[unit], UNITS[unit]
        elif kind.endswith("Cache") and kind != "MemCache":
            size, unit = SIZE.search(re.search(r"size=(\w+)", attributes)[1]).groups()
            line_bytes = re.search(r"linesize=(\d+)", attributes)
            ways = re.search(r"ways=(\d+)", attributes)
            answer.caches[
                kind.removesuffix("Cache"),
                int(size) * UNITS[unit],
                UNITS[unit],
                int(line_bytes[1]) if line_bytes else 0,
                int(ways[1]) if ways else 0,
            ] += 1
    for part, what, value in FIRMWARE.findall(text.splitlines()[0]):
        label = {"AssetTag": "asset_tag"}.get(what, what.lower())
        bare = value[1:-1] if value.startswith('"') else value.rstrip(")")
        answer.firmware[f"{part.lower()}_{label}"] = bare.strip()
    if sizes := PAGE_SIZES.search(text):
        answer.page_sizes = [int(size) for size in sizes[1].split(",")][1:]
    return answer


def parse_xml(text):
    answer = Answer()
    root = ET.fromstring(text)  # noqa: S314 - of a folder that the operator chose
    for found in root.iter("object"):
        kind = found.get("type")
        if kind == "Package":
            answer.packages += 1
        elif kind == "Core":
            answer.cores += 1
        elif kind == "PU":
            answer.threads.add(int(found.get("os_index")))
        elif kind == "NUMANode":
            answer.nodes[int(found.get("os_index"))] = int(found.get("local_memory")), 1
        elif kind.endswith("Cache"):
            letter = {"0": "", "1": "d", "2": "i"}[found.get("cache_type")]
            answer.caches[
                kind.removesuffix("Cache") + letter,
                int(found.get("cache_size")),
                1,
                int(found.get("cache_linesize")),
                int(found.get("cache_associativity")),
            ] += 1
    for info in root.iter("info"):
        if info.get("name") == "PageSizes":
            answer.page_sizes = [int(size) for size in info.get("value").split(",")][1:]
    return answer


def name_of(archive):
    return archive.name.removesuffix(".tar.bz2")


def unpack(archive, folder):
    """Unpack what the probes read; the filter refuses whatever would lead outside."""
    with tarfile.open(archive) as tar:
        wanted = [member for member in tar if NEEDED.fullmatch(member.name)]
        assert sum(member.size for member in wanted) <= UNPACKED_BYTES_MAX
        for member in wanted:
            tar.extract(member, folder, filter="data")
    (root,) = folder.iterdir()
    return root


@pytest.fixture(scope="module", params=ARCHIVES, ids=name_of)
def machine(request, tmp_path_factory):
    """A reader of the machine, hwloc's answer about it, its name."""
    name = name_of(request.param)
    reader = Reader(str(unpack(request.param, tmp_path_factory.mktemp("hwloc"))))
    console = FOLDER / f"{name}.console"
    if console.exists():
        answer = parse_console(console.read_text())
    else:
        answer = parse_xml((FOLDER / f"{name}.xml").read_text())
    yield reader, answer, name
    reader.close()


def test_packages(machine):
    reader, answer, name = machine
    assert len(cpu(reader).items) == DIFFERENCES.get((name, "packages"), answer.packages)


def test_cores(machine):
    reader, answer, name = machine
    cores = sum(package["cores"] for package in cpu(reader).items.values())
    assert cores == DIFFERENCES.get((name, "cores"), answer.cores)


def test_threads(machine):
    reader, answer, _ = machine
    online = {
        int(number) for number, thread in cpu_thread(reader).items.items() if thread["online"]
    }
    assert online == answer.threads
    assert sum(package["threads"] for package in cpu(reader).items.values()) == len(online)


def test_numa_nodes_and_their_memory(machine):
    reader, answer, name = machine
    items = numa(reader).items
    if not items:  # hwloc makes one node of the whole memory
        ((total, unit),) = answer.nodes.values()
        assert abs(memory(reader).items["memory"]["total_bytes"] - total) <= unit
        return
    assert {int(number) for number in items} == DIFFERENCES.get((name, "nodes"), set(answer.nodes))
    for number, (total, unit) in answer.nodes.items():
        assert abs(items[str(number)]["total_bytes"] - total) <= unit


def test_each_thread_is_in_the_first_node_that_lists_it(machine):
    reader, _, _ = machine
    owner = {}
    for number, node in numa(reader).items.items():
        for member in node["cpus"]:
            owner.setdefault(str(member), int(number))
    for number, thread in cpu_thread(reader).items.items():
        assert thread["numa"] == owner.get(number)


def test_caches(machine):
    reader, answer, name = machine
    ours, theirs = Counter(), Counter()
    for item, cache in cpu_cache(reader).items.items():
        level = item.split("/")[1]
        ours[level] += cache["count"]
        assert any(is_same(level, cache, known, name) for known in answer.caches), (item, cache)
    for (level, *_), count in answer.caches.items():
        theirs[level] += count
    assert ours == {level: DIFFERENCES.get((name, level), n) for level, n in theirs.items()}


def is_same(level, cache, known, name):
    their_level, size, unit, line_bytes, ways = known
    return (
        level == their_level
        and abs(size - cache["size_bytes"]) <= unit
        and line_bytes == (cache["line_bytes"] or 0)
        and (cache["ways"] or 0) in {ways, DIFFERENCES.get((name, "ways"))}
    )


def test_huge_page_sizes(machine):
    reader, answer, _ = machine
    if answer.page_sizes is None:
        assert hugepages(reader).items["machine"]["sizes_bytes"] is None
        return
    assert hugepages(reader).items["machine"]["sizes_bytes"] == answer.page_sizes


def test_firmware_strings_are_read_or_told_to_be_placeholders(machine):
    reader, answer, _ = machine
    if not reader.exists(DMI_DIR):
        return  # one dump lacks the link that every kernel makes
    section = system(reader)
    item = section.items["system"]
    for label, value in answer.firmware.items():
        assert (item[label] or item.get(f"{label}_raw", "")) == value
        if item[label] is None:
            assert section.missing[f"system.{label}"] == ("placeholder" if value else "absent")


def test_no_value_is_null_without_a_reason(machine):
    reader, _, _ = machine
    for probe in (cpu, cpu_thread, cpu_cache, numa, memory, hugepages):
        section = probe(reader)
        for item, row in section.items.items():
            for label, value in row.items():
                assert (value is None) == (f"{item}.{label}" in section.missing)
