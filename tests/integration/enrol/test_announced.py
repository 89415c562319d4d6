"""A box whose key was announced: the real agent, a list of keys, and nobody else."""

import json
import subprocess
import sys

import pytest
from fleet_stage import roost

from roost_agent.enrol.keys import make_key, private_pem
from roost_central.enrol.proof import key_hash

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]


def test_a_listed_key_lets_in_the_box_that_has_it_and_no_other(stage, tmp_path):
    stage.add_site("keyed", "n1")
    listed, other = make_key(), make_key()
    boxes = tmp_path / "boxes.csv"
    boxes.write_text(f"key,site\n{key_hash(listed.public_key()).hex()},keyed\n")
    roost(stage, "enrol", "import", str(boxes))
    pin = stage.token("keyed").rpartition(".")[2]

    def join(key, name):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "box.key").write_bytes(private_pem(key))
        (folder / "agent.toml").write_text(
            f'state_dir = "{folder}/state"\n[join]\nkey_file = "{folder}/box.key"\n'
        )
        words = (stage.url, f"--pin={pin}", "--config", str(folder), "--wait-h", "0.01")
        return subprocess.run(
            [sys.executable, "-m", "roost_agent", "join", *words],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    assert "no such claim" in join(other, "other").stderr
    done = join(listed, "listed")
    assert done.returncode == 0, done.stderr
    assert "as keyed.n1, generation 1" in done.stdout
    claims = json.loads(roost(stage, "enrol", "token", "list", "-o", "json"))
    [claim] = [each for each in claims if (each["site"], each["kind"]) == ("keyed", "key")]
    assert claim["used"] == 1
