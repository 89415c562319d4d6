"""The sections of a desired document in the order in which a node applies them.

A closed list: an unknown section, field or key refuses the document whole, it is never skipped.
Sections of LATER are known by name and not by this release. ``drift`` says what a node does that
finds a section changed by other hands: report it, or apply it again.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from roost_protocol.profile.field import Field, Group, Keyed, Mark, Part
from roost_protocol.profile.ha import HA
from roost_protocol.profile.kernel_arguments import KERNEL_ARGUMENTS
from roost_protocol.profile.kinds import Address, Flag, Listed, Text, Whole, host_names, of
from roost_protocol.profile.network import NETWORK, SRIOV
from roost_protocol.profile.paths import PATHS
from roost_protocol.profile.processes import PROCESSES
from roost_protocol.profile.sysctl import SYSCTL
from roost_protocol.profile.thresholds import DELAY_S_MAX, LIMITS

LIVE, RESTART, REBOOT = Mark.LIVE, Mark.RESTART, Mark.REBOOT

NUMA_NODES_MAX: Final = 64
PAGES_MAX: Final = 16_777_216  # of one size on one NUMA node: 32 TiB of 2 MiB
PAGE_BYTES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "64K": 64 * 1024,
        "2M": 2 * 1024**2,
        "16M": 16 * 1024**2,
        "32M": 32 * 1024**2,
        "512M": 512 * 1024**2,
        "1G": 1024**3,
        "16G": 16 * 1024**3,
    }
)
_GIGANTIC: Final = ("512M", "1G", "16G")  # more than the buddy allocator has in one piece

_DRIFT: Final = Field(
    of("report", "reapply"),
    LIVE,
    "What is done about a change by other hands.",
)
_ZONE: Final = Text(
    r"[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}", 64, "a time zone such as Europe/Berlin or UTC"
)
_HOSTS: Final = host_names()
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _section(parts: Mapping[str, Part]) -> Group:
    return Group(MappingProxyType({**parts, "drift": _DRIFT}))


def _threshold(name: str) -> Group:
    limits = LIMITS[name]
    delay = Whole(0, DELAY_S_MAX, "s")
    return Group(
        MappingProxyType(
            {
                **{
                    each: Field(
                        Whole(1, limits.most, limits.unit), LIVE, f"Limit of severity {each}."
                    )
                    for each in limits.severities
                },
                "raise_after_s": Field(delay, LIVE, "How long it lasts before it is raised."),
                "clear_after_s": Field(delay, LIVE, "How long it is gone before it is cleared."),
            }
        )
    )


SECTIONS: Final[Mapping[str, Group]] = MappingProxyType(
    {
        "time": _section(
            {
                "servers": Field(Listed(_HOSTS, 8), RESTART, "Time servers (NTP)."),
                "pools": Field(Listed(_HOSTS, 4), RESTART, "Names that stand for many servers."),
                "timezone": Field(_ZONE, LIVE, "Zone of the node's local time."),
            }
        ),
        "dns": _section(
            {
                "servers": Field(Listed(Address(), 3), LIVE, "Resolvers, in their order."),
                "search": Field(Listed(_HOSTS, 6), LIVE, "Domains of short names."),
                "timeout_s": Field(Whole(1, 30, "s"), LIVE, "How long one server is waited for."),
                "attempts": Field(Whole(1, 5), LIVE, "How often each server is asked."),
                "rotate": Field(Flag(), LIVE, "Ask the servers in turn."),
            }
        ),
        "kernel": _section(
            {
                "sysctl": Group(
                    MappingProxyType(
                        {
                            key: Field(kind, LIVE, "Kernel parameter.")
                            for key, kind in SYSCTL.items()
                        }
                    )
                ),
                "cmdline": Group(
                    MappingProxyType(
                        {
                            key: Field(kind, REBOOT, "Argument of the kernel's command line.")
                            for key, kind in KERNEL_ARGUMENTS.items()
                        }
                    )
                ),
            }
        ),
        "memory": _section(
            {
                "hugepages": Group(
                    MappingProxyType(
                        {
                            size: Keyed(
                                r"node\d{1,2}",
                                "NUMA nodes such as node0",
                                Field(
                                    Whole(0, PAGES_MAX, "pages"),
                                    REBOOT if size in _GIGANTIC else LIVE,
                                    f"Huge pages of {size} on a NUMA node.",
                                ),
                                NUMA_NODES_MAX,
                                example="node0",
                            )
                            for size in PAGE_BYTES
                        }
                    )
                ),
                "thp": Field(of("always", "madvise", "never"), LIVE, "Transparent huge pages."),
            }
        ),
        "sriov": _section(SRIOV),
        "network": _section(NETWORK),
        "paths": Group(PATHS),  # the agent's own, as the window is
        "thresholds": _section({name: _threshold(name) for name in LIMITS}),
        "processes": Group(PROCESSES),
        "ha": Group(HA),
        "log": _section(
            {
                "level": Field(
                    of("debug", "info", "warning", "error"), LIVE, "What the agent's log holds."
                ),
                "journal_mib_max": Field(
                    Whole(16, 65_536, "MiB"), RESTART, "Space of the system's journal."
                ),
                "journal_days_max": Field(
                    Whole(1, 400, "days"), RESTART, "Age of what the journal keeps."
                ),
            }
        ),
        "update-window": Group(  # the agent's own: there is nothing that others could change
            MappingProxyType(
                {
                    "days": Field(Listed(of(*_DAYS), len(_DAYS)), LIVE, "Days on which it begins."),
                    "start": Field(
                        Text(r"([01]\d|2[0-3]):[0-5]\d", 5, "a time such as 02:30"),
                        LIVE,
                        "When it begins.",
                    ),
                    "minutes": Field(Whole(15, 1_440, "minutes"), LIVE, "How long it lasts."),
                    "timezone": Field(_ZONE, LIVE, "Zone of `start`; without it UTC."),
                }
            )
        ),
    }
)
LATER: Final = ("health", "services", "bmc")
