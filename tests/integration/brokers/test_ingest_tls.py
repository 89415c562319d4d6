"""Ingest's connection to the fleet's broker, live: both sides prove who they are."""

import asyncio

import gmqtt
import pytest
from loopback_ports import free_port

from roost_central.ingest.config import BrokerAddress
from roost_central.ingest.mqtt import MqttLink, publish_as_guest, take_over
from roost_central.ingest.tls import BrokerTls
from roost_central.ports import SystemEntropy
from roost_protocol.topics import NodeTopics, canary_topic

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]

TOPICS = NodeTopics.of("lab.n1")
CANARY = canary_topic("x")


class Ear:
    def __init__(self):
        self.up, self.down = asyncio.Event(), asyncio.Event()
        self.came = asyncio.Queue()

    def on_message(self, broker, topic, payload, *, retained):
        self.came.put_nowait((topic, payload, retained))

    def on_up(self, broker):
        self.up.set()

    def on_down(self, broker):
        self.down.set()


def address(broker, *, server_name="b1.svc.edge.example", who="ingest", port=None):
    tls = BrokerTls(broker.files.root, *broker.pki.service(who), server_name)
    return BrokerAddress.parse("b1", f"mqtts://127.0.0.1:{port or broker.port}", tls)


async def connects(where):
    ear = Ear()
    link = MqttLink(where, tuple(range(64)), listener=ear, entropy=SystemEntropy(), also=(CANARY,))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(link.run())
        try:
            async with asyncio.timeout(5):
                await ear.up.wait()
        except TimeoutError:
            return False
        finally:
            task.cancel()
    return True


async def test_what_nodes_say_is_heard_and_answered_over_tls(broker):
    ear, where = Ear(), address(broker)
    link = MqttLink(where, tuple(range(64)), listener=ear, entropy=SystemEntropy(), also=(CANARY,))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(link.run())
        await ear.up.wait()
        with await asyncio.to_thread(broker.node("lab.n1").__enter__) as node:
            await asyncio.to_thread(node.subscribe, TOPICS.receipt)
            await asyncio.to_thread(node.publish, TOPICS.report, b"report")
            assert await ear.came.get() == (TOPICS.report, b"report", False)
            assert link.publish(TOPICS.receipt, b"receipt")
            assert await asyncio.to_thread(node.next) == (TOPICS.receipt, b"receipt")
        await publish_as_guest(where, CANARY, b"canary")
        assert await ear.came.get() == (CANARY, b"canary", False)
        task.cancel()


async def test_a_broker_of_another_name_is_not_spoken_to(broker):
    assert await connects(address(broker))
    assert not await connects(address(broker, server_name="b2.svc.edge.example"))


async def test_a_session_is_closed_by_its_client_id(broker):
    where = address(broker)
    with await asyncio.to_thread(broker.node("lab.n1", client_id="abc").__enter__) as node:
        await take_over(where, "other")
        assert not node.ended
        await take_over(where, "abc")
        async with asyncio.timeout(5):
            while not node.ended:  # noqa: ASYNC110 - looks at another thread's
                await asyncio.sleep(0.02)


async def test_a_broker_that_is_not_there_cannot_be_taken_over(broker):
    with pytest.raises((OSError, gmqtt.MQTTConnectError)):
        await take_over(address(broker, port=free_port()), "abc")
