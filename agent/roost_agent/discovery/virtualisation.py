"""Whether this is a machine of its own, a guest or a container, by what files tell.

Leaves CPUID leaves and hypercalls to tools that run as root; a guest whose firmware does not name
its hypervisor is ``vm``.
"""

import re
from typing import Final

from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import Missing

_HYPERVISORS: Final = {  # words of the DMI vendor and product, lower case
    "amazon ec2": "amazon",
    "bhyve": "bhyve",
    "bochs": "bochs",
    "google compute engine": "google",
    "kvm": "kvm",
    "microsoft corporation virtual machine": "microsoft",
    "nutanix": "nutanix",
    "openstack": "kvm",
    "ovirt": "kvm",
    "parallels": "parallels",
    "qemu": "qemu",
    "rhev": "kvm",
    "virtualbox": "oracle",
    "vmware": "vmware",
    "xen": "xen",
}
_HYPERVISOR_FLAG: Final = re.compile(r"^flags\s*:.*\bhypervisor\b", re.MULTILINE)
_CPUINFO_BYTES_MAX: Final = 16 << 20  # as in cpuinfo
_CONTAINER_MARKS: Final = {".dockerenv": "docker", "run/.containerenv": "podman"}


def virtualisation(reader: Reader) -> str | Missing:
    """Return a container's name, else a hypervisor's, ``vm`` or ``none``."""
    return _container(reader) or _hypervisor(reader)


def _container(reader: Reader) -> str | None:
    """Return what runs this container; systemd leaves its name for all to read."""
    name = reader.text("run/systemd/container")
    if isinstance(name, str) and name:
        return name
    return next((kind for path, kind in _CONTAINER_MARKS.items() if reader.exists(path)), None)


def _hypervisor(reader: Reader) -> str | Missing:
    kind = reader.text("sys/hypervisor/type")
    if isinstance(kind, str) and kind:
        return kind
    names = [
        text
        for field in ("sys_vendor", "product_name")
        if isinstance(text := reader.text(f"sys/class/dmi/id/{field}"), str)
    ]
    box = " ".join(names).lower()
    for words, hypervisor in _HYPERVISORS.items():
        if words in box:
            return hypervisor
    cpuinfo = reader.text("proc/cpuinfo", _CPUINFO_BYTES_MAX)
    if isinstance(cpuinfo, Missing):
        return cpuinfo
    return "vm" if _HYPERVISOR_FLAG.search(cpuinfo) else "none"
