from roost_agent.discovery.operating_system import module, os

KERNEL = "proc/sys/kernel"


def test_the_distribution_is_read_as_a_shell_would(tree):
    tree.plant(
        {"usr/lib/os-release": "# comment\nNAME=\"Debian GNU/Linux\"\nVERSION_ID='12'\nID=debian"}
    )
    item = os(tree.reader()).items["os"]
    assert (item["name"], item["version"], item["distribution"]) == (
        "Debian GNU/Linux",
        "12",
        "debian",
    )


def test_etc_comes_before_usr_and_a_broken_quote_stays(tree):
    tree.plant({"etc/os-release": 'NAME="Edge', "usr/lib/os-release": "NAME=Debian"})
    assert os(tree.reader()).items["os"]["name"] == '"Edge'


def test_the_kernel_tells_its_state(tree):
    tree.plant(
        {
            f"{KERNEL}/osrelease": "6.1.0",
            f"{KERNEL}/arch": "x86_64",
            f"{KERNEL}/tainted": 4097,
            "proc/stat": "cpu 1 2\nbtime 1700000000\nctxt 9",
            "proc/cmdline": "quiet isolcpus=2-3",
            "sys/kernel/security/lsm": "capability,apparmor",
            "sys/kernel/security/lockdown": "none [integrity] confidentiality",
            "proc/sys/crypto/fips_enabled": 1,
            "sys/kernel/kexec_crash_loaded": 0,
            "proc/sys/vm/swappiness": 60,
        }
    )
    item = os(tree.reader()).items["os"]
    assert item["kernel"] == "6.1.0"
    assert item["tainted"] == 4097
    assert item["btime_s"] == 1_700_000_000
    assert item["cmdline"] == ["quiet", "isolcpus=2-3"]
    assert item["lsm"] == ["capability", "apparmor"]
    assert item["lockdown"] == "integrity"
    assert (item["fips"], item["kdump"]) == (True, False)
    assert item["sysctl"] == ["vm.swappiness=60"]


def test_another_machines_architecture_is_not_ours(tree):
    assert os(tree.reader()).missing["os.arch"] == "absent"


def test_only_debian_tells_whether_a_reboot_is_due(tree):
    assert os(tree.reader()).missing["os.reboot_required"] == "unsupported"
    tree.plant({"etc/debian_version": "12.4"})
    assert os(tree.reader()).items["os"]["reboot_required"] is False
    tree.plant({"run/reboot-required": ""})
    assert os(tree.reader()).items["os"]["reboot_required"] is True


def test_an_empty_tree_gives_reasons_not_errors(tree):
    section = os(tree.reader())
    nulls = [name for name, value in section.items["os"].items() if value is None]
    assert {f"os.{name}" for name in nulls} == set(section.missing)


def test_modules_have_versions_where_they_state_them(tree):
    tree.plant(
        {
            "proc/modules": "ice 100 0 - Live 0x0\nloop 1 0 - Live 0x0\n../etc 1\n",
            "sys/module/ice/version": "1.12.7",
            "sys/module/ice/srcversion": "ABC",
        }
    )
    section = module(tree.reader())
    assert section.items == {"ice": {"version": "1.12.7", "srcversion": "ABC"}, "loop": {}}


def test_a_kernel_without_modules_says_so(tree):
    assert module(tree.reader()).missing == {"*": "absent"}
