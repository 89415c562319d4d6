"""A site broker with LAN certificates: whom it lets in, who is mute there, whom its clients refuse.

Real Mosquitto. "Mute" is always seen beside somebody who is heard after it, on the same path.
"""

import asyncio
import os
import shutil
import signal
import ssl

import aiomqtt
import pytest
from ha_broker_scene import HOST, MEMBERS, NODES, SITE, Scene, running, until
from lan_boxes import Fleet
from loopback_ports import free_port

from roost_agent.enrolled import NODE_CERTIFICATE, NODE_KEY
from roost_agent.ha.brokers import BrokerPlan, SiteBroker
from roost_agent.ha.lan import lan_of
from roost_agent.ports import SystemClock, SystemEntropy

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(
        shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None,
        reason="mosquitto is not installed",
    ),
]
ROOT = "roost/ha/v1"
MUTE_S = 10  # within which a dropped box must be (design: security, section 4)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    return Fleet(tmp_path_factory.mktemp("fleet"))


@pytest.fixture(scope="module")
def strangers(tmp_path_factory):
    """Another fleet, of the same domain."""
    return Fleet(tmp_path_factory.mktemp("strangers"))


@pytest.fixture
async def scene(tmp_path, fleet):
    scene = Scene(tmp_path, fleet)
    async with running(scene.broker.run, *(path.run for path in scene.paths.values())):
        await scene.all_open()
        yield scene


def client(scene, lan, files=None, **more):
    """A connection of somebody's own making, which checks the broker and not its box."""
    context = lan.context("c0")
    context.server_name = "lab.c0.brokers.edge.example"
    if files is not None:
        context.load_cert_chain(*(lan.folder / name for name in files))
    return aiomqtt.Client(
        HOST,
        scene.port,
        tls_context=context,
        timeout=5,
        protocol=aiomqtt.ProtocolVersion.V5,
        **more,
    )


async def heard_after(scene, what):
    """Have w1 say something, and return once c1 has heard it: what came before it has come."""
    await until(
        lambda: what in scene.heard[1], while_doing=lambda: scene.paths[2].beat(what), seconds=20
    )


async def test_frames_pass_and_a_lease_frame_comes_to_its_receiver_alone(scene):
    scene.paths[0].beat(b"beat of c0")
    await until(lambda: all(b"beat of c0" in heard for heard in scene.heard.values()))
    scene.paths[1].lease(2, b"request")
    scene.paths[1].beat(b"after it")
    await until(lambda: all(b"after it" in heard for heard in scene.heard.values()))
    assert [b"request" in scene.heard[me] for me in MEMBERS] == [False, False, True]


async def test_a_killed_broker_comes_back_and_so_do_its_paths(scene):
    killed = scene.broker.pid
    os.kill(killed, signal.SIGKILL)
    await until(lambda: scene.broker.pid not in {None, killed})
    await scene.all_open()
    await heard_after(scene, b"again")


async def test_no_password_lies_there_and_what_does_is_private(scene):
    assert {file.name for file in scene.folder.iterdir()} == {"mosquitto.conf", "acl", "pid"}
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in scene.folder.iterdir())


async def test_who_shows_no_certificate_or_speaks_no_tls_is_refused(scene):
    bare = ssl.create_default_context(cafile=scene.boxes["c1"].broker_files.ca)
    bare.check_hostname = False
    for context in (bare, None):
        with pytest.raises((aiomqtt.MqttError, OSError, TimeoutError)):
            async with (
                asyncio.timeout(10),
                aiomqtt.Client(HOST, scene.port, tls_context=context, timeout=5),
            ):
                pass


async def test_a_nodes_own_certificate_is_none_of_the_lan(scene):
    lan = scene.boxes["c1"]
    with pytest.raises((aiomqtt.MqttError, OSError, TimeoutError)):
        async with asyncio.timeout(10), client(scene, lan, (NODE_CERTIFICATE, NODE_KEY)):
            pass


async def test_a_box_of_another_fleet_is_refused_by_the_broker_and_refuses_it(
    scene, strangers, tmp_path
):
    theirs = lan_of(strangers.enrol(tmp_path / "theirs", SITE, "c1"))
    path = scene.path(1, box=theirs)
    async with running(path.run):
        await until(lambda: "certificate verify failed" in path.fault)
    shutil.copy(scene.boxes["c1"].broker_files.ca, theirs.broker_files.ca)  # it would believe ours
    with pytest.raises((aiomqtt.MqttError, OSError, TimeoutError)):
        async with asyncio.timeout(10), client(scene, theirs):
            pass


@pytest.mark.parametrize("site", [SITE, "elsewhere"])
async def test_a_box_of_the_fleet_that_is_no_member_is_mute_and_deaf(scene, fleet, tmp_path, site):
    lan = lan_of(fleet.enrol(tmp_path / "x", site, "x9"))
    got = []
    async with client(scene, lan) as stranger:
        await stranger.subscribe("#", qos=0)

        async def hear():
            got.extend([str(each.topic) async for each in stranger.messages])

        async with running(hear):
            for node in (f"{SITE}.c0", f"{site}.x9"):
                await stranger.publish(f"{ROOT}/{node}/beat/4", b"forged", qos=0)
            await heard_after(scene, b"well")
    assert not any(b"forged" in heard for heard in scene.heard.values())
    assert got == []


async def test_a_member_speaks_as_no_other_and_hears_no_frame_for_another(scene):
    got = []
    async with client(scene, scene.boxes["c1"]) as member:
        await member.subscribe("#", qos=0)

        async def hear():
            async for each in member.messages:
                got.append(str(each.topic))  # noqa: PERF401 - it is cut off

        async with running(hear):
            await member.publish(f"{ROOT}/{SITE}.w1/beat/4", b"forged", qos=0)
            await member.publish("roost/v1/00/lab.c1/up/beat", b"forged", qos=0)
            scene.paths[0].lease(2, b"not for c1")
            await until(lambda: b"not for c1" in scene.heard[2])
            await heard_after(scene, b"well")
    assert not any(b"forged" in heard for heard in scene.heard.values())
    assert set(got) == {f"{ROOT}/{SITE}.w1/beat/4"}


async def test_nobody_takes_over_the_session_of_another(scene, fleet, tmp_path):
    """Mosquitto gives a session to whoever comes with its client id: it must not be guessed."""
    lan = lan_of(fleet.enrol(tmp_path / "x", SITE, "x9"))
    pids = [path._client_id for path in scene.paths.values()]
    assert len({each.rpartition("/")[2] for each in pids}) == len(pids)
    for name in MEMBERS.values():
        async with client(scene, lan, identifier=f"{name}/ha4"):
            pass
    await heard_after(scene, b"well")
    assert all(path.is_open for path in scene.paths.values())


@pytest.mark.parametrize(("box", "now"), [(2, "replaced"), (0, "dropped")])
async def test_a_box_that_is_dropped_is_mute_and_deaf_on_its_live_connection(scene, box, now):
    scene.paths[0].beat(b"before")
    await until(lambda: b"before" in scene.heard[2])
    pid = scene.broker.pid
    began_s = asyncio.get_running_loop().time()
    await scene.broker.admit(scene.members(c1=box))
    quiet = [b"%s %d" % (now.encode(), n) for n in range(2_000)]
    for payload in quiet:
        scene.paths[1].beat(payload)
        await asyncio.sleep(0.01)
        if payload not in scene.heard[0] and asyncio.get_running_loop().time() - began_s > 1:
            break
    took_s = asyncio.get_running_loop().time() - began_s
    assert took_s < MUTE_S
    for heard in scene.heard.values():
        heard.clear()
    scene.paths[1].beat(b"still there")
    await until(
        lambda: b"others go on" in scene.heard[2],
        while_doing=lambda: scene.paths[0].beat(b"others go on"),
    )
    await asyncio.sleep(0.2)
    assert not any(b"still there" in heard for heard in scene.heard.values())
    assert scene.heard[1] == []
    assert scene.broker.pid == pid, "nobody else lost a connection"


async def test_the_box_that_took_its_place_is_heard(scene, fleet, tmp_path):
    await scene.broker.admit(scene.members(w1=2))
    second = scene.path(2, box=Scene.box(tmp_path, fleet, "w1", box=2))
    async with running(second.run):
        await until(lambda: b"second" in scene.heard[0], while_doing=lambda: second.beat(b"second"))


async def test_a_broker_whose_box_was_dropped_is_left(scene):
    scene.expected = f"{SITE}.c0~2"
    path = scene.paths[1]
    path.abort("another box stands for it")
    await until(lambda: "the broker is box lab.c0~1, the site has lab.c0~2" in path.fault)
    assert not path.is_open


async def test_a_box_that_may_be_no_broker_says_what_to_do(tmp_path, fleet):
    lan = lan_of(fleet.enrol(tmp_path / "box", SITE, "c0", is_broker=False))
    plan = BrokerPlan((HOST,), free_port(), (), lan.broker_files)
    broker = SiteBroker(tmp_path / "broker", plan, SystemClock(), SystemEntropy())
    async with running(broker.run):
        await until(lambda: "enrol it with --broker" in broker.fault)
    assert len(NODES) == len(MEMBERS)
