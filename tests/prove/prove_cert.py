"""Proof: every certificate that is wrong in one way is refused at every listener that can tell."""

import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ca import Credentials, Pki
from cert_listeners import FleetBroker, Handshake, Listener, OurHttps, OurVerifier, shaken
from certificate_cases import CASES, NODE, Case, Form, forged
from cryptography.x509 import DNSName
from proof import Proof

from roost_central.ca.profiles import SERVER, Authority
from roost_protocol.certificate import Holder, Kind

NODE_HOLDER = Holder(Kind.NODE, NODE)
NOWHERE: frozenset[str] = frozenset()
EVERYWHERE = frozenset({"verifier", "openssl", "https", "mosquitto"})
NAME = "b1.svc.edge.example"


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate, and the names of the listeners that let it in."""

    name: str
    credentials: Credentials
    taken: frozenset[str]


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Show each certificate to each listener; it is short, so a bounded run is the whole."""
    del share
    with tempfile.TemporaryDirectory(prefix="roost-cert-") as text:
        folder = Path(text)
        wrong = [*_clients(folder), *_servers(folder, say), *_members(folder)]
    runs, failures = len(wrong), [name for name, is_right in wrong if not is_right]
    for name in failures:
        say(f"not as it must be: {name}")
    yield Proof(
        "cert.matrix",
        runs=runs,
        failures=len(failures),
        seed=seed,
        note="a certificate at a listener: let in or refused as its case says",
    )


def _clients(folder: Path) -> Iterator[tuple[str, bool]]:
    """Yield each case at each listener for nodes."""
    pki = Pki(folder / "fleet")
    gone = pki.issue(NODE_HOLDER)
    shown = [Shown(case.name, case.make(pki), _taking(case)) for case in CASES]
    shown.append(Shown("revoked", gone, NOWHERE))
    yield from _at_each(pki, {gone.certificate.serial_number}, shown)

    rotated = Pki(folder / "rotated")
    old = rotated.issue(NODE_HOLDER)
    rotated.rotate("node", now=datetime.now(UTC) - timedelta(minutes=1))
    new = rotated.issue(NODE_HOLDER)
    both = [Shown("the old issuer's", old, EVERYWHERE), Shown("the new one's", new, EVERYWHERE)]
    yield from _at_each(rotated, set(), both)
    for file in ("node-ca.key", "node-ca.pem"):
        (rotated.signer_dir / file).unlink()
    yield from _at_each(rotated, set(), [Shown("a withdrawn issuer's", old, NOWHERE)])


def _taking(case: Case) -> frozenset[str]:
    strict = {"verifier", "https"} if not case.ours else set()
    lax = {"openssl"} if case.tls else set()
    broker = {"mosquitto"} if case.tls and not case.is_nameless else set()
    return frozenset(strict | lax | broker)


def _at_each(pki: Pki, revoked: set[int], shown: list[Shown]) -> Iterator[tuple[str, bool]]:
    broker = FleetBroker(pki, revoked)
    listeners: list[Listener] = [
        OurVerifier(pki, revoked), Handshake(pki, revoked), OurHttps(pki, revoked), broker,
    ]  # fmt: skip
    with ExitStack() as stack:
        stack.enter_context(broker.running())
        for each in shown:
            for listener in listeners:
                is_taken = listener.takes(each.credentials)
                yield f"{each.name} at {listener.name}", is_taken is (listener.name in each.taken)


def _servers(folder: Path, say: Callable[[str], None]) -> Iterator[tuple[str, bool]]:
    """Yield each wrong server before a node, and before a member of a site's LAN."""
    say("servers")
    pki, other = Pki(folder / "dialled"), Pki(folder / "other")
    by, chain = pki.issuer(Authority.SERVER)
    a_server = (SERVER,)
    expired = Form(("b1",), (DNSName(NAME),), a_server, ends=timedelta(-1), begins=timedelta(-9))
    names = {
        "the server": (pki.issue(Holder(Kind.SERVER, "b1")), True),
        "another server": (pki.issue(Holder(Kind.SERVER, "b2")), False),
        "a service": (pki.issue(Holder(Kind.SERVICE, "b1")), False),
        "a node": (pki.issue(NODE_HOLDER), False),
        "a site's broker": (pki.issue(Holder(Kind.BROKER, NODE, 1)), False),
        "expired": (forged(pki, expired, by, chain), False),
        "of another fleet": (other.issue(Holder(Kind.SERVER, "b1")), False),
        "by a node CA": (forged(pki, Form(("b1",), (DNSName(NAME),), a_server)), False),
    }
    for name, (server, wanted) in names.items():
        yield f"{name} dialled by a node", _dialled(pki.root_file, server, NAME) is wanted
    lan, broker = pki.signer_dir / "lan-ca.pem", f"{NODE}.brokers.edge.example"
    names = {
        "the site's broker": (pki.issue(Holder(Kind.BROKER, NODE, 1)), True),
        "another node's broker": (pki.issue(Holder(Kind.BROKER, "edge.n2", 1)), False),
        "a LAN client": (pki.issue(Holder(Kind.LAN, NODE, 1)), False),
        "a server of the centre": (pki.issue(Holder(Kind.SERVER, "b1")), False),
        "a broker of another fleet": (other.issue(Holder(Kind.BROKER, NODE, 1)), False),
    }
    for name, (server, wanted) in names.items():
        yield f"{name} dialled on a LAN", _dialled(lan, server, broker) is wanted


def _members(folder: Path) -> Iterator[tuple[str, bool]]:
    """Yield each client before a site's broker, which knows the LAN CA alone."""
    pki, other = Pki(folder / "site"), Pki(folder / "another-site")
    lan, broker = pki.signer_dir / "lan-ca.pem", pki.issue(Holder(Kind.BROKER, NODE, 1))
    accepting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    accepting.load_cert_chain(broker.chain_file, broker.key_file)
    accepting.load_verify_locations(lan)
    accepting.verify_mode = ssl.CERT_REQUIRED
    names = {
        "a member": (pki.issue(Holder(Kind.LAN, "edge.n2", 1)), True),
        "another broker": (pki.issue(Holder(Kind.BROKER, "edge.n2", 1)), False),
        "a node's own": (pki.issue(NODE_HOLDER), False),
        "a service": (pki.issue(Holder(Kind.SERVICE, "ingest")), False),
        "a member of another fleet": (other.issue(Holder(Kind.LAN, "edge.n2", 1)), False),
    }
    for name, (shown, wanted) in names.items():
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.load_verify_locations(lan)
        client.load_cert_chain(shown.chain_file, shown.key_file)
        is_taken = shaken(accepting, client, f"{NODE}.brokers.edge.example")
        yield f"{name} at a site's broker", is_taken is wanted


def _dialled(anchor: Path, server: Credentials, name: str) -> bool:
    accepting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    accepting.load_cert_chain(server.chain_file, server.key_file)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(anchor)
    return shaken(accepting, client, name)
