"""The fleet's broker, live: who is let in, who may say and hear what, and what revocation does."""

import socket
import ssl

import pytest
from fleet_pki import DAY, NOW, Authority
from mqtt_peer import NOT_AUTHORISED, Peer
from waiting import wait_until

from roost_protocol.topics import NodeTopics

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]

ONE, TWO = "lab.n1", "lab.n2"
TOPICS, OTHERS = NodeTopics.of(ONE), NodeTopics.of(TWO)
QUIET_S = 0.3  # for a message that must not come


def connects(broker, files):
    try:
        with Peer(broker.port, broker.files.root, files):
            return True
    except (ConnectionError, ssl.SSLError):
        return False


def refused(*said, **more):
    with pytest.raises((ConnectionError, ssl.SSLError)):
        Peer(*said, **more).__enter__()
    return True


def test_a_node_says_what_is_its_own_and_the_centre_hears_it(broker):
    with broker.service("ingest") as centre, broker.node(ONE) as node:
        assert centre.subscribe("roost/v1/+/+/up/+") < 128
        for topic in (TOPICS.beat, TOPICS.report, TOPICS.gone):
            assert node.publish(topic) < 128
            assert centre.next() == (topic, b"x")
        node.subscribe(TOPICS.receipt)
        assert centre.publish(TOPICS.receipt, b"r") < 128
        assert node.next() == (TOPICS.receipt, b"r")
        assert centre.subscribe("roost/v1/canary/x") < 128
        assert centre.publish("roost/v1/canary/x", b"c") < 128
        assert centre.next() == ("roost/v1/canary/x", b"c")


@pytest.mark.parametrize(
    "topic",
    [
        OTHERS.beat,
        OTHERS.report,
        TOPICS.receipt,
        OTHERS.order,
        TOPICS.beat + "/more",
        "roost/v1/00/lab.n1/up/other",
        "roost/v1/canary/x",
        "roost/ha/v1/lab.n1/beat",
        "noc/v1/status",
        "$SYS/broker/x",
        "anything",
    ],
)
def test_a_node_says_nothing_elsewhere(broker, topic):
    with broker.node(ONE) as node:
        assert node.publish(topic) == NOT_AUTHORISED


def test_a_node_hears_nothing_but_its_own_down_topics(broker):
    with broker.service("ingest") as centre, broker.node(ONE) as one, broker.node(TWO) as two:
        for pattern in ("#", "$SYS/#"):
            one.subscribe(pattern)
        two.publish(OTHERS.beat)
        centre.publish(OTHERS.receipt)
        centre.publish("roost/v1/canary/x")
        centre.publish(TOPICS.receipt, b"mine")
        assert one.next() == (TOPICS.receipt, b"mine")
        assert one.next(QUIET_S) is None


def test_another_service_of_the_centre_has_no_rights_here(broker):
    with broker.service("northbound") as other:
        assert other.publish(TOPICS.receipt) == NOT_AUTHORISED
        assert other.publish(TOPICS.beat) == NOT_AUTHORISED


def test_nobody_is_let_in_without_a_certificate_of_this_fleet(broker):
    root = broker.files.root
    stranger = Authority("node CA")  # the same name, another key
    assert refused(broker.port, root)
    assert refused(broker.port, root, broker.pki.node(ONE, by=stranger))
    assert refused(broker.port, root, broker.pki.node(ONE, ends=NOW - DAY))
    assert refused(broker.port, root, broker.pki.server("b2"))  # a server's, to connect with
    assert refused(broker.port, None)  # in the clear
    assert refused(broker.port, root, broker.pki.node(ONE), name="b2.svc.edge.example")
    with broker.node(ONE) as node:
        assert node.publish(TOPICS.beat) < 128


def test_old_tls_is_refused(broker):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_cert_chain(*broker.pki.node(ONE))
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection(("127.0.0.1", broker.port)) as raw,
        context.wrap_socket(raw) as tls,
    ):
        assert tls.version() == "TLSv1.2"
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", broker.port)) as raw, pytest.raises(OSError):  # noqa: PT011 - SSLError or reset
        context.wrap_socket(raw)


def test_nothing_is_retained(broker):
    with broker.node(ONE) as node, pytest.raises(ConnectionError):
        node.publish(TOPICS.beat, retain=True)
    with broker.service("ingest") as centre:
        centre.subscribe("roost/v1/+/+/up/+")
        assert centre.next(QUIET_S) is None


def test_what_is_longer_than_a_message_may_be_ends_the_connection(broker):
    with broker.node(ONE) as node, pytest.raises(ConnectionError):
        node.publish(TOPICS.report, bytes(300_000))


def test_a_denied_node_is_mute_and_deaf_from_the_reload_on_while_others_go_on(broker):
    with (
        broker.service("ingest") as centre,
        broker.node(ONE) as one,
        broker.node(TWO) as two,
    ):
        centre.subscribe("roost/v1/+/+/up/+")
        for peer, topics in ((one, TOPICS), (two, OTHERS)):
            peer.subscribe(topics.receipt)
            assert peer.publish(topics.beat) < 128
            assert centre.next()[0] == topics.beat
        broker.deny(ONE)
        broker.reload()
        wait_until(lambda: one.publish(TOPICS.beat) == NOT_AUTHORISED, "it is denied", seconds=30)
        while centre.next(QUIET_S):
            pass
        centre.publish(TOPICS.receipt)
        assert one.next(QUIET_S) is None
        assert two.publish(OTHERS.beat) < 128
        assert centre.next()[0] == OTHERS.beat


def test_a_revoked_certificate_opens_nothing_after_the_reload(broker):
    files = broker.pki.node(ONE)
    with Peer(broker.port, broker.files.root, files), broker.node(TWO) as two:
        broker.pki.revoke(ONE)
        broker.reload()
        wait_until(lambda: not connects(broker, files), "it is refused", seconds=30)
        assert two.publish(OTHERS.beat) < 128
    with broker.node(TWO) as again, broker.service("ingest"):
        assert again.publish(OTHERS.beat) < 128


def test_the_centre_closes_a_denied_session_by_its_client_id_and_its_will_is_not_heard(broker):
    with broker.service("ingest") as centre:
        centre.subscribe("roost/v1/+/+/up/+")
        with broker.node(ONE, client_id="abc", will=(TOPICS.gone, b"will")) as node:
            broker.deny(ONE)
            broker.reload()
            wait_until(lambda: node.publish(TOPICS.beat) == NOT_AUTHORISED, "denied", seconds=30)
            with broker.service("ingest", client_id="abc"):
                wait_until(lambda: node.ended, "its session is closed", seconds=30)
            while (said := centre.next(QUIET_S)) is not None:
                assert said[1] != b"will"
