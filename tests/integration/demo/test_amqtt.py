"""The broker that stands in for Mosquitto carries beats, reports and receipts of a small fleet."""

import asyncio
import json
import subprocess
import sys

import gmqtt
import pytest
from gmqtt.mqtt.constants import MQTTv311

from roost_central.demo.brokers import answers, free_port
from roost_central.demo.children import Child, Command
from roost_central.ports import SystemClock
from roost_protocol.codec import VERSION, Decoder, encode
from roost_protocol.envelope import Receipt, Report
from roost_protocol.topics import NodeTopics

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

_reports = Decoder(Report)


@pytest.fixture
async def port(tmp_path):
    port = free_port("127.0.0.1")
    argv = (sys.executable, "-m", "roost_central.demo.amqtt_broker", "127.0.0.1", str(port))
    child = Child(Command("amqtt", argv), logs=tmp_path, clock=SystemClock())
    await child.start()
    assert await answers("127.0.0.1", port), child.tail()
    yield port
    await child.stop()


@pytest.fixture
async def centre(port):
    """A centre that receipts whatever comes; gives the marks it keeps."""
    marks, client = {}, gmqtt.Client("centre")

    def hear(_client, topic, payload, _qos, _properties):
        if topic.endswith("/report"):
            report = _reports.decode(payload)
            key = (report.node, report.stream)
            if marks.setdefault(key, 0) == report.prev:
                marks[key] = report.last
            receipt = Receipt(
                v=VERSION,
                node=report.node,
                lane=report.lane,
                stream=report.stream,
                seq=marks[key],
                central_epoch=b"epoch-01",
                sent_ms=1,
            )
            client.publish(NodeTopics.of(report.node).receipt, encode(receipt), qos=1)

    client.on_message = hear
    await client.connect("127.0.0.1", port, version=MQTTv311)
    client.subscribe([gmqtt.Subscription("roost/v1/+/+/up/+", qos=1)])
    yield marks
    await client.disconnect()


async def test_amqtt_carries_a_small_fleet(port, centre):
    command = [sys.executable, "-m", "roost_agent", "sim", "--json", "--sites", "10"]
    command += ["--broker", f"mqtt://127.0.0.1:{port}", "--interval", "1", "--ramp", "0.5"]
    process = await asyncio.create_subprocess_exec(
        *command, "--churn", "300", "--for", "5", stdout=subprocess.PIPE
    )
    said = json.loads((await process.communicate())[0])
    assert process.returncode == 0
    assert said["beats"] >= 30 * 4
    assert said["waiting"] == 0
    assert said["items"] == sum(centre.values()) > 30


async def test_amqtt_refuses_to_listen_beyond_loopback():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "roost_central.demo.amqtt_broker", "0.0.0.0", "1",  # noqa: S104
        stderr=subprocess.PIPE,
    )  # fmt: skip
    _, err = await process.communicate()
    assert process.returncode == 1
    assert b"not a loopback address" in err
