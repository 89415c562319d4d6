"""A site broker as the agent runs it, and paths over it: real Mosquitto, killed and stopped."""

import asyncio
import os
import shutil
import signal
from pathlib import Path

import aiomqtt
import pytest
from ha_broker_scene import HOST, MEMBERS, PASSWORDS, Scene, running, until
from loopback_ports import free_port

from roost_agent.ha import brokers
from roost_agent.ha.broker_files import Member
from roost_agent.ha.brokers import BrokerPlan, SiteBroker, own_secret
from roost_agent.ports import SystemClock, SystemEntropy

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(
        shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None,
        reason="mosquitto is not installed",
    ),
]


@pytest.fixture
async def scene(tmp_path):
    scene = Scene(tmp_path)
    async with running(scene.broker.run, *(path.run for path in scene.paths.values())):
        await scene.all_open()
        yield scene
    assert scene.broker.pid is None


async def test_frames_pass_and_a_lease_frame_comes_to_its_receiver_alone(scene):
    scene.paths[0].beat(b"beat of c0")
    await until(lambda: all(b"beat of c0" in heard for heard in scene.heard.values()))
    scene.paths[1].lease(2, b"request")
    scene.paths[1].beat(b"after it")
    await until(lambda: all(b"after it" in heard for heard in scene.heard.values()))
    assert [b"request" in scene.heard[me] for me in MEMBERS] == [False, False, True]


async def test_nobody_logs_in_with_a_wrong_password_or_speaks_as_another(scene):
    wrong = scene.path(1, password="guessed")
    async with running(wrong.run):
        await until(lambda: "authori" in wrong.fault.lower())
        assert not wrong.is_open
    address = {"identifier": "x", "username": MEMBERS[1], "password": PASSWORDS[MEMBERS[1]]}
    async with aiomqtt.Client(HOST, scene.port, **address) as client:
        await client.publish("roost/ha/v1/lab.c0/beat/4", b"forged", qos=0)
        await client.publish("roost/ha/v1/lab.c1/beat/4", b"as myself", qos=0)
    await until(lambda: b"as myself" in scene.heard[2])
    assert not any(b"forged" in heard for heard in scene.heard.values())


async def test_its_files_are_private_and_hold_no_password(scene):
    files = list(scene.folder.iterdir())
    assert {file.name for file in files} >= {"mosquitto.conf", "acl", "passwords", "pid"}
    assert scene.folder.stat().st_mode & 0o777 == 0o700
    for file in files:
        assert file.stat().st_mode & 0o777 == 0o600
        assert b"password of" not in await asyncio.to_thread(file.read_bytes)
    cmdline = Path(f"/proc/{scene.broker.pid}/cmdline")
    assert b"password of" not in await asyncio.to_thread(cmdline.read_bytes)


async def test_a_killed_broker_comes_back_and_so_do_its_paths(scene):
    killed = scene.broker.pid
    os.kill(killed, signal.SIGKILL)
    await until(lambda: scene.broker.pid not in {None, killed})
    await scene.all_open()
    scene.paths[2].beat(b"again")
    await until(
        lambda: b"again" in scene.heard[0], while_doing=lambda: scene.paths[2].beat(b"again")
    )
    assert scene.broker.restarts == 1


async def test_a_frozen_broker_is_replaced(scene, monkeypatch):
    monkeypatch.setattr(brokers, "FROZEN_S", 1.0)
    frozen = scene.broker.pid
    await until(lambda: scene.heard[0], while_doing=lambda: scene.paths[0].beat(b"well"))
    os.kill(frozen, signal.SIGSTOP)
    await until(lambda: scene.broker.pid not in {None, frozen})
    for path in scene.paths.values():
        path.abort("nothing comes back")
    scene.heard[0].clear()
    await until(lambda: scene.heard[0], while_doing=lambda: scene.paths[0].beat(b"well again"))


async def test_a_path_that_is_aborted_connects_anew_and_keeps_nothing(scene):
    path = scene.paths[0]
    path.abort("nothing comes back")
    await until(lambda: not path.is_open)
    path.beat(b"old")
    path.beat(b"newer")
    assert path.discarded == 2
    await until(lambda: path.is_open)
    path.beat(b"newest")
    await until(lambda: b"newest" in scene.heard[1])
    assert not {b"old", b"newer"} & set(scene.heard[1])


async def test_what_a_killed_agent_left_behind_is_ended(scene, tmp_path):
    left = scene.broker.pid
    plan = BrokerPlan((HOST,), scene.port, scene.members())
    successor = SiteBroker(scene.folder, plan, SystemClock(), SystemEntropy())
    await asyncio.to_thread(successor._prepare)
    await until(lambda: scene.broker.pid != left)


def test_the_secret_of_a_nodes_own_login_is_made_once(tmp_path):
    first = own_secret(tmp_path / "ha", SystemEntropy())
    assert own_secret(tmp_path / "ha", SystemEntropy()) == first
    assert len(first) == 32
    assert (tmp_path / "ha/broker.secret").stat().st_mode & 0o777 == 0o600
    (tmp_path / "ha/broker.secret").write_bytes(b"cut")
    assert own_secret(tmp_path / "ha", SystemEntropy()) != first


async def test_without_mosquitto_the_fault_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(brokers, "PROGRAM", "mosquitto-that-is-not-there")
    plan = BrokerPlan((HOST,), free_port(), (Member("lab.c0", "lab.c0", "password of lab.c0"),))
    broker = SiteBroker(tmp_path, plan, SystemClock(), SystemEntropy())
    async with running(broker.run):
        await until(lambda: "is not installed" in broker.fault)
    assert "password of" not in repr(plan)
