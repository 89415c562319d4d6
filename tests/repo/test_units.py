"""The systemd units: valid, and as closed as the design demands. Nothing is started."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from roost_agent.discovery.lldp import WINDOWS_EVERY_S
from roost_agent.helper import SOCKET
from roost_agent.helper.facts import FOLDER

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "packaging/systemd").glob("*.service"))
EXPOSURE_MAX = 20  # tenths of systemd's own score, 0 to 100
BOUNDS = {
    "roost-signer.service": 10,  # no network, no child
    "roost-facts@.service": 10,
    "roost-grub.service": 40,  # update-grub; it reads nothing that comes from a network
    "roost-install@.service": 40,  # packages run scripts of their own, signed with them
}

ANALYZE = shutil.which("systemd-analyze")
needs_analyze = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze absent")


def settings(unit: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        if match := re.fullmatch(r"(\w+)=(.*)", line):
            found.setdefault(match[1], []).append(match[2])
    return found


def instance(unit: Path) -> str:
    """The name that can be loaded: a template has none."""
    return unit.name.replace("@.", "@dmi.")


def with_present_program(unit: Path, folder: Path) -> Path:
    """A copy whose ExecStart exists here: `verify` refuses a program that is not installed."""
    copy = folder / instance(unit)
    for handed in unit.parent.glob("*.socket"):  # what a unit requires is loaded too
        shutil.copy(handed, folder)
    present = rf"\1={shutil.which('true')}"
    copy.write_text(re.sub(r"^(Exec\w+)=\S+", present, unit.read_text(), flags=re.MULTILINE))
    return copy


@needs_analyze
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_valid(unit, tmp_path):
    copy = with_present_program(unit, tmp_path)
    done = subprocess.run(
        [ANALYZE, "verify", "--man=no", copy],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    # It reads the host's units too; only what it says of ours counts.
    assert [line for line in done.stderr.splitlines() if copy.name in line] == []


@needs_analyze
def test_the_agent_of_a_node_that_runs_groups_is_valid_too(tmp_path):
    copy = with_present_program(ROOT / "packaging/systemd/roost-agent.service", tmp_path)
    (tmp_path / f"{copy.name}.d").mkdir()
    drop_in = ROOT / "packaging/systemd/roost-agent-ha.conf"
    (tmp_path / f"{copy.name}.d/ha.conf").write_text(drop_in.read_text())
    done = subprocess.run(
        [ANALYZE, "verify", "--man=no", copy],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert [line for line in done.stderr.splitlines() if "ha.conf" in line] == []


@needs_analyze
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_closed(unit, tmp_path):
    copy = shutil.copy(unit, tmp_path / instance(unit))
    most = BOUNDS.get(unit.name, EXPOSURE_MAX)
    done = subprocess.run(
        [ANALYZE, "security", "--offline=yes", f"--threshold={most}", "--no-pager", copy],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


def test_the_page_on_what_root_does_has_each_unit_with_its_bound():
    page = (ROOT / "docs/helper.md").read_text().split("## How closed it is")[1]
    told = {
        f"{name}.service": round(10 * float(row.split("|")[-2]))
        for row in page.splitlines()
        if row.startswith("| `")
        for name in re.findall(r"`(roost-[a-z@-]+)`", row.split("|")[1])
    }
    assert told == {unit.name: BOUNDS.get(unit.name, EXPOSURE_MAX) for unit in UNITS}


PRIVILEGED = {  # name -> the capabilities that its work is made of
    "roost-guard.service": ["CAP_KILL CAP_NET_ADMIN"],
    "roost-helper.service": [""],  # root's user alone: systemd asks for no more
    "roost-facts@.service": [""],
    "roost-facts@lldp.service": ["CAP_NET_RAW"],
    "roost-config@.service": ["CAP_NET_ADMIN"],  # values and interfaces of the network
    "roost-config-boot.service": ["CAP_NET_ADMIN"],
    "roost-grub.service": [  # the distribution's own program, which looks at every disk
        "CAP_SYS_ADMIN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_CHOWN"
    ],
    "roost-anchor.service": ["CAP_DAC_READ_SEARCH"],  # the node's certificate, the agent's own
    "roost-agent-trial.service": [""],  # a link in root's own folder
    "roost-install@.service": [  # owners and modes of what packages bring
        "CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL"
        " CAP_SETFCAP CAP_SETGID CAP_SETUID CAP_SYS_CHROOT"
        " CAP_SYS_ADMIN CAP_SETPCAP"  # walls about plugins
    ],
    "roost-join.service": ["CAP_DAC_OVERRIDE"],  # DMI's numbers, media of any owner
}
ENDS = {  # by itself, and when it is started again
    "roost-helper.service": ["no"],
    "roost-facts@.service": ["no"],
    "roost-facts@lldp.service": ["no"],
    "roost-config@.service": ["on-failure"],  # killed on its way it undoes at its next start
    "roost-config-boot.service": ["on-failure"],
    "roost-grub.service": ["no"],
    "roost-agent-trial.service": ["on-failure"],
    "roost-anchor.service": ["on-failure"],
    "roost-install@.service": ["on-failure"],  # killed on its way it goes on at its next start
    "roost-join.service": ["on-failure"],
}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_runs_unprivileged_and_comes_back(unit):
    found = settings(unit)
    if unit.name not in PRIVILEGED:
        assert found["User"] not in ([], ["root"])
    assert found["CapabilityBoundingSet"] == PRIVILEGED.get(unit.name, [""])
    assert found.get("Restart", ["no"]) == ENDS.get(unit.name, ["always"])


def test_a_box_that_joined_by_itself_starts_its_agent():
    found = settings(ROOT / "packaging/systemd/roost-join.service")
    assert found["User"] == settings(ROOT / "packaging/systemd/roost-agent.service")["User"]
    assert found["OnSuccess"] == ["roost-agent.service"]
    assert found["ExecStart"] == ["/usr/bin/roost-agent join --unattended"]
    assert "/media" in " ".join(found["ReadWritePaths"])
    assert {"NoExecPaths", "ExecPaths"} <= set(found)  # no medium brings a program


def test_a_box_that_joins_reaches_its_tpm_and_no_other_device():
    found = settings(ROOT / "packaging/systemd/roost-join.service")
    assert found["DevicePolicy"] == ["closed"]
    assert found["DeviceAllow"] == ["/dev/tpmrm0 rw"]
    assert "PrivateDevices" not in found


def test_what_is_guarded_outlives_the_guard():
    found = settings(ROOT / "packaging/systemd/roost-guard.service")
    assert found["KillMode"] == ["process"]
    assert found["RuntimeDirectoryPreserve"] == ["yes"]  # its state, for the next one
    assert "AF_NETLINK" in found["RestrictAddressFamilies"][0].split()


def test_the_signer_sees_who_asks_and_nothing_of_a_network():
    found = settings(ROOT / "packaging/systemd/roost-signer.service")
    assert "PrivateUsers" not in found  # SO_PEERCRED would tell of nobody
    assert found["PrivateNetwork"] == ["yes"]
    assert found["RestrictAddressFamilies"] == ["AF_UNIX"]
    assert found["StateDirectoryMode"] == ["0700"]
    assert found["LimitCORE"] == ["0"]
    assert found["MemorySwapMax"] == ["0"]


def test_the_helper_sees_who_asks_and_nothing_of_a_network():
    found = settings(ROOT / "packaging/systemd/roost-helper.service")
    assert "PrivateUsers" not in found  # SO_PEERCRED would tell of nobody
    assert found["PrivateNetwork"] == ["yes"]
    assert found["RestrictAddressFamilies"] == ["AF_UNIX"]
    assert found["StateDirectoryMode"] == ["0700"]
    handed = settings(ROOT / "packaging/systemd/roost-helper.socket")
    assert handed["ListenStream"] == [SOCKET]
    assert handed["SocketUser"] == ["roost"]
    assert handed["SocketMode"] == ["0600"]


def test_what_root_lends_lies_where_the_agent_can_plant_nothing():
    found = settings(ROOT / "packaging/systemd/roost-facts@.service")
    assert f"/run/{found['RuntimeDirectory'][0]}" == FOLDER
    assert (found["User"], found["Group"]) == (["root"], ["roost"])
    assert found["RuntimeDirectoryMode"] == ["0750"]
    assert found["UMask"] == ["0027"]


def test_what_listens_for_neighbours_has_packet_sockets_and_differs_in_nothing_else():
    plain = settings(ROOT / "packaging/systemd/roost-facts@.service")
    found = settings(ROOT / "packaging/systemd/roost-facts@lldp.service")
    assert found["RestrictAddressFamilies"] == ["AF_PACKET"]
    differs = {name for name in {*plain, *found} if plain.get(name) != found.get(name)}
    assert differs == {
        *("Description", "ExecStart", "TimeoutStartSec"),
        *("CapabilityBoundingSet", "PrivateNetwork", "RestrictAddressFamilies"),
    }
    timer = settings(ROOT / "packaging/systemd/roost-lldp.timer")
    assert timer["Unit"] == ["roost-facts@lldp.service"]
    assert timer["OnUnitInactiveSec"] == [f"{WINDOWS_EVERY_S // 60}min"]


def test_the_agent_keeps_its_footprint():
    found = settings(ROOT / "packaging/systemd/roost-agent.service")
    assert found["MemoryHigh"] == ["64M"]
    assert found["MemoryMax"] == ["96M"]
    assert found["CPUQuota"] == ["50%"]
    assert int(found["CPUWeight"][0]) < 100, "it stands back"
    assert "AF_NETLINK" in found["RestrictAddressFamilies"][0].split()
