"""A tree of files that stands for a machine, for what is applied below another root than ``/``."""

from pathlib import Path

MIB_KIB = 1024
SMALL = {
    "proc/cmdline": "BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro quiet\n",
    "proc/sys/vm/swappiness": "60\n",
    "proc/sys/vm/dirty_ratio": "20\n",
    "proc/sys/net/ipv4/tcp_rmem": "4096\t131072\t6291456\n",
    "proc/sys/net/ipv4/tcp_congestion_control": "cubic\n",
    "sys/kernel/mm/transparent_hugepage/enabled": "madvise",
    "sys/devices/system/node/node0/meminfo": f"Node 0 MemTotal: {4096 * MIB_KIB} kB\n",
    "sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages": "0\n",
    "sys/devices/system/node/node0/hugepages/hugepages-1048576kB/nr_hugepages": "0\n",
    "usr/sbin/update-grub": "",
    "usr/lib/systemd/systemd-journald": "",
    "usr/lib/systemd/systemd-timesyncd": "",
    "usr/share/zoneinfo/Europe/Berlin": "",
    "usr/share/zoneinfo/UTC": "",
    "etc/resolv.conf": "domain old.example\nnameserver 192.0.2.1\noptions ndots:2 timeout:3\n",
    "etc/default/grub": 'GRUB_CMDLINE_LINUX=""\n',
}


def machine_tree(root: Path, more: dict[str, str | None] | None = None) -> Path:
    """Write a small machine below ``root``; ``more`` are files beside it, None: without one."""
    for path, text in {**SMALL, **(more or {})}.items():
        if text is not None:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
    zone = root / "etc/localtime"
    if not zone.is_symlink() and not zone.exists():
        zone.symlink_to("/usr/share/zoneinfo/UTC")
    return root


def contents(root: Path) -> dict[str, str]:
    """Return every file and link below a root."""
    return {
        str(path.relative_to(root)): str(path.readlink()) if path.is_symlink() else path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_symlink() or path.is_file()
    }
