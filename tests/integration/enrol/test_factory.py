"""A box with a factory certificate, and nobody there: medium, rule, node. A centre of its own."""

import json
import subprocess
import sys

import pytest
from broker import PROGRAM
from fleet_stage import Box, FleetStage
from maker import Maker, pem

from roost_protocol.claim_file import NAME

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def maker():
    return Maker()


@pytest.fixture(scope="module")
def stage(tmp_path_factory, maker):
    if PROGRAM is None:
        pytest.skip("mosquitto is not installed")
    stage = FleetStage(tmp_path_factory.mktemp("fleet"))
    authority = maker.write(stage.folder / "acme.pem")
    stage.central.configure(
        f'[[enrol.maker]]\nname = "acme"\nca_file = "{authority}"\n'
        '[[enrol.rule]]\nname = "acme-shops"\nmaker = "acme"\nserial = "AC-7*"\nsite = "shop-7"\n'
    )
    with stage.running():
        stage.add_site("shop-7", "n1", "n2")
        yield stage


def join(folder, stage, factory, *words):
    """Run a box to its end: a medium with url and pin, a factory certificate, and nobody."""
    key, chain = factory
    (folder / "usb").mkdir(parents=True)
    pin = stage.token("shop-7").rpartition(".")[2]
    (folder / "usb" / NAME).write_text(json.dumps({"url": stage.url, "pin": pin}))
    (folder / "idevid.pem").write_text(chain)
    (folder / "idevid.key").write_bytes(pem(key))
    (folder / "agent.toml").write_text(
        f'state_dir = "{folder}/state"\n[join]\nclaim_dirs = ["{folder}/usb"]\ndns = false\n'
        f'factory_cert = "{folder}/idevid.pem"\nfactory_key = "{folder}/idevid.key"\n'
    )
    return subprocess.run(
        [sys.executable, "-m", "roost_agent", "join", "--config", str(folder), *words],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_its_maker_vouches_a_rule_places_and_nobody_was_asked(stage, tmp_path, maker):
    done = join(tmp_path, stage, maker.below().box("AC-7001"), "--unattended")
    assert done.returncode == 0, done.stderr
    assert "as shop-7.n1, generation 1" in done.stdout
    [row] = [
        row
        for row in stage.central.get("/api/v1/audit")["items"]
        if row["action"] == "enrol.approve"
    ]
    assert (row["actor"], row["object"]) == ("rule:acme-shops", "shop-7.n1")


def test_a_stranger_with_a_certificate_of_its_own_is_refused(stage, tmp_path):
    done = join(tmp_path, stage, Maker().box("AC-7002"), "--wait-h", "0.001")
    assert done.returncode == 1
    assert "no maker vouches for it" in done.stderr
    assert not Box(tmp_path).identity.exists()
