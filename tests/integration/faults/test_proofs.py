"""A share of each proof that `make prove` runs in full: the rigs work, and find nothing."""

import shutil

import prove_acl
import prove_alarm
import prove_broker
import prove_cert
import prove_config
import prove_disk
import prove_halts
import prove_handshakes
import prove_hostile
import prove_inventory
import prove_kills
import prove_orders
import prove_poison
import prove_query
import prove_replay
import prove_secrets
import prove_update
import prove_update_powercut
import prove_update_wan
import prove_wire
import pytest
from broker import PROGRAM
from gate import SEED

# More than a minute each: `make soak` has them, as `make prove` has the whole.
LONG = pytest.mark.soak
SLOW = [LONG, pytest.mark.timeout(900)]  # whole rollouts over real machines
pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


@pytest.fixture(autouse=True)
def programs():
    if PROGRAM is None:
        pytest.skip("mosquitto is not installed")
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")


@pytest.mark.parametrize(
    ("part", "share", "runs"),
    [
        pytest.param(
            prove_alarm,
            0.03,
            {"alarm.machine": 100, "alarm.kills": 3, "alarm.backup_restore": 1},
            id="alarm",
            marks=LONG,
        ),
        pytest.param(prove_cert, 1.0, {"cert.matrix": 190}, id="cert"),
        pytest.param(prove_acl, 0.04, {"acl.oracle": 40}, id="acl"),
        pytest.param(
            prove_hostile, 0.02, {"broker.hostile": 20_000, "replay.reports": 3}, id="hostile"
        ),
        pytest.param(prove_orders, 0.05, {"orders.hostile": 10_000}, id="orders"),
        pytest.param(prove_config, 0.1, {"config.kills": 5}, id="config"),
        pytest.param(
            prove_update, 0.01, {"update.syscall_kills": 2, "update.disk_errors": 2}, id="update"
        ),
        pytest.param(prove_update_powercut, 0.05, {"update.powercut": 50}, id="update-power"),
        pytest.param(prove_halts, 0.25, {"rollout.halts_processes": 1}, id="halts", marks=SLOW),
        pytest.param(prove_update_wan, 0.1, {"update.wan_cuts": 2}, id="update-wan", marks=SLOW),
        pytest.param(prove_kills, 0.01, {"kills.random": 3}, id="kills", marks=LONG),
        pytest.param(prove_broker, 0.05, {"broker.empty_restart": 1}, id="broker"),
        pytest.param(prove_disk, 0.03, {"disk.outbox": 12, "disk.agent": 1}, id="disk"),
        pytest.param(prove_secrets, 1.0, {"secrets.canary": 150}, id="secrets"),
        pytest.param(prove_handshakes, 0.05, {"handshakes.held": 20}, id="handshakes"),
        pytest.param(prove_wire, 0.01, {"broker.wire": 10_000}, id="wire", marks=LONG),
        pytest.param(prove_query, 0.002, {"query.vectors": 250}, id="query"),
        pytest.param(
            prove_inventory,
            0.05,
            {"inventory.convergence": 100, "inventory.corpora": 0},
            id="inventory",
        ),
        pytest.param(prove_replay, 0.1, {"replay.all": 90}, id="replay"),
        pytest.param(prove_poison, 0.1, {"poison.kept": 30}, id="poison"),
    ],
)
def test_a_share_of_the_proof_holds(part, share, runs):
    proofs = list(part.prove(print, SEED, share))
    assert {proof.name: proof.failures for proof in proofs} == dict.fromkeys(runs, 0), proofs
    assert all(proof.runs >= runs[proof.name] for proof in proofs)
