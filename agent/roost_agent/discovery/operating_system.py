"""The operating system, and the kernel modules it has loaded.

Told by files, so that another machine's tree reads the same way. Load, uptime and memory use are
metrics and not here.
"""

import re
import shlex
from os import uname
from typing import Final

from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import ABSENT, UNSUPPORTED, Missing, Section, Value
from roost_agent.discovery.virtualisation import virtualisation
from roost_protocol import __version__

_ITEM: Final = "os"
_KERNEL_DIR: Final = "proc/sys/kernel"
_RELEASE_PATHS: Final = ("etc/os-release", "usr/lib/os-release")
_BTIME: Final = re.compile(r"^btime (\d{1,15})$", re.MULTILINE | re.ASCII)
_CHOSEN: Final = re.compile(r"\[(\w+)\]")
_STAT_BYTES_MAX: Final = 16 << 20  # the interrupt line of a large machine
_SYSCTLS: Final = (  # those that decide whether a site's services work or are reachable
    "fs.file-max",
    "kernel.panic",
    "kernel.panic_on_oops",
    "kernel.pid_max",
    "kernel.sched_rt_runtime_us",
    "kernel.sysrq",
    "kernel.threads-max",
    "net.core.somaxconn",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.ip_forward",
    "net.ipv6.conf.all.disable_ipv6",
    "net.ipv6.conf.all.forwarding",
    "vm.max_map_count",
    "vm.overcommit_memory",
    "vm.panic_on_oom",
    "vm.swappiness",
)


def os(reader: Reader) -> Section:
    """Return the single item ``os``."""
    release = _os_release(reader)
    section = Section()
    section.put_all(
        _ITEM,
        {
            "name": _release_field(release, "NAME"),
            "version": _release_field(release, "VERSION_ID"),
            "distribution": _release_field(release, "ID"),
            "kernel": reader.text(f"{_KERNEL_DIR}/osrelease"),
            "arch": _arch(reader),
            "cmdline": _words(reader.text("proc/cmdline")),
            "hostname": reader.text(f"{_KERNEL_DIR}/hostname"),
            "machine_id": reader.text("etc/machine-id"),
            "boot_id": reader.text(f"{_KERNEL_DIR}/random/boot_id"),
            "btime_s": _btime_s(reader),
            "virtualisation": virtualisation(reader),
            "reboot_required": _reboot_required(reader),
            "kubernetes_node": reader.exists("var/lib/kubelet/config.yaml"),
            "agent_version": __version__,
            **_kernel_state(reader),
        },
    )
    return section


def module(reader: Reader) -> Section:
    """Return one item a loaded module; versions only where the module states one."""
    text = reader.text("proc/modules")
    if isinstance(text, Missing):
        return Section.empty(text.reason)
    section = Section()
    for line in text.splitlines():
        name = line.partition(" ")[0]
        if not name or "/" in name or name == "..":
            continue
        section.items[name] = {}
        for field in ("version", "srcversion"):
            value = reader.text(f"sys/module/{name}/{field}")
            if value != Missing(ABSENT):  # most modules of the kernel's own tree have none
                section.put(name, field, value)
    return section if section.items else Section.empty(ABSENT)


def _kernel_state(reader: Reader) -> dict[str, Value | Missing]:
    """Return taint, security modules, lockdown, FIPS mode, crash kernel and sysctls."""
    return {
        "tainted": reader.count(f"{_KERNEL_DIR}/tainted"),
        "lsm": _words(reader.text("sys/kernel/security/lsm"), ","),
        "lockdown": _chosen(reader.text("sys/kernel/security/lockdown")),
        "fips": _truth(reader.number("proc/sys/crypto/fips_enabled")),
        "kdump": _truth(reader.number("sys/kernel/kexec_crash_loaded")),
        "sysctl": _sysctls(reader),
    }


def _os_release(reader: Reader) -> dict[str, str] | Missing:
    """Return the assignments of os-release(5), unquoted as a shell would."""
    text: str | Missing = Missing(ABSENT)
    for path in _RELEASE_PATHS:
        text = reader.text(path)
        if isinstance(text, str):
            break
    if isinstance(text, Missing):
        return text
    release = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not key.startswith("#"):
            release[key.strip()] = _unquoted(value)
    return release


def _unquoted(value: str) -> str:
    try:
        return " ".join(shlex.split(value))
    except ValueError:  # an unbalanced quote: as it stands
        return value


def _release_field(release: dict[str, str] | Missing, key: str) -> str | Missing:
    return release if isinstance(release, Missing) else release.get(key) or Missing(ABSENT)


def _words(text: str | Missing, separator: str | None = None) -> list[str] | Missing:
    return text if isinstance(text, Missing) else text.split(separator)


def _arch(reader: Reader) -> str | Missing:
    """Return the machine's architecture; a file tells it since Linux 6.1."""
    arch = reader.text(f"{_KERNEL_DIR}/arch")
    return uname().machine if isinstance(arch, Missing) and reader.is_live else arch


def _btime_s(reader: Reader) -> int | Missing:
    text = reader.text("proc/stat", _STAT_BYTES_MAX)
    if isinstance(text, Missing):
        return text
    match = _BTIME.search(text)
    return int(match[1]) if match else Missing(UNSUPPORTED)


def _reboot_required(reader: Reader) -> bool | Missing:
    """Return whether an update asked for a reboot; only Debian's family leaves such a mark."""
    if reader.exists("run/reboot-required"):
        return True
    return False if reader.exists("etc/debian_version") else Missing(UNSUPPORTED)


def _chosen(text: str | Missing) -> str | Missing:
    """Return the word in brackets: ``none [integrity] confidentiality``."""
    if isinstance(text, Missing):
        return text
    match = _CHOSEN.search(text)
    return match[1] if match else Missing(UNSUPPORTED)


def _truth(number: int | Missing) -> bool | Missing:
    return number if isinstance(number, Missing) else number != 0


def _sysctls(reader: Reader) -> list[str]:
    """Return ``name=value`` of each sysctl that this kernel has."""
    values = {name: reader.text(f"proc/sys/{name.replace('.', '/')}") for name in _SYSCTLS}
    return [f"{name}={value}" for name, value in values.items() if isinstance(value, str)]
