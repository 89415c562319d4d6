"""The sysctl keys that may be set, each with its range. A key that is not here is refused.

Left out: what names a program or a module (``kernel.core_pattern``, ``kernel.modprobe``,
``kernel.hotplug``, ``fs.binfmt_misc``), what opens the kernel (``kernel.kptr_restrict``,
``kernel.unprivileged_bpf_disabled``, ``kernel.yama``, ``kernel.sysrq``), and what another section
owns (``vm.nr_hugepages``). Meanings and ranges: the kernel's Documentation/admin-guide/sysctl and
Documentation/networking/ip-sysctl; the ranges here are what a working machine can have.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from roost_protocol.profile.kinds import Kind, Rising, Whole, of

_SWITCH: Final = Whole(0, 1)
_BUFFER: Final = Whole(4_096, 268_435_456, "bytes")
_GIB_KIB: Final = 4 * 1024 * 1024

SYSCTL: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "vm.swappiness": Whole(0, 200),
        "vm.dirty_ratio": Whole(1, 60, "%"),
        "vm.dirty_background_ratio": Whole(1, 50, "%"),
        "vm.dirty_expire_centisecs": Whole(100, 60_000),
        "vm.dirty_writeback_centisecs": Whole(100, 60_000),
        "vm.min_free_kbytes": Whole(1_024, _GIB_KIB, "KiB"),
        "vm.overcommit_memory": Whole(0, 2),
        "vm.overcommit_ratio": Whole(0, 100, "%"),
        "vm.max_map_count": Whole(65_530, 16_777_216),
        "vm.vfs_cache_pressure": Whole(1, 1_000),
        "vm.panic_on_oom": _SWITCH,
        "vm.zone_reclaim_mode": _SWITCH,
        "kernel.panic": Whole(0, 3_600, "s"),
        "kernel.panic_on_oops": _SWITCH,
        "kernel.hung_task_timeout_secs": Whole(0, 3_600, "s"),
        "kernel.hung_task_panic": _SWITCH,
        "kernel.softlockup_panic": _SWITCH,
        "kernel.watchdog_thresh": Whole(0, 60, "s"),
        "kernel.nmi_watchdog": _SWITCH,
        "kernel.sched_rt_runtime_us": Whole(-1, 1_000_000, "us"),
        "kernel.pid_max": Whole(4_096, 4_194_304),
        "kernel.threads-max": Whole(4_096, 4_194_304),
        "kernel.numa_balancing": _SWITCH,
        "kernel.timer_migration": _SWITCH,
        "fs.file-max": Whole(65_536, 1_000_000_000),
        "fs.nr_open": Whole(65_536, 1_073_741_816),
        "fs.aio-max-nr": Whole(65_536, 16_777_216),
        "fs.inotify.max_user_watches": Whole(8_192, 4_194_304),
        "fs.inotify.max_user_instances": Whole(128, 65_536),
        "net.core.somaxconn": Whole(128, 65_535),
        "net.core.rmem_max": _BUFFER,
        "net.core.wmem_max": _BUFFER,
        "net.core.rmem_default": _BUFFER,
        "net.core.wmem_default": _BUFFER,
        "net.core.netdev_max_backlog": Whole(1_000, 1_000_000, "packets"),
        "net.core.netdev_budget": Whole(64, 10_000, "packets"),
        "net.core.busy_poll": Whole(0, 1_000, "us"),
        "net.core.busy_read": Whole(0, 1_000, "us"),
        "net.core.default_qdisc": of("fq", "fq_codel", "cake", "pfifo_fast"),
        "net.ipv4.ip_forward": _SWITCH,
        "net.ipv4.ip_local_port_range": Rising(Whole(1_024, 65_535), 2),
        "net.ipv4.tcp_congestion_control": of("cubic", "bbr", "reno"),
        "net.ipv4.tcp_rmem": Rising(_BUFFER, 3),
        "net.ipv4.tcp_wmem": Rising(_BUFFER, 3),
        "net.ipv4.tcp_keepalive_time": Whole(10, 7_200, "s"),
        "net.ipv4.tcp_keepalive_intvl": Whole(1, 600, "s"),
        "net.ipv4.tcp_keepalive_probes": Whole(1, 50),
        "net.ipv4.tcp_fin_timeout": Whole(5, 120, "s"),
        "net.ipv4.tcp_max_syn_backlog": Whole(128, 262_144),
        "net.ipv4.tcp_syncookies": Whole(1, 2),
        "net.ipv4.tcp_retries2": Whole(3, 20),
        "net.ipv4.tcp_mtu_probing": Whole(0, 2),
        "net.ipv4.tcp_slow_start_after_idle": _SWITCH,
        "net.ipv4.conf.all.rp_filter": Whole(1, 2),
        "net.ipv4.conf.all.arp_ignore": Whole(0, 2),
        "net.ipv4.conf.all.arp_announce": Whole(0, 2),
        "net.ipv4.neigh.default.gc_thresh1": Whole(128, 1_048_576, "entries"),
        "net.ipv4.neigh.default.gc_thresh2": Whole(128, 1_048_576, "entries"),
        "net.ipv4.neigh.default.gc_thresh3": Whole(128, 1_048_576, "entries"),
        "net.ipv6.conf.all.forwarding": _SWITCH,
        "net.netfilter.nf_conntrack_max": Whole(65_536, 16_777_216, "entries"),
    }
)
