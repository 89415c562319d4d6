"""A box with a TPM, and nobody there: medium, rule, node, renewal. A centre of its own."""

import json
import subprocess
import sys

import pytest
from broker import PROGRAM
from fleet_stage import Box, FleetStage
from maker import Maker
from swtpm import endorsed, needs_swtpm

from roost_agent.enrol.tpm.chip import opened
from roost_protocol.claim_file import NAME

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def maker():
    return Maker("Chips Root")


@pytest.fixture(scope="module")
def tpm(tmp_path_factory, maker):
    needs_swtpm()
    with endorsed(tmp_path_factory.mktemp("tpm"), maker) as tpm:
        yield tpm


@pytest.fixture(scope="module")
def stage(tmp_path_factory, maker, tpm):
    if PROGRAM is None:
        pytest.skip("mosquitto is not installed")
    stage = FleetStage(tmp_path_factory.mktemp("fleet"))
    authority = maker.write(stage.folder / "chips.pem")
    with opened(str(tpm.socket)) as chip:
        (stage.folder / "ours.txt").write_text(f"{chip.fingerprint}  # shop 7\n")
    stage.central.configure(
        f'[[enrol.tpm_maker]]\nname = "chips"\nca_file = "{authority}"\n'
        '[[enrol.rule]]\nname = "our-chips"\ntpm = "chips"\nsite = "shop-7"\n'
        f'serials_file = "{stage.folder}/ours.txt"\n'
    )
    with stage.running():
        stage.add_site("shop-7", "n1", "n2")
        yield stage


def join(folder, stage, tpm, *words):
    """Run a box to its end: a medium with url and pin, a TPM, and nobody."""
    (folder / "usb").mkdir(parents=True)
    pin = stage.token("shop-7").rpartition(".")[2]
    (folder / "usb" / NAME).write_text(json.dumps({"url": stage.url, "pin": pin}))
    (folder / "agent.toml").write_text(
        f'state_dir = "{folder}/state"\n[join]\nclaim_dirs = ["{folder}/usb"]\ndns = false\n'
        f'tpm = "{tpm}"\n'
    )
    return agent("join", "--config", str(folder), *words)


def agent(*words):
    return subprocess.run(
        [sys.executable, "-m", "roost_agent", *words],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_its_tpm_vouches_a_rule_places_and_the_node_renews(stage, tmp_path, tpm):
    done = join(tmp_path, stage, tpm.socket, "--unattended")
    assert done.returncode == 0, done.stderr
    assert "as shop-7.n1, generation 1" in done.stdout
    [row] = [
        row
        for row in stage.central.get("/api/v1/audit")["items"]
        if row["action"] == "enrol.approve"
    ]
    assert (row["actor"], row["object"]) == ("rule:our-chips", "shop-7.n1")
    renewed = agent("renew", "--state-dir", str(tmp_path / "state"))
    assert renewed.returncode == 0, renewed.stderr
    assert renewed.stdout == "renewed: generation 2\n"


def test_a_tpm_that_nobody_vouches_for_is_refused(stage, tmp_path):
    with endorsed(tmp_path / "tpm", Maker("Chips Root")) as stranger:
        done = join(tmp_path / "box", stage, stranger.socket, "--wait-h", "0.001")
    assert done.returncode == 1
    assert "no maker vouches for it" in done.stderr
    assert not Box(tmp_path / "box").identity.exists()


def test_a_box_whose_tpm_is_not_there_asks_nobody(stage, tmp_path):
    done = join(tmp_path, stage, tmp_path / "none", "--wait-h", "0.001")
    assert done.returncode == 1
    assert "see [join] tpm" in done.stderr
