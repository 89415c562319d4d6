"""A node's TLS to the fleet's broker while its clock may be off: only dates are passed over."""

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from fleet_pki import DAY, DOMAIN, NOW, Authority

from roost_agent.config import PathConfig, TlsConfig
from roost_agent.errors import LinkError
from roost_agent.paths.link import Dial
from roost_agent.paths.mqtt import MqttDialer
from roost_protocol.beat import PathKind
from roost_protocol.topics import NodeTopics

pytestmark = [
    pytest.mark.broker,
    pytest.mark.timeout(120),
    # paho leaves the socket of a handshake that failed to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

NODE = "lab.n1"


def serves(broker, *, by=None, ends=NOW + DAY):
    """Have the broker show another certificate."""
    authority = by or broker.pki.servers
    usage = ExtendedKeyUsageOID.SERVER_AUTH
    broker.pki._keep("b1", *authority.issue("b1", f"b1.svc.{DOMAIN}", usage, ends=ends))
    broker.kill()
    broker.start()


async def connects(broker, *, checks_dates, name=f"b1.svc.{DOMAIN}"):
    cert, key = broker.pki.node(NODE)
    tls = TlsConfig(str(broker.files.root), str(cert), str(key), name)
    path = PathConfig("b1", PathKind.WAN, "127.0.0.1", broker.port, tls=tls)
    dial = Dial(path, "c", NodeTopics.of(NODE).receipt, None, b"", checks_dates)
    try:
        async with MqttDialer().connect(dial):
            return True
    except LinkError:
        return False


async def test_a_broker_whose_certificate_seems_to_have_ended_is_spoken_to_until_the_clock_is_right(
    broker,
):
    serves(broker, ends=NOW - DAY)
    assert await connects(broker, checks_dates=False)
    assert not await connects(broker, checks_dates=True)


async def test_with_dates_passed_over_nothing_else_is(broker):
    assert await connects(broker, checks_dates=False)
    assert not await connects(broker, checks_dates=False, name=f"b2.svc.{DOMAIN}")
    serves(broker, by=Authority("server CA"))
    assert not await connects(broker, checks_dates=False)
