"""What stands for a machine: the helper's service manager does root's one-shot and nothing else."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from waiting import wait_until

from roost_central.demo import sensor
from roost_central.demo.machine import PROFILE, SWAPPINESS, Machine
from roost_central.profiles.source import read_profile

DIGEST = "0" * 64


@pytest.fixture
def node(tmp_path):
    machine = Machine(tmp_path / "lab n1", "n1")  # a folder that a shell would take for two
    return machine, machine.made()


def systemctl(node, *words):
    script = node[1].argv[node[1].argv.index("--systemctl") + 1]
    return subprocess.run([script, *words], capture_output=True, text=True, check=False, timeout=30)


@pytest.mark.parametrize(
    "words",
    [
        ("--no-wall", "--check-inhibitors=no", "reboot"),
        ("--no-ask-password", "start", "--", "roost-facts@dmi.service"),
        ("--no-ask-password", "start", "--", "ssh.service"),
        ("--no-ask-password", "stop", "--", f"roost-install@stage-{DIGEST}.service"),
        ("--no-ask-password", "stop", "--", f"roost-config@{DIGEST}.service"),
    ],
)
def test_nothing_of_this_machine_is_touched(node, words):
    done = systemctl(node, *words)
    assert done.returncode == 1
    assert "no service manager" in done.stderr


def test_the_one_shot_works_below_the_nodes_folder(node):
    unit = f"roost-config@{DIGEST}.service"
    assert systemctl(node, "--no-ask-password", "start", "--no-block", "--", unit).returncode == 0
    script = node[1].argv[node[1].argv.index("--systemctl") + 1]
    text = Path(script).read_text()
    assert f"--root '{node[0].root}'" in text
    assert "--systemctl= apply" in text


def test_what_installs_works_below_the_nodes_folder(node):
    unit = f"roost-install@stage-{DIGEST}.service"
    assert systemctl(node, "--no-ask-password", "start", "--no-block", "--", unit).returncode == 0
    script = node[1].argv[node[1].argv.index("--systemctl") + 1]
    text = Path(script).read_text()
    for name in ("installed", "requests", "trust", "updates/mirror"):
        assert f"'{node[0].root.parent / name}'" in text


def test_the_application_s_unit_waits_for_its_release_runs_it_once_and_is_stopped(node):
    machine, pid = node[0], node[0].root / sensor.PID
    words = ("--no-ask-password", "start", "--", "sensor.service")
    assert systemctl(node, *words).returncode == 0
    first = wait_until(lambda: pid.exists() and pid.read_text(), "it runs")
    place = machine.root / sensor.PLACE
    place.parent.mkdir(parents=True)
    place.symlink_to(sensor.sources(machine.root)[sensor.GOOD])
    wait_until((machine.root / sensor.READING).exists, "it runs the release")
    assert systemctl(node, *words).returncode == 0
    assert pid.read_text() == first
    assert systemctl(node, "--no-ask-password", "stop", "--", "sensor.service").returncode == 0
    wait_until(lambda: not Path(f"/proc/{int(first)}").exists(), "it is stopped")


def test_the_word_that_the_node_is_reached_goes_to_the_one_shot(node):
    waits = (
        "import signal; signal.pthread_sigmask(0, {23}); print(flush=True); signal.sigwait({23})"
    )
    with subprocess.Popen([sys.executable, "-c", waits], stdout=subprocess.PIPE) as program:
        program.stdout.readline()
        (node[0].root.parent / "root" / "pid").write_text(str(program.pid))
        unit = f"roost-config@{DIGEST}.service"
        words = ("--no-ask-password", "kill", "--signal=SIGURG", "--kill-whom=main", "--", unit)
        assert systemctl(node, *words).returncode == 0
        assert program.wait(20) == 0


def test_a_node_that_is_in_local_ha_has_its_file_at_the_usual_place(node):
    said = tomllib.loads((node[0].root / "etc/roost/agent.toml").read_text())
    link = node[0].root / said["ha"]["file"].removeprefix("/")
    assert link.readlink() == node[0].root.parents[1] / "n1.ha.toml"


def test_a_file_that_somebody_changed_is_left(node):
    (node[0].root / SWAPPINESS).write_text("77\n")
    node[0].made()
    assert (node[0].root / SWAPPINESS).read_text() == "77\n"


def test_the_example_is_a_profile_of_the_site():
    profile = read_profile(PROFILE.format(site="lab"), "lab-profile.toml")
    assert profile.name == "lab"
