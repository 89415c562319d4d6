"""Processors: packages, their threads, their caches.

Sources: /proc/cpuinfo for what a CPU is, sysfs for how many there are, how they are arranged and
how fast they may run. Use and temperature are metrics and not here.
"""

import re
from dataclasses import dataclass
from typing import Final

from roost_agent.discovery.cpuinfo import CpuInfo, read_cpuinfo
from roost_agent.discovery.cpuset import read_list, read_set
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import ABSENT, UNSUPPORTED, Missing, Section, Value
from roost_agent.discovery.topology import (
    CPU_DIR,
    Thread,
    cores_of,
    packages_of,
    read_threads,
)

_CACHE_NAME: Final = re.compile(r"index\d{1,3}", re.ASCII)
_CACHE_SIZE: Final = re.compile(r"(\d{1,12})([KMG]?)", re.ASCII)
_CACHE_LETTERS: Final = {"Data": "d", "Instruction": "i", "Unified": ""}
_UNITS: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_HYBRID_PMUS: Final = {  # Intel names a PMU after each kind of core
    "cpu_core": "performance",
    "cpu_atom": "efficiency",
    "cpu_lowpower": "low-power",
}


def cpu(reader: Reader) -> Section:
    """Return one item a package: identity, counts, frequency range, mitigations."""
    threads = read_threads(reader)
    if isinstance(threads, Missing):
        return Section.empty(threads.reason)
    section = Section()
    cpuinfo = read_cpuinfo(reader)
    machine_wide: dict[str, Value | Missing] = {
        "turbo": _turbo(reader),
        "smt": reader.text(f"{CPU_DIR}/smt/control"),
        "cstates": _cstates(reader, threads[0].path if threads else CPU_DIR),
        "vulnerabilities": _vulnerabilities(reader),
    }
    for package, members in sorted(packages_of(threads).items()):
        item = str(package)
        section.put_all(item, _identity(reader, cpuinfo, members))
        section.put_all(
            item,
            {
                "cores": len(cores_of(members)),
                "threads": len(members),
                **_frequencies(reader, members),
                **machine_wide,
            },
        )
    return section


def cpu_thread(reader: Reader) -> Section:
    """Return one item a logical CPU, online or not."""
    threads = read_threads(reader)
    if isinstance(threads, Missing):
        return Section.empty(threads.reason)
    section = Section()
    isolated = read_list(reader, f"{CPU_DIR}/isolated")
    tickless = read_list(reader, f"{CPU_DIR}/nohz_full")
    types = _core_types(reader, threads)
    for thread in threads:
        section.put_all(
            str(thread.number),
            {
                "online": thread.online,
                "package": thread.package,
                "die": thread.die,
                "cluster": thread.cluster,
                "core": thread.core,
                "siblings": thread.siblings,
                "numa": thread.node,
                "core_type": types.get(thread.number, "uniform"),
                "isolated": _is_member(thread.number, isolated),
                "nohz_full": _is_member(thread.number, tickless),
            },
        )
    return section


def cpu_cache(reader: Reader) -> Section:
    """Return one item for each package, level and type; hybrid packages have a second size."""
    threads = read_threads(reader)
    if isinstance(threads, Missing):
        return Section.empty(threads.reason)
    section = Section()
    for package, members in sorted(packages_of(threads).items()):
        kinds: dict[_CacheKind, list[int]] = {}
        for kind, shared_by in _read_caches(reader, members):
            kinds.setdefault(kind, []).append(shared_by)
        for kind, sharers in sorted(kinds.items(), key=lambda kind: kind[0].order):
            item = f"{package}/{kind.name}"
            if item in section.items:  # the smaller cache of a hybrid's other cores
                item = f"{item}/{kind.size_bytes}"
            section.put_all(
                item,
                {
                    "size_bytes": kind.size_bytes or Missing(UNSUPPORTED),
                    "ways": kind.ways or Missing(UNSUPPORTED),
                    "line_bytes": kind.line_bytes or Missing(UNSUPPORTED),
                    "shared_by": max(sharers),  # a sibling that is offline does not count
                    "count": len(sharers),
                },
            )
    return section if section.items else Section.empty(ABSENT)


@dataclass(frozen=True, slots=True)
class _CacheKind:
    """What caches of one package have in common; 0 where the kernel does not tell."""

    name: str
    size_bytes: int
    ways: int
    line_bytes: int

    @property
    def order(self) -> tuple[str, int, int, int]:
        """Sort by name, then the largest first."""
        return self.name, -self.size_bytes, -self.ways, -self.line_bytes


def _read_caches(reader: Reader, members: list[Thread]) -> list[tuple[_CacheKind, int]]:
    """Return each cache of a package once, with the number of threads that share it."""
    found: list[tuple[_CacheKind, int]] = []
    seen: set[tuple[str, tuple[int, ...]]] = set()
    for thread in members:
        names = reader.names(f"{thread.path}/cache")
        for name in [] if isinstance(names, Missing) else names:
            if not _CACHE_NAME.fullmatch(name):
                continue
            at = f"{thread.path}/cache/{name}"
            sharers = _sharers(reader, at, thread.number)
            if (name, sharers) in seen:
                continue
            seen.add((name, sharers))
            kind = _read_cache_kind(reader, at)
            if kind is not None:
                found.append((kind, len(sharers)))
    return found


def _sharers(reader: Reader, at: str, cpu_number: int) -> tuple[int, ...]:
    sharers = read_set(reader, f"{at}/shared_cpu_list", f"{at}/shared_cpu_map")
    return (cpu_number,) if isinstance(sharers, Missing) or not sharers else tuple(sharers)


def _read_cache_kind(reader: Reader, at: str) -> _CacheKind | None:
    level = reader.count(f"{at}/level")
    kind = reader.text(f"{at}/type")
    if isinstance(level, Missing) or isinstance(kind, Missing):
        return None
    letter = _CACHE_LETTERS.get(kind, f"-{kind.lower()}")
    return _CacheKind(
        name=f"L{level}{letter}",
        size_bytes=_cache_bytes(reader.text(f"{at}/size")),
        ways=_or_zero(reader.count(f"{at}/ways_of_associativity")),
        line_bytes=_or_zero(reader.count(f"{at}/coherency_line_size")),
    )


def _cache_bytes(text: str | Missing) -> int:
    match = None if isinstance(text, Missing) else _CACHE_SIZE.fullmatch(text)
    return int(match[1]) * _UNITS[match[2]] if match else 0


def _or_zero(number: int | Missing) -> int:
    return 0 if isinstance(number, Missing) else number


def _identity(
    reader: Reader, cpuinfo: CpuInfo | Missing, members: list[Thread]
) -> dict[str, Value | Missing]:
    """Return what the package is; the microcode also from sysfs, where cpuinfo omits it."""
    if isinstance(cpuinfo, Missing):
        fields = ("vendor", "family", "model", "stepping", "model_name", "flags", "bugs")
        return {**dict.fromkeys(fields, cpuinfo), "microcode": cpuinfo}
    identity = cpuinfo.identity([thread.number for thread in members])
    if isinstance(identity["microcode"], Missing):
        version = reader.text(f"{members[0].path}/microcode/version")
        identity["microcode"] = version or Missing(ABSENT)  # empty while no driver has read it
    return identity


def _frequencies(reader: Reader, members: list[Thread]) -> dict[str, Value | Missing]:
    """Return the range over all cores, since hybrid cores differ, and the first core's policy."""
    first = f"{members[0].path}/cpufreq"
    paths = [f"{siblings[0].path}/cpufreq" for siblings in cores_of(members).values()]
    lows = [reader.count(f"{path}/cpuinfo_min_freq") for path in paths]
    highs = [reader.count(f"{path}/cpuinfo_max_freq") for path in paths]
    return {
        "base_khz": reader.count(f"{first}/base_frequency"),
        "min_khz": min((khz for khz in lows if isinstance(khz, int)), default=lows[0]),
        "max_khz": max((khz for khz in highs if isinstance(khz, int)), default=highs[0]),
        "governor": reader.text(f"{first}/scaling_governor"),
        "driver": reader.text(f"{first}/scaling_driver"),
    }


def _turbo(reader: Reader) -> bool | Missing:
    """Return whether frequencies above the base are allowed (intel_pstate inverts its flag)."""
    no_turbo = reader.number(f"{CPU_DIR}/intel_pstate/no_turbo")
    if isinstance(no_turbo, int):
        return no_turbo == 0
    boost = reader.number(f"{CPU_DIR}/cpufreq/boost")
    return boost if isinstance(boost, Missing) else boost != 0


def _cstates(reader: Reader, path: str) -> list[str] | Missing:
    states = reader.names(f"{path}/cpuidle")
    if isinstance(states, Missing):
        return states
    names = [reader.text(f"{path}/cpuidle/{state}/name") for state in states]
    return [name for name in names if isinstance(name, str)]


def _vulnerabilities(reader: Reader) -> list[str] | Missing:
    """Return ``name: state`` for each weakness the kernel knows of."""
    names = reader.names(f"{CPU_DIR}/vulnerabilities")
    if isinstance(names, Missing):
        return names
    states = {name: reader.text(f"{CPU_DIR}/vulnerabilities/{name}") for name in names}
    return [f"{name}: {state}" for name, state in states.items() if isinstance(state, str)]


def _core_types(reader: Reader, threads: list[Thread]) -> dict[int, str]:
    """Return the kind of each thread's core; empty where all cores are alike.

    Intel: one PMU for each kind. Arm: ``cpu_capacity``, where the largest is 1,024.
    """
    types: dict[int, str] = {}
    for pmu, core_type in _HYBRID_PMUS.items():
        members = read_list(reader, f"sys/devices/{pmu}/cpus")
        if not isinstance(members, Missing):
            types.update(dict.fromkeys(members, core_type))
    if types:
        return types
    capacities = {
        thread.number: capacity
        for thread in threads
        if isinstance(capacity := reader.count(f"{thread.path}/cpu_capacity"), int)
    }
    largest = max(capacities.values(), default=0)
    if len(set(capacities.values())) < 2:  # noqa: PLR2004 - one capacity: not hybrid
        return {}
    return {
        number: "performance" if capacity == largest else "efficiency"
        for number, capacity in capacities.items()
    }


def _is_member(number: int, members: list[int] | Missing) -> bool | Missing:
    return members if isinstance(members, Missing) else number in members
