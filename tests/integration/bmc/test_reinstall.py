"""A host is installed anew, from an operator's word to another box in its slot: all of it real.

Three machines with local HA, a centre with signer and broker, a release that two holders signed,
and sushy-emulator, which others wrote, as the board of one machine: it fetches the image that it is
given. Nothing boots it: the test takes the machine's power, and lets a new box join in its place.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import msgspec
import pytest
from board_controllers import bmc_toml, emulator, lacks
from broker import PROGRAM
from cgroups import WHY_NONE
from fleet_stage import Box
from machine_site import NODES, SITE, SiteMachine, machine_site
from release_stage import roost
from second_person import approve, second_person
from waiting import wait_until

from roost_agent.bmc.talk import Answer, Known, Request

LOST = "n3"
NODE = f"{SITE}.{LOST}"
IMAGE = b"CD001" + bytes(range(256)) * 4_000
CHILD = (sys.executable, "-P", "-m", "roost_agent.bmc.child")
OPEN = {"pending", "ready", "taken"}
WAIT_S = 120
pytestmark = [
    pytest.mark.broker,
    pytest.mark.soak,
    pytest.mark.timeout(900),
    pytest.mark.skipif(PROGRAM is None, reason="mosquitto is not installed"),
    pytest.mark.skipif(bool(lacks("openssl")), reason="openssl is not installed"),
    pytest.mark.skipif(bool(WHY_NONE), reason=WHY_NONE or "it can"),
]


@pytest.fixture
def board(tmp_path):
    """The file that names it."""
    with emulator(tmp_path) as port:
        yield bmc_toml(tmp_path, node=LOST, port=port, type="redfish", interval_s=10)


@contextmanager
def running(folder, board):
    class Machine(SiteMachine):
        def begin_in(self, its):
            super().begin_in(its)
            own = self.folder / "bmc.toml"
            own.write_text(board.read_text())
            own.chmod(0o600)
            file = self.folder / "agent/agent.toml"
            file.write_text(f'{file.read_text()}[bmc]\nfile = "{own}"\n')

    with machine_site(folder, Machine) as site:
        yield site


def drive(board):
    """What the board reads of its virtual drive, and of its next boot."""
    answers = []
    for do in ("media", "test"):
        asked = Request(file=str(board), do=do, nodes=[LOST], known={LOST: Known()})
        done = subprocess.run(
            CHILD, input=msgspec.json.encode(asked), capture_output=True, timeout=60, check=True
        )
        answers.append(msgspec.json.decode(done.stdout, type=Answer))
    return answers[0].media, answers[1].boot


def ended(site, order, *states):
    def look():
        found = site.stage.central.get(f"/api/v1/orders/{order['id']}")
        return found if found["state"] in states or found["state"] not in OPEN else None

    return wait_until(look, f"{order['verb']} is {states or 'ended'}", seconds=WAIT_S)


def act(site, action, **said):
    body = {"reason": "it does not boot"} | said
    return site.stage.central.post(f"/api/v1/nodes/{NODE}/host:{action}", body)["order"]


def serves(site):
    hosts = (site.stage.central.get(f"/api/v1/nodes/{SITE}.{node}/host") for node in NODES)
    return all(host["avail"] == "available" for host in hosts)


def let_another_coordinate(site):
    """Do what the centre says of a host that reads its own board, where it is that one."""

    def in_the_way():
        found = site.stage.central.get(f"/api/v1/nodes/{NODE}/host/actions")["items"]
        return next(each["blockers"] for each in found if each["action"] == "reinstall")

    def is_own_alone():
        return {each["code"] for each in in_the_way()} <= {"own-board"}

    wait_until(is_own_alone, "the lock is known", seconds=60, step_s=0.5)
    if own := in_the_way():
        assert "roost host reboot" in own[0]["todo"]
        given = ended(site, act(site, "reboot"))
        assert given["state"] == "done", given
    wait_until(lambda: not in_the_way(), "another node reads its board", seconds=90, step_s=0.5)


def joined_again(site, folder):
    """Have a new box fill the slot: by its serial number, or else by a person's word."""
    token = site.stage.token(SITE)
    with ThreadPoolExecutor(1) as pool:
        joining = pool.submit(Box(folder).join, site.stage.url, token=token)
        wait_until(lambda: joining.done() or waiting(site), "it joins", seconds=60)
        for each in waiting(site):
            into = ("--site", SITE, "--node", LOST, "--replace", "-m", "installed anew")
            site.roost("enrol", "approve", each["id"], *into)
        assert joining.result().returncode == 0, joining.result().stderr


def waiting(site):
    return site.stage.central.get("/api/v1/enrolments?state=pending")["items"]


def test_a_host_is_installed_anew_and_done_once_another_box_stands_in_its_slot(tmp_path, board):
    with running(tmp_path / "site", board) as site:
        central = site.stage.central
        grace = second_person(central)
        site.publish("1.0", {"edge.iso": IMAGE}, "--installer", "iso")
        wait_until(
            lambda: central.get(f"/api/v1/nodes/{NODE}/bmc")["as_of"], "its board is known",
            seconds=WAIT_S,
        )  # fmt: skip
        assert "is unlocked" in roost(
            site.stage, "host", "reinstall", NODE, "--image", "app/web@1.0", "-m", "x", "-y",
            fails=True,
        )  # fmt: skip
        wait_until(lambda: serves(site), "all three serve", seconds=WAIT_S, step_s=0.5)
        locked = ended(site, act(site, "lock"))
        assert locked["state"] == "done", locked
        let_another_coordinate(site)
        order = act(site, "reinstall", image="app/web@1.0", confirm=NODE)
        assert order["state"] == "pending"
        approve(central, order, grace)
        begun = wait_until(
            lambda: [
                each
                for each in [central.get(f"/api/v1/orders/{order['id']}")]
                if each["code"] or each["state"] not in OPEN
            ],
            "the machine is started with it", seconds=WAIT_S,
        )[0]  # fmt: skip
        assert (begun["state"], begun["code"]) == ("taken", "awaits-box"), begun
        assert f"{LOST} was started with app/web 1.0" in begun["text"]
        url, boot = drive(board)
        assert url.startswith("http://127.0.0.1:")
        assert url.endswith("/image.iso")
        assert boot == "cdrom"
        site.machines[LOST].stop()
        joined_again(site, tmp_path / "new")
        done = ended(site, order)
        assert (done["state"], done["text"][:20]) == ("done", f"{LOST} is enrolled again"[:20])
        by = site.machines[order["node"].partition(".")[2]]
        (by.folder / "power").touch()
        wait_until(lambda: not drive(board)[0], "the next agent empties the drive", seconds=60)
        assert not (by.folder / "state/reinstall.json").exists()
        assert not (by.folder / "state/reinstall/image").exists()
