import pytest

from roost_agent.discovery.section import ABSENT, Missing
from roost_agent.discovery.virtualisation import virtualisation

CPUINFO = "processor : 0\nflags\t: fpu {flag}"


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"run/systemd/container": "lxc"}, "lxc"),
        ({".dockerenv": ""}, "docker"),
        ({"sys/hypervisor/type": "xen"}, "xen"),
        ({"sys/class/dmi/id/sys_vendor": "VMware, Inc."}, "vmware"),
        ({"sys/class/dmi/id/sys_vendor": "QEMU"}, "qemu"),
        ({"proc/cpuinfo": CPUINFO.format(flag="hypervisor")}, "vm"),
        ({"proc/cpuinfo": CPUINFO.format(flag="sse")}, "none"),
    ],
)
def test_what_the_machine_runs_in(tree, files, kind):
    assert virtualisation(tree.plant(files).reader()) == kind


def test_a_container_on_a_guest_is_a_container(tree):
    tree.plant({".dockerenv": "", "sys/class/dmi/id/sys_vendor": "QEMU"})
    assert virtualisation(tree.reader()) == "docker"


def test_microsofts_own_hardware_is_no_guest(tree):
    tree.plant(
        {
            "sys/class/dmi/id/sys_vendor": "Microsoft Corporation",
            "sys/class/dmi/id/product_name": "Surface Hub",
            "proc/cpuinfo": CPUINFO.format(flag="sse"),
        }
    )
    assert virtualisation(tree.reader()) == "none"


def test_without_cpuinfo_it_is_unknown_not_none(tree):
    assert virtualisation(tree.reader()) == Missing(ABSENT)
