"""The closed schema: what a node may be told, each setting with its bound, all faults at once."""

import pytest

from roost_protocol.profile.check import FAULTS_MAX, faults, field_at, leaves, mark_of
from roost_protocol.profile.field import Field, Group, Keyed, Mark
from roost_protocol.profile.schema import LATER, SECTIONS

WHOLE = {
    "time": {
        "servers": ["ntp1.example.net", "192.0.2.1", "2001:db8::1"],
        "timezone": "Europe/Berlin",
    },
    "dns": {"servers": ["192.0.2.53"], "search": ["example.net"], "timeout_s": 2, "rotate": True},
    "kernel": {
        "sysctl": {"vm.swappiness": 10, "net.ipv4.tcp_rmem": [4096, 131072, 6291456]},
        "cmdline": {
            "isolcpus": "2-7,10",
            "nosoftlockup": True,
            "console": ["tty0", "ttyS0,115200n8"],
        },
        "drift": "reapply",
    },
    "memory": {
        "hugepages": {"2M": {"node0": 512, "node1": 512}, "1G": {"node0": 4}},
        "thp": "never",
    },
    "thresholds": {"node.cpu.high": {"major": 80, "critical": 90, "raise_after_s": 300}},
    "log": {"level": "debug", "journal_mib_max": 200},
    "update-window": {"days": ["sat", "sun"], "start": "02:00", "minutes": 180},
}


def test_settings_within_the_schema_have_no_fault():
    assert faults(WHOLE) == []


def test_the_sections_are_in_the_order_in_which_they_are_applied():
    order = (
        "time dns kernel memory sriov network paths thresholds processes health services ha bmc "
        "log update-window"
    )
    assert [name for name in order.split() if name not in LATER] == list(SECTIONS)
    assert set(order.split()) == {*SECTIONS, *LATER}


@pytest.mark.parametrize("name", LATER)
def test_a_section_of_a_later_release_is_refused_by_its_name(name):
    (fault,) = faults({name: {}})
    assert (fault.code, fault.path) == ("later", (name,))
    assert "does not know this section yet" in fault.sentence


@pytest.mark.parametrize(
    ("sections", "code", "where", "bound"),
    [
        ({"tiem": {}}, "section", "tiem", "time, dns"),
        ({"time": {"server": ["a"]}}, "field", "time.server", "servers"),
        ({"time": 5}, "value", "time", "a table"),
        ({"time": {"servers": "ntp1"}}, "value", "time.servers", "1 to 8"),
        ({"time": {"servers": []}}, "value", "time.servers", "1 to 8"),
        ({"time": {"servers": ["a"] * 2}}, "value", "time.servers", "different"),
        ({"time": {"servers": [f"n{n}" for n in range(9)]}}, "value", "time.servers", "1 to 8"),
        ({"time": {"servers": ["a; reboot"]}}, "value", "time.servers", "host name"),
        ({"time": {"servers": ["-x"]}}, "value", "time.servers", "host name"),
        ({"time": {"servers": ["a\nb"]}}, "value", "time.servers", "host name"),
        ({"time": {"timezone": "../../etc/passwd"}}, "value", "time.timezone", "time zone"),
        ({"time": {"timezone": "Europe/Berlin\n"}}, "value", "time.timezone", "time zone"),
        ({"dns": {"servers": ["ns1.example.net"]}}, "value", "dns.servers", "IPv4 or IPv6"),
        ({"dns": {"servers": ["fe80::1%eth0"]}}, "value", "dns.servers", "IPv4 or IPv6"),
        ({"dns": {"timeout_s": True}}, "value", "dns.timeout_s", "1 to 30 s"),
        ({"dns": {"timeout_s": 31}}, "value", "dns.timeout_s", "1 to 30 s"),
        ({"dns": {"timeout_s": 1.0}}, "value", "dns.timeout_s", "1 to 30 s"),
        ({"dns": {"rotate": 1}}, "value", "dns.rotate", "true or false"),
        ({"dns": {"drift": "ignore"}}, "value", "dns.drift", "report, reapply"),
        ({"memory": {"hugepages": {"3M": {"node0": 1}}}}, "field", "memory.hugepages.3M", "2M"),
        (
            {"memory": {"hugepages": {"2M": {"cpu0": 1}}}},
            "field",
            "memory.hugepages.2M.cpu0",
            "node0",
        ),
        (
            {"memory": {"hugepages": {"2M": {"node0": -1}}}},
            "value",
            "memory.hugepages.2M.node0",
            "0",
        ),
        (
            {"memory": {"hugepages": {"2M": {f"node{n}": 1 for n in range(65)}}}},
            "value",
            "memory.hugepages.2M",
            "at most 64",
        ),
        (
            {"thresholds": {"node.cpu.high": {"major": 101}}},
            "value",
            'thresholds."node.cpu.high".major',
            "1 to 100 %",
        ),
        (
            {"thresholds": {"node.cpu.high": {"minor": 5}}},
            "field",
            'thresholds."node.cpu.high".minor',
            "major",
        ),
        ({"update-window": {"start": "24:00"}}, "value", "update-window.start", "02:30"),
    ],
)
def test_anything_else_is_refused_with_its_path_and_bound(sections, code, where, bound):
    (fault,) = faults(sections)
    assert (fault.code, fault.where) == (code, where)
    assert bound in fault.bound
    assert bound in fault.sentence


@pytest.mark.parametrize(
    "key",
    [
        "kernel.core_pattern",
        "kernel.modprobe",
        "kernel.hotplug",
        "kernel.poweroff_cmd",
        "kernel.yama.ptrace_scope",
        "kernel.kptr_restrict",
        "kernel.sysrq",
        "kernel.unprivileged_bpf_disabled",
        "fs.suid_dumpable",
        "fs.binfmt_misc.register",
        "vm.nr_hugepages",
        "vm.swappiness\n",
        "vm/swappiness",
        "../vm.swappiness",
    ],
)
def test_a_sysctl_that_is_code_or_opens_the_kernel_is_no_setting(key):
    (fault,) = faults({"kernel": {"sysctl": {key: 1}}})
    assert fault.code == "field"


@pytest.mark.parametrize(
    "key",
    [
        "init",
        "rdinit",
        "systemd.run",
        "systemd.unit",
        "modprobe.blacklist",
        "module.sig_enforce",
        "single",
        "selinux",
        "apparmor",
        "nokaslr",
        "root",
        "rootflags",
        "isolcpus ",
        "isolcpus init",
    ],
)
def test_a_kernel_argument_that_is_code_or_opens_the_machine_is_no_setting(key):
    (fault,) = faults({"kernel": {"cmdline": {key: "x"}}})
    assert fault.code == "field"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("isolcpus", "2-7 init=/bin/sh"),
        ("isolcpus", "2-7\ninit=/bin/sh"),
        ("console", ["tty0 init=/x"]),
        ("mitigations", "off"),
        ("crashkernel", "256M init=/x"),
        ("nosoftlockup", "yes"),
        ("audit", "0"),
    ],
)
def test_no_value_adds_another_kernel_argument_or_takes_a_guard_away(key, value):
    (fault,) = faults({"kernel": {"cmdline": {key: value}}})
    assert fault.code == "value"


def test_all_faults_are_told_at_once_up_to_a_bound():
    assert [each.where for each in faults({"x": {}, "dns": {"timeout_s": 0, "attempts": 9}})] == [
        "x",
        "dns.timeout_s",
        "dns.attempts",
    ]
    assert len(faults({f"x{n}": {} for n in range(FAULTS_MAX + 5)})) == FAULTS_MAX


def test_every_setting_has_its_path_its_mark_and_a_sentence():
    marks = {path: mark_of(path) for path, _ in leaves(WHOLE)}
    assert marks["kernel", "sysctl", "vm.swappiness"] is Mark.LIVE
    assert marks["kernel", "cmdline", "isolcpus"] is Mark.REBOOT
    assert marks["memory", "hugepages", "1G", "node0"] is Mark.REBOOT
    assert marks["memory", "hugepages", "2M", "node0"] is Mark.LIVE
    assert marks["time", "servers"] is Mark.RESTART
    for _, field in every_field(SECTIONS.items()):
        assert field.doc.endswith(".")
        assert field.kind.bound


def test_what_is_no_setting_has_no_field_and_no_mark():
    for path in (
        (),
        ("time",),
        ("time", "servers", "x"),
        ("kernel", "sysctl", "kernel.core_pattern"),
        ("x", "y"),
    ):
        assert field_at(path) is None
        with pytest.raises(AssertionError):
            mark_of(path)


def every_field(parts):
    for name, part in parts:
        match part:
            case Field():
                yield name, part
            case Group(inner):
                yield from every_field(inner.items())
            case Keyed(each=each):
                yield from every_field([(name, each)])
