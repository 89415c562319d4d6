"""The NOC's broker off loopback: TLS by a certificate of the fleet, accounts as before."""

import asyncio
import socket
import ssl

import aiomqtt
import pytest
from alarm_feed import alarm
from ca import DOMAIN, Pki
from loopback_ports import free_port
from noc_reader import connection, online
from waiting import until

from roost_central.northbound import noc_broker
from roost_central.northbound.config import NocBrokerConfig, NorthboundConfig
from roost_protocol.tls import NamedContext

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]
ERRORS = (aiomqtt.MqttError, OSError, TimeoutError)


@pytest.fixture
def config():
    # As for an address off loopback: whoever has a domain speaks TLS, wherever it listens.
    return NorthboundConfig(mqtt=NocBrokerConfig(port=free_port(), domain=DOMAIN))


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


def trusting(name, root) -> ssl.SSLContext:
    return NamedContext.of(name, root)


async def test_readers_come_in_by_password_over_tls_and_by_nothing_else(
    rig, config, pki, tmp_path_factory
):
    rig.feed.tell("raise", alarm(1))
    good = trusting(f"noc.svc.{DOMAIN}", pki.root_file)
    other = Pki(tmp_path_factory.mktemp("other"))
    async with pki.serving() as signer, rig.running(config, signer) as north:
        await online(north)
        assert north.states[0].address.startswith("mqtts://")
        async with connection(rig, config, tls_context=good) as reader:
            await reader.subscribe("noc/v1/#")
            message = await anext(reader.messages)
            assert str(message.topic).startswith("noc/v1/")
        for context in (
            None,
            trusting(f"b1.svc.{DOMAIN}", pki.root_file),
            trusting(f"noc.svc.{DOMAIN}", other.root_file),
        ):
            with pytest.raises(ERRORS):
                async with connection(rig, config, tls_context=context, timeout=5):
                    pass
        with pytest.raises(aiomqtt.MqttError, match=r"[Nn]ot authori"):
            async with connection(rig, config, password="wrong", tls_context=good):
                pass


async def test_it_waits_for_the_signer_and_listens_nowhere_before(rig, config, pki, monkeypatch):
    monkeypatch.setattr(noc_broker, "SIGNER_RETRY_S", 0.1)
    async with pki.serving() as signer:
        pass  # it has gone
    async with rig.running(config, signer) as north:
        await until(lambda: north.states[0].health.failures, "the feed finds no broker")
        assert north._broker.pid is None
        async with pki.serving():
            await online(north)
    await signer.close()


async def test_a_new_certificate_is_shown_and_sessions_stay(rig, config, pki):
    context = trusting(f"noc.svc.{DOMAIN}", pki.root_file)
    async with pki.serving() as signer, rig.running(config, signer) as north:
        await online(north)
        own, pid = north._broker._certificate, north._broker.pid
        before = await asyncio.to_thread(shown, config, context)
        await own._renew(await signer.info())
        await north._broker._renewed()
        await until(lambda: shown(config, context) != before, "the new one is shown")
        assert north._broker.pid == pid


def shown(config, context):
    """The serial number of the certificate that a new connection is shown."""
    with (
        socket.create_connection(("127.0.0.1", config.mqtt.port), timeout=5) as plain,
        context.wrap_socket(plain) as sock,
    ):
        return sock.getpeercert()["serialNumber"]
