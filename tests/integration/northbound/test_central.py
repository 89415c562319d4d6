"""The whole centre: a target that nobody answers at becomes an alarm, which the NOC reads."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from central_process import CentralProcess
from loopback_ports import free_port
from waiting import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]
SECRET = "canary-of-the-webhook-secret"


@pytest.fixture
def central(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    process = CentralProcess(tmp_path)
    process.noc_port = free_port()
    process.configure(
        f"[northbound.mqtt]\nport = {process.noc_port}\n"
        '[[northbound.webhook]]\nname = "dead"\nallow_private = true\n'
        f'url = "http://127.0.0.1:{free_port()}/x"\nsecret_file = "{secret}"\n'
    )
    process.start()
    process.ready()
    yield process
    process.kill()


def read_noc(central, folder, seconds):
    """What a plain mosquitto_sub prints, by topic."""
    password = (central.data_dir / "noc" / "noc.secret").read_text().strip()
    (folder / "mosquitto_sub").write_text(f"-u noc\n-P {password}\n")
    done = subprocess.run(
        ["mosquitto_sub", "-p", str(central.noc_port), "-v", "-t", "noc/v1/#", "-W", str(seconds)],
        env=os.environ | {"XDG_CONFIG_HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = (line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    return {topic: json.loads(payload) for topic, payload in lines if payload.startswith("{")}


def targets(central):
    return {each["name"]: each for each in central.get("/api/v1/northbound")["targets"]}


def roost(central, *words):
    """The operator's command against this centre."""
    token = (central.data_dir / "admin.token").read_text().strip()
    return subprocess.run(
        [sys.executable, "-m", "roost_central.cli", "northbound", *words],
        env=os.environ | {"ROOST_URL": f"http://127.0.0.1:{central.port}", "ROOST_TOKEN": token},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_dead_target_is_an_alarm_at_the_noc_and_no_secret_is_told(central, tmp_path):
    wait_until(lambda: targets(central)["mqtt"]["state"] == "ok", "the NOC's feed", seconds=90)
    for _ in range(3):
        assert not central.post("/api/v1/northbound/dead:test")["delivered"]
    wait_until(lambda: targets(central)["dead"]["state"] == "unreachable", "it is noticed")
    refused = roost(central, "test", "dead")
    assert (refused.returncode, refused.stdout) == (8, "")
    assert "dead did not take the test message: " in refused.stderr
    listed = json.loads(roost(central, "list", "-o", "json").stdout)
    assert {each["name"]: each["state"] for each in listed}["dead"] == "unreachable"
    wait_until(
        lambda: any(
            topic.startswith("noc/v1/site/-/alarm/210.804/")
            for topic in read_noc(central, tmp_path, 2)
        ),
        "the alarm is at the NOC",
        seconds=90,
    )
    told = read_noc(central, tmp_path, 2)
    (alarm,) = [found for topic, found in told.items() if "/alarm/210.804/" in topic]
    assert alarm["entity"] == "central=roost,target=dead"
    assert alarm["severity"] == "minor"
    assert told["noc/v1/status"]["state"] == "online"
    everything = json.dumps(told) + central.log.read_text() + json.dumps(targets(central))
    assert SECRET not in everything
    assert (central.data_dir / "noc" / "noc.secret").read_text().strip() not in everything
