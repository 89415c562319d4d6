"""The NOC's broker: a plain mosquitto_sub reads it, nobody writes it, no ghost survives."""

import asyncio
import json
import os
import signal

import aiomqtt
import pytest
from alarm_feed import alarm, incident
from hook_receiver import Receiver
from loopback_ports import free_port
from noc_reader import account, connection, online, reading
from waiting import until

from roost_central.northbound import noc_line, noc_tree
from roost_central.northbound.config import NocBrokerConfig, NorthboundConfig, WebhookConfig
from roost_central.storage import northbound as rows

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]


@pytest.fixture
def config():
    return NorthboundConfig(mqtt=NocBrokerConfig(port=free_port()))


async def test_the_tree_shows_what_is_open_and_the_stream_every_transition(rig, config):
    rig.view.add_site("s00001", 1)
    rig.feed.tell("raise", alarm(1))
    async with rig.running(config) as north:
        await online(north)
        async with reading(rig, config) as reader:
            topic = f"noc/v1/site/s00001/alarm/280.801/{alarm(1).key_id}"
            await until(lambda: topic in reader.retained, "the open alarm is retained")
            rig.feed.tell("raise", alarm(2, sev=4))
            rig.feed.tell("clear", alarm(1))
            rig.feed.tell_incident("open", incident())
            await until(lambda: len(reader.events) >= 2, "both transitions are told")
            await until(
                lambda: reader.retained.get(topic, {}).get("state") == "cleared", "it is cleared"
            )
            await until(lambda: "noc/v1/incident/INC-7F3A" in reader.retained, "the incident")
            await until(lambda: "noc/v1/fleet/summary" in reader.retained, "the summary")

    raised, cleared = reader.events[:2]
    assert raised[0] == "noc/v1/event/alarm/critical/s00002/280.801"
    assert raised[1]["label_carrier"] == "carB"
    assert "labels" not in raised[1]
    assert dict(raised[2].UserProperty)["type"] == "roost.alarm.raise"
    assert cleared[1]["event"] == "clear"
    assert reader.retained["noc/v1/site/s00001/state"]["state"] == "unknown"


async def test_a_plain_mosquitto_sub_reads_it(rig, config):
    rig.feed.tell("raise", alarm(1))
    async with rig.running(config) as north:
        await online(north)
        options = rig.secret("mosquitto_sub", f"-u noc\n-P {account(rig)}\n")
        options = rig.folder / "mosquitto_sub"
        process = await asyncio.create_subprocess_exec(
            "mosquitto_sub",
            *("-h", "127.0.0.1", "-p", str(config.mqtt.port), "-v", "-t", "noc/v1/#"),
            *("-W", "3"),
            env=os.environ | {"XDG_CONFIG_HOME": str(options.parent)},
            stdout=asyncio.subprocess.PIPE,
        )
        lines = (await process.communicate())[0].decode().splitlines()
    told = dict(line.split(" ", 1) for line in lines)

    assert json.loads(told["noc/v1/status"])["state"] == "online"
    found = told[f"noc/v1/site/s00001/alarm/280.801/{alarm(1).key_id}"]
    assert json.loads(found)["text"] == "WAN path p1 lost; 1 left"


async def test_a_reader_writes_nothing_and_a_stranger_is_not_let_in(rig, config):
    topics = [
        "noc/v1/status",
        "noc/v1/fleet/summary",
        "noc/v1/site/s00001/state",
        "noc/v1/event/alarm/major/s00001/280.801",
        "noc/v1",
        "noc/v2/x",
        "roost/v1/00/s.n/up/beat",
        "$SYS/broker/x",
        "elsewhere",
        "/noc/v1/x",
    ]
    async with rig.running(config) as north:
        await online(north)
        for stranger in ({"user": "noc", "password": "wrong"}, {"user": "admin", "password": "x"}):
            with pytest.raises(aiomqtt.MqttError):
                async with connection(rig, config, **stranger):
                    pass
        async with reading(rig, config) as reader:
            await until(lambda: "noc/v1/status" in reader.retained, "the reader reads")
            before = dict(reader.retained)
            will = aiomqtt.Will("noc/v1/status", b'{"state":"forged"}', retain=True)
            async with connection(rig, config, identifier="writer", will=will) as writer:
                for topic in topics:
                    for retain in (False, True):
                        for qos in (0, 1):
                            await writer.publish(topic, b'{"state":"forged"}', qos, retain)
            async with connection(rig, config, identifier="writer2") as other:
                found = []
                await other.subscribe("#")
                await other.subscribe("$SYS/#")
                rig.feed.tell("raise", alarm(7))
                await until(lambda: reader.events, "what is true is still told")
                async with asyncio.timeout(20):
                    async for message in other.messages:
                        found.append((str(message.topic), message.payload))
                        if str(message.topic).endswith(alarm(7).key_id):
                            break
    assert all(topic.startswith("noc/v1/") for topic, _ in found)
    assert not any(b"forged" in payload for _, payload in found)
    assert before["noc/v1/status"]["state"] == "online"


async def test_a_broker_that_is_killed_comes_back_with_the_whole_tree_and_no_ghost(rig, config):
    gone, stays = alarm(1), alarm(2)
    rig.feed.tell("raise", gone)
    rig.feed.tell("raise", stays)
    async with rig.running(config) as north:
        await online(north)
        pid = north._broker.pid
        rig.feed.rows.pop(gone.key_id)  # it ended while nobody could be told
        os.kill(pid, signal.SIGKILL)
        await until(lambda: north._broker.pid not in {None, pid}, "it runs again", seconds=60)
        await until(lambda: north._targets["mqtt"].sessions >= 2, "connected again", seconds=60)
        await online(north)
        async with reading(rig, config) as reader:
            topic = f"noc/v1/site/s00002/alarm/280.801/{stays.key_id}"
            await until(lambda: topic in reader.retained, "the tree is rebuilt")
            await until(
                lambda: reader.retained.get("noc/v1/status", {}).get("state") == "online", "online"
            )
    assert not any(gone.key_id in topic for topic in reader.retained)


async def test_a_ghost_in_a_broker_that_lived_on_is_deleted(rig, config):
    async with rig.running(config) as north:
        await online(north)
        ghost = f"noc/v1/site/s00009/alarm/280.801/{alarm(9).key_id}"
        feed = north._targets["mqtt"]
        secret = north._broker.password
        async with connection(rig, config, user="roost-feed", password=secret) as writer:
            await writer.publish(ghost, b'{"state":"active"}', qos=1, retain=True)
        async with reading(rig, config) as reader:
            await until(lambda: ghost in reader.retained, "there is a ghost")
            async with connection(  # the same identifier: the feed loses its connection
                rig, config, user="roost-feed", password=secret, identifier="roost-feed"
            ):
                pass
            await until(lambda: "offline" in reader.states, "the will tells it")
            await until(lambda: feed.sessions >= 2, "connected again", seconds=60)
            await until(lambda: ghost not in reader.retained, "the ghost is deleted")
            await until(lambda: reader.states[-1] == "online", "it is online again")


async def test_no_secret_is_readable_by_others_or_told_in_a_topic(rig, config):
    async with rig.running(config) as north:
        await online(north)
        async with reading(rig, config) as reader:
            await until(lambda: "noc/v1/status" in reader.retained, "the reader reads")
    files = [path for path in (rig.folder / "noc").iterdir() if path.is_file()]
    assert {path.stat().st_mode & 0o077 for path in files} == {0}
    assert account(rig) not in json.dumps(reader.retained)
    hashed = (rig.folder / "noc" / "passwords").read_text()
    assert account(rig) not in hashed
    assert north._broker.password not in hashed


async def test_a_slow_target_and_a_dead_one_slow_nobody(rig):
    """P19: what one receiver does not take waits for that one alone."""
    slow, well = Receiver(), Receiver()
    path = rig.secret("hook", "a secret of some length")
    async with slow.serving(), well.serving():
        slow.hold.clear()
        hooks = {"slow": slow.url, "well": well.url, "dead": f"http://127.0.0.1:{free_port()}"}
        config = NorthboundConfig(
            mqtt=NocBrokerConfig(port=free_port()),
            webhook=tuple(
                WebhookConfig(name, url, path, allow_private=True) for name, url in hooks.items()
            ),
        )
        async with rig.running(config) as north:
            await online(north)
            states = {state.name: state for state in north.states}
            for number in range(1, 301):
                rig.feed.tell("raise", alarm(number))
            for name in ("well", "mqtt"):
                done = lambda name=name: states[name].cursor == 300  # noqa: E731
                await until(done, f"{name} has all", seconds=90)
            assert states["slow"].cursor == states["dead"].cursor == 0
            assert states["slow"].queue == 300
        assert len(well.requests) == 300
    async with rig.database.read() as connection:
        kept = await rows.targets(connection)
    assert {name: kept[name].cursor for name in hooks} == {"slow": 0, "well": 300, "dead": 0}


async def test_after_a_restart_a_target_goes_on_where_it_was(rig):
    receiver = Receiver()
    path = rig.secret("hook", "a secret of some length")
    async with receiver.serving():
        hook = WebhookConfig("hook", receiver.url, path, allow_private=True)
        config = NorthboundConfig(webhook=(hook,))
        async with rig.running(config) as north:
            await until(lambda: north.is_ready, "its cursor is read")
            rig.feed.tell("raise", alarm(1))
            await until(lambda: north.states[0].cursor == 1, "told")
        rig.feed.tell("raise", alarm(2))
        async with rig.running(config) as north:
            await until(lambda: north.states[0].cursor == 2, "told after the restart")
    ids = [headers["webhook-id"] for _, headers, _ in receiver.requests]
    assert ids == ["roost-1", "roost-2"]


async def test_what_is_raised_again_while_others_are_emptied_stays(rig, config, monkeypatch):
    """Many topics are emptied at a pace: what is raised meanwhile must not be emptied after it."""
    monkeypatch.setattr(noc_tree, "CLEARED_MS", 0)
    monkeypatch.setattr(noc_line, "REBUILD_RATE", 50)  # what is raised comes between two parts
    rows = [alarm(number) for number in range(1, 601)]
    for row in rows:
        rig.feed.tell("raise", row)
    places = {noc_tree.alarm_topic(row): row for row in rows}
    async with rig.running(config) as north:
        await online(north)
        async with reading(rig, config) as reader:
            await until(lambda: len(set(places) & set(reader.retained)) == 600, "all are there")
            for row in rows:
                rig.feed.tell("clear", row)
            await until(lambda: len(set(places) & set(reader.retained)) < 550, "they are emptied")
            again = [places[topic] for topic in set(places) & set(reader.retained)]
            for row in again:
                rig.feed.tell("raise", row)
            rig.view.add_site("last", 0)  # told by the same task, behind the last of them
            last = "noc/v1/site/last/state"
            await until(lambda: last in reader.retained, "the emptying is over", seconds=90)
            await until(lambda: len(set(places) & set(reader.retained)) == len(again), "they stay")
    open_ = {topic for topic in places if reader.retained.get(topic, {}).get("state") == "active"}
    assert open_ == {noc_tree.alarm_topic(row) for row in again}
