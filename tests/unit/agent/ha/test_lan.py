"""The LAN identity of a box: what it checks of a broker, and that it never falls back."""

import ssl
import tomllib
from contextlib import ExitStack
from pathlib import Path

import pytest
import site_file
from lan_boxes import Fleet

from roost_agent.enrolled import BROKER_CERTIFICATE, LAN_CA, LAN_CERTIFICATE, LAN_KEY
from roost_agent.errors import AgentError, ConfigError
from roost_agent.ha.config_file import check
from roost_agent.ha.lan import LanClient, box_faults, lan_of

SITE = "lab"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    return Fleet(tmp_path_factory.mktemp("fleet"))


@pytest.fixture(scope="module")
def strangers(tmp_path_factory):
    """Another fleet, of the same domain."""
    return Fleet(tmp_path_factory.mktemp("strangers"))


@pytest.fixture(scope="module")
def c0(fleet, tmp_path_factory):
    return lan_of(fleet.enrol(tmp_path_factory.mktemp("c0"), SITE, "c0"))


def handshake(client: ssl.SSLContext, server: ssl.SSLContext) -> ssl.SSLObject:
    """Return the client's end after both believed each other.

    Raises:
        ssl.SSLError: one did not.
    """
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=client.server_name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    waiting = set(ends)
    for _ in range(10):
        for end in list(waiting):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.discard(end)
    assert not waiting
    return ends[0]


def serving(identity, certificate=None, key=None) -> ssl.SSLContext:
    """A broker's TLS, of the files that Mosquitto would read."""
    files = identity.broker_files
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate or files.certificate, key or files.key)
    context.load_verify_locations(files.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def config(**changes):
    found, faults = check(tomllib.loads(site_file.TEXT) | changes)
    assert faults == []
    return found


def test_a_box_without_an_identity_has_none_and_one_with_half_of_it_is_refused(fleet, tmp_path):
    assert lan_of(None) is None
    for number, name in enumerate((LAN_CA, LAN_CERTIFICATE, LAN_KEY)):
        enrolled = fleet.enrol(tmp_path / str(number), SITE, "c0")
        (enrolled.folder / name).unlink()
        with pytest.raises(ConfigError, match=f"{name}: is missing; restore it, or join again"):
            lan_of(enrolled)


def test_a_key_that_does_not_belong_is_told(fleet, tmp_path):
    enrolled = fleet.enrol(tmp_path, SITE, "c0")
    (enrolled.folder / LAN_KEY).write_text("nothing")
    with pytest.raises(ConfigError, match=r"the LAN certificate: .*; restore it"):
        lan_of(enrolled).context("c1")


def test_a_member_is_named_by_node_and_box(c0):
    assert c0.user("c1", 3) == "lab.c1~3"


def test_client_and_broker_of_a_site_believe_each_other(fleet, c0, tmp_path):
    c1 = lan_of(fleet.enrol(tmp_path, SITE, "c1"))
    end = handshake(c0.context("c1"), serving(c1))
    assert end.getpeercert()["subjectAltName"] == (("DNS", "lab.c1.brokers.edge.example"),)


@pytest.mark.parametrize(
    ("site", "node"), [(SITE, "c2"), ("other", "c1")], ids=["another node", "another site"]
)
def test_a_broker_of_another_node_is_refused(fleet, c0, tmp_path, site, node):
    other = lan_of(fleet.enrol(tmp_path, site, node))
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(c0.context("c1"), serving(other))


def test_a_broker_of_another_fleet_is_refused(strangers, c0, tmp_path):
    other = lan_of(strangers.enrol(tmp_path, SITE, "c1"))
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(c0.context("c1"), serving(other))


@pytest.mark.parametrize("kind", ["node", "lan"])
def test_no_other_certificate_of_a_box_makes_it_a_broker(fleet, c0, tmp_path, kind):
    c1 = lan_of(fleet.enrol(tmp_path, SITE, "c1"))
    server = serving(c1, c1.folder / f"{kind}.pem", c1.folder / f"{kind}.key")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(c0.context("c1"), server)


def test_the_same_in_1970_and_in_2100(c0, fleet, tmp_path):
    """Membership decides and not time: the dates leave nothing to skip."""
    c1 = lan_of(fleet.enrol(tmp_path, SITE, "c1"))
    peer = handshake(c0.context("c1"), serving(c1)).getpeercert()
    assert ssl.cert_time_to_seconds(peer["notBefore"]) == 0
    assert peer["notAfter"] == "Dec 31 23:59:59 9999 GMT"


@pytest.mark.parametrize("expected", ["lab.c1~2", "lab.c1~3", None])
def test_a_broker_must_be_the_box_that_stands_for_its_node(fleet, c0, tmp_path, expected):
    second = lan_of(fleet.enrol(tmp_path, SITE, "c1", box=2))
    client = LanClient(c0.context("c1"), lambda: expected)
    end = handshake(client.context, serving(second))
    with ExitStack() as stack:
        if expected != "lab.c1~2":
            told = f"is box lab.c1~2, the site has {expected}; see"
            stack.enter_context(pytest.raises(AgentError, match=told))
        client.check(end)


def test_what_has_shown_no_certificate_is_refused(c0):
    with pytest.raises(AgentError, match="is box None"):
        LanClient(c0.context("c1"), lambda: "lab.c1~1").check(None)


def test_the_sites_file_must_know_this_box(c0, fleet, tmp_path):
    assert box_faults(config(), c0) == []
    second = lan_of(fleet.enrol(tmp_path, SITE, "c0", box=2))
    assert box_faults(config(), second) == [
        "node[c0].box: 1: this box is number 2 of its slot; write so in the file of every node"
    ]


def test_the_port_follows_tls_unless_it_is_set():
    assert config().broker_port(has_tls=True) == 8883
    assert config().broker_port(has_tls=False) == 1884
    assert config(mqtt_port=1999).broker_port(has_tls=True) == 1999


def test_a_box_that_may_be_no_broker_has_no_such_certificate(fleet, tmp_path):
    lan = lan_of(fleet.enrol(tmp_path, SITE, "c0", is_broker=False))
    assert lan.broker_files.certificate == Path(lan.folder / BROKER_CERTIFICATE)
    assert not lan.broker_files.certificate.exists()
