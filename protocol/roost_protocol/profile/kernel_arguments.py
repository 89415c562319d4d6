"""The arguments of the kernel's command line that may be set. One that is not here is refused.

Left out: what chooses code (``init=``, ``rdinit=``, ``systemd.run=``, ``modprobe.blacklist=``,
``module.sig_enforce``), what opens the machine (``single``, ``selinux=0``, ``mitigations=off``,
``nokaslr``), and what finds the root file system. Meanings: the kernel's
Documentation/admin-guide/kernel-parameters.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from roost_protocol.profile.kinds import Flag, Kind, Listed, Text, Whole, cpu_lists, of

_CPUS: Final = cpu_lists()
_CSTATE: Final = Whole(0, 9)

KERNEL_ARGUMENTS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "isolcpus": _CPUS,
        "nohz_full": _CPUS,
        "rcu_nocbs": _CPUS,
        "irqaffinity": _CPUS,
        "rcu_nocb_poll": Flag(),  # true: the bare word
        "nosoftlockup": Flag(),
        "skew_tick": Whole(0, 1),
        "nmi_watchdog": Whole(0, 1),
        "intel_iommu": of("on", "off"),
        "amd_iommu": of("on", "off"),
        "iommu": of("pt", "nopt"),
        "intel_pstate": of("active", "passive", "disable"),
        "amd_pstate": of("active", "passive", "guided", "disable"),
        "intel_idle.max_cstate": _CSTATE,
        "processor.max_cstate": _CSTATE,
        "cpufreq.default_governor": of("performance", "powersave", "schedutil", "ondemand"),
        "idle": of("poll", "halt", "nomwait"),
        "tsc": of("reliable", "nowatchdog"),
        "pcie_aspm": of("off", "force"),
        "mitigations": of("auto", "auto,nosmt"),
        "transparent_hugepage": of("always", "madvise", "never"),
        "default_hugepagesz": of("2M", "1G"),
        "numa_balancing": of("enable", "disable"),
        "panic": Whole(0, 3_600, "s"),
        "crashkernel": Text(r"[1-9]\d{0,4}[MG]", 6, "a size such as 256M"),
        "audit": of("1"),
        "console": Listed(
            Text(
                r"(tty\d{1,2}|tty(S|AMA)\d)(,\d{4,6}[noe]8)?",
                20,
                "a console such as tty0 or ttyS0,115200n8",
            ),
            4,
        ),
    }
)
