"""Which probe reads which inventory class, in the order they run and are shown."""

from collections.abc import Callable
from typing import Final

from roost_agent.discovery import cpu, dmi, hugepages, memory, numa, operating_system, packages, tpm
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import Section

Probe = Callable[[Reader], Section]

PROBES: Final[dict[str, Probe]] = {
    "system": dmi.system,
    "os": operating_system.os,
    "cpu": cpu.cpu,
    "cpu_thread": cpu.cpu_thread,
    "cpu_cache": cpu.cpu_cache,
    "numa": numa.numa,
    "memory": memory.memory,
    "hugepages": hugepages.hugepages,
    "dimm": dmi.dimm,
    "dmi": dmi.dmi,
    "tpm": tpm.tpm,
    "module": operating_system.module,
    "package_set": packages.package_set,
    "package": packages.package,
}

ON_DEMAND: Final = frozenset({"package"})  # thousands of items that rarely change


def chosen(names: list[str]) -> dict[str, Probe]:
    """Return the named probes; without names, those of a full run.

    Raises:
        KeyError: a name that is not in the registry.
    """
    if names:
        return {name: PROBES[name] for name in names}
    return {name: probe for name, probe in PROBES.items() if name not in ON_DEMAND}
