import socket

import pytest

from roost_central.brokers.mosquitto import mosquitto
from roost_central.demo import brokers
from roost_central.demo.brokers import Broker, answers, free_port
from roost_central.ports import SystemClock
from roost_protocol.limits import MESSAGE_BYTES_MAX


async def test_a_port_nobody_listens_on_does_not_answer():
    assert not await answers("127.0.0.1", free_port("127.0.0.1"), within_s=0.2)


async def test_a_listener_answers():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert await answers("127.0.0.1", server.getsockname()[1])


async def test_a_broker_is_bounded_and_on_loopback_alone(tmp_path):
    if mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    broker = await brokers.start_broker(
        "lan-a", "127.0.1.100", folder=tmp_path, clock=SystemClock()
    )
    try:
        assert await answers(broker.host, broker.port)
        assert not await answers("127.0.0.1", broker.port, within_s=0.2)
    finally:
        await broker.child.stop()
    lines = (tmp_path / "lan-a.conf").read_text().splitlines()
    said = dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))
    assert said["listener"].endswith(" 127.0.1.100")
    assert int(said["max_packet_size"]) > MESSAGE_BYTES_MAX
    assert {"max_queued_messages", "max_inflight_messages"} <= said.keys()
    assert said["persistence"] == "false"


def test_a_url_is_what_clients_take():
    assert Broker("wan1", "127.0.0.1", 1883, child=None).url == "mqtt://127.0.0.1:1883"
