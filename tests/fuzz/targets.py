"""What is fuzzed: every place where bytes or text of others become values.

A target may raise its typed error and nothing else. Where what was understood has a written form,
that form must be understood the same. Seeds are valid inputs, most of them from the vectors.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import CertificateSigningRequestBuilder, Name

from roost_agent.config_file import load as load_agent
from roost_agent.discovery import lldp_fields
from roost_agent.discovery.lldp_frame import neighbour
from roost_agent.errors import ConfigError as AgentConfigError
from roost_agent.helper.frame import FrameError
from roost_agent.helper.frame import decode as decode_helper
from roost_central.api import instants
from roost_central.api.cursor import scope_of
from roost_central.api.cursor import unpack as unpack_cursor
from roost_central.api.intake import decode_json
from roost_central.api.problem import ApiError
from roost_central.api.session import SessionBody
from roost_central.api.site_import import ImportLine
from roost_central.api.sites import SiteBody, site_name
from roost_central.ca.profiles import Authority, Fresh, issuer_of, lan, leaf
from roost_central.ca.request import key_of_request
from roost_central.ca.verify import Verifier
from roost_central.config import load as load_central
from roost_central.enrol.tpm.attestation import read_certified
from roost_central.errors import ConfigError as CentralConfigError
from roost_central.fleet.query import QueryError, parse
from roost_central.signer.core import Decider, Issue, Policy
from roost_central.signer.message import Crl, IssueNode, Revoked, decode_request
from roost_central.signer.message import encode as encode_signer
from roost_protocol.alarm import Alarm, AlarmSet, Event
from roost_protocol.beat import Beat
from roost_protocol.certificate import Holder
from roost_protocol.certificate import Kind as Role
from roost_protocol.codec import Decoder, encode, unpack
from roost_protocol.entity import parse as parse_entity
from roost_protocol.envelope import Gap, Gone, Receipt, Report
from roost_protocol.errors import ProtocolError
from roost_protocol.ha import Beat as HaBeat
from roost_protocol.ha import (
    Belief,
    Echo,
    Frame,
    Kind,
    LeaseFrame,
    LeaseState,
    Nonce,
    mac,
    open_frame,
    seal,
)
from roost_protocol.ha import encode as encode_ha
from roost_protocol.inventory import InventoryDocument
from roost_protocol.release.approval import read_approval
from roost_protocol.release.manifest import decode as read_manifest
from roost_protocol.topics import parse_up
from roost_protocol.update import JobReport, Offer, SoftwareReport

VECTORS = Path(__file__).parents[1] / "protocol/vectors"
COMPRESSED = 0x78  # the first byte of a zlib stream


@dataclass(frozen=True, slots=True)
class Target:
    """One decoder.

    Attributes:
        run: takes the bytes.
        errors: what it may raise.
        seeds: valid inputs to begin with.
    """

    run: Callable[[bytes], object]
    errors: tuple[type[Exception], ...]
    seeds: tuple[bytes, ...] = ()


def _vectors(file: str) -> tuple[bytes, ...]:
    vectors = json.loads((VECTORS / f"{file}.json").read_text())["vectors"]
    return tuple(bytes.fromhex(vector["wire"]) for vector in vectors)


def _message(kind: Any, file: str = "", *, seeds: tuple[bytes, ...] = ()) -> Target:
    decoder: Decoder[Any] = Decoder(kind)

    def run(payload: bytes) -> None:
        message = decoder.decode(payload)
        assert decoder.decode(encode(message)) == message

    return Target(run, (ProtocolError,), _vectors(file) if file else seeds)


def _report() -> Target:
    decoder = Decoder[Report](Report)

    def run(payload: bytes) -> None:
        report = decoder.decode(payload)
        report.check_order()
        assert report.last >= report.prev

    return Target(run, (ProtocolError,), _vectors("report"))


def _inventory() -> Target:
    decoder: Decoder[Any] = Decoder(InventoryDocument)

    def run(body: bytes) -> None:
        decoder.decode(unpack(body, compressed=body[:1] == bytes([COMPRESSED])))

    return Target(run, (ProtocolError,), _vectors("inventory"))


def _ha() -> Target:
    """Frames with a good mac, so that whatever is inside is looked at; and bare envelopes."""
    key = {1: bytes(32)}
    header: dict[str, Any] = {
        "site": "lab", "node": 0, "boot": bytes(16), "inc": 1, "path": 0, "seq": 9, "boot_ms": 5,
        "period_ms": 500, "lhm": 1, "cfgver": 7, "echo": {1: Echo(1, 2, 3)},
    }  # fmt: skip
    belief = Belief(33, 1, 900, LeaseState.HOLDING)
    frames: tuple[Frame, ...] = (
        HaBeat(**header, defs=bytes(8), seen={1: 3}, leases={"main": belief}, score=1_000),
        LeaseFrame(
            **header, to=1, kind=Kind.ACQUIRE, name="main", epoch=32, nonce=Nonce(bytes(16), 1, 1),
            owner=0, owner_boot=bytes(16),
        ),
    )  # fmt: skip

    def run(data: bytes) -> None:
        try:
            open_frame(data, site="lab", me=1, keys={0: key[1]})
        except ProtocolError:
            payload = encode_ha([data, {1: mac(key[1], data)}])
            frame = open_frame(payload, site="lab", me=1, keys={0: key[1]})
            assert open_frame(seal(frame, key), site="lab", me=1, keys={0: key[1]}) == frame

    return Target(run, (ProtocolError,), tuple(encode_ha(frame) for frame in frames))


def _lldp(frame: bytes) -> None:
    """Read a frame as it is, and as one whose head is good, so that every element is looked at."""
    for raw in (frame, _LLDP_HEAD + frame):
        if (found := neighbour(raw)) is not None:
            lldp_fields.fields(found.tlvs)


def _query(data: bytes) -> None:
    query = parse(data.decode("utf-8", "surrogateescape"))
    assert parse(query.canonical()) == query


def _bodies(data: bytes) -> None:
    """Decode as each body of the API; a refusal of one says nothing about the next."""
    for body in (SiteBody, ImportLine, SessionBody):
        try:
            decode_json(data, body)
        except ApiError:
            continue


def _parameters(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    instants.parse_instant(text)
    instants.parse_since(text, 1_700_000_000_000)
    for read in (site_name, _cursor):
        try:
            read(text)
        except ApiError:
            continue


def _cursor(text: str) -> object:
    return unpack_cursor(text, scope=scope_of("sites"))


def _config(load: Callable[[Path], object]) -> Callable[[bytes], object]:
    # libFuzzer ends the process on the spot: a file that needs no tidying up after it.
    file = Path(f"/proc/self/fd/{os.memfd_create('config.toml')}")

    def run(data: bytes) -> object:
        file.write_bytes(data)
        return load(file)

    return run


def _signer() -> Target:
    """A request on the signer's socket, up to the key in it."""

    def run(data: bytes) -> None:
        action = Decider(Policy("edge.example")).handle(decode_request(data), 0)
        if isinstance(action, Issue):
            key_of_request(action.csr_pem)

    info = b'{"verb":"info"}'
    order = b'{"verb":"sign_order","payload":"b3JkZXI="}'
    issue = encode_signer(IssueNode(_csr(), "edge", "n1", 1))
    lists = encode_signer(Crl("node", [Revoked("ff", 1)]))
    return Target(run, (ProtocolError,), (info, order, issue, lists))


def _certificate() -> Target:
    key = generate_private_key(SECP256R1())
    now = datetime(2027, 1, 1, tzinfo=UTC)
    fresh = Fresh(1, now)
    issuer = lan(key, "edge.example", fresh)
    by = issuer_of(issuer, key, "edge.example")
    good = leaf(Holder(Role.LAN, "edge.n1", 1), key.public_key(), by=by, fresh=fresh, days=1)
    verifier = Verifier("edge.example", {Authority.LAN: [issuer]})

    def run(data: bytes) -> None:
        peer = verifier.peer(data, Role.LAN, now)
        assert (peer.holder.name, peer.serial) == ("edge.n1", "1")

    return Target(run, (ProtocolError,), (good.public_bytes(Encoding.DER),))


def _csr() -> str:
    request = CertificateSigningRequestBuilder().subject_name(Name([]))
    signed = request.sign(generate_private_key(SECP256R1()), SHA256())
    return signed.public_bytes(Encoding.PEM).decode()


_AGENT = b"""site = "lab"
node = "n1"
preset = "wan"
[beat]
interval_s = 30
[[path]]
name = "wan1"
kind = "wan"
broker = "mqtts://192.0.2.1:8883"
bind = "192.0.2.7"
ca = "/etc/ca.pem"
[outbox]
bytes_max = 33554432
"""
_CENTRAL = b"""data_dir = "/tmp/x"
database = "sqlite+aiosqlite:////tmp/x/y.db"
shards = "0-63"
admit = "loopback"
[http]
host = "127.0.0.1"
port = 8470
[[broker]]
name = "b1"
url = "mqtt://127.0.0.1:1883"
"""

_ATTESTATION = bytes.fromhex(  # of an emulated TPM, for the question "q"
    "ff5443478017"
    "0022000b1e4e73a82e7ebae285790fe6594b53dfa2a6704d4d2644f8cc77f142c3611ba8"
    "000171"
    "0000000000000019000000010000000001"
    "2019102300163636"
    "0022000b330014b9537689cf45d12c70fc092eb3394709f36d92616b7dac29b1c0ee8bda"
    "0022000b330014b9537689cf45d12c70fc092eb3394709f36d92616b7dac29b1c0ee8bda"
)

_LLDP_HEAD = bytes.fromhex("0180c200000e02000000000188cc020704020000000001040305653006020078")
_LLDP = _LLDP_HEAD + bytes.fromhex(
    "0a03737731"  # system name
    "0e0400140014"  # capabilities
    "100c0501c0000209020000000700"  # management address
    "fe060080c201000a"  # 802.1: port VLAN
    "fe0c0080c203000a05766f696365"  # 802.1: VLAN name
    "fe0600120f042400"  # 802.3: frame size
    "fe070012bb01000f04"  # MED: capabilities
    "0000"
)

TARGETS: dict[str, Callable[[], Target]] = {
    "beat": lambda: _message(Beat, "beat"),
    "report": _report,
    "receipt": lambda: _message(Receipt, "receipt"),
    "gone": lambda: _message(Gone, "gone"),
    "inventory": _inventory,
    "alarm": lambda: _message(Alarm, "alarm"),
    "alarm-set": lambda: _message(AlarmSet, "alarm-set"),
    "event": lambda: _message(Event, "event"),
    "update-offer": lambda: _message(Offer, "update-offer"),
    "update": lambda: _message(JobReport, "update"),
    "software": lambda: _message(SoftwareReport, "software"),
    "manifest": lambda: Target(
        read_manifest,
        (ProtocolError,),
        (
            b'{"format":1,"component":"app/web","version":"2.0","release_counter":2,'
            b'"installer":"files","size_unpacked":1,"files":[{"path":"a/b","mode":420,"size":1,'
            b'"sha256":"%b","blob":"%b","blob_size":10}]}' % (b"0" * 64, b"1" * 64),
        ),
    ),
    "approval": lambda: Target(
        read_approval,
        (ProtocolError,),
        (
            b'{"v":1,"operator":"ana","rollout":"%b","plan":"%b","digest":"%b",'
            b'"not_before_ms":1,"not_after_ms":2}' % (b"a" * 32, b"b" * 64, b"c" * 64),
        ),
    ),
    "entity": lambda: Target(
        lambda data: parse_entity(data.decode("utf-8", "replace")),
        (ProtocolError,),
        (b"site=lab,node=n1,fs=/var%2Clog", b"app=pump,unit=2"),
    ),
    "ha": _ha,
    "gap": lambda: _message(Gap, seeds=(encode(Gap(first=7, last=9, reason="full")),)),
    "topic": lambda: Target(
        lambda data: parse_up(data.decode("utf-8", "replace")),
        (ProtocolError,),
        (b"roost/v1/2a/lab.n1/up/beat", b"roost/v1/00/edge-02-17.n1/up/report"),
    ),
    "query": lambda: Target(
        _query,
        (QueryError,),
        (
            b"region:r0* status>=degraded",
            b'not (site:"a b" or nodes>3) and age<5m',
            b"count(nodes, presence:online) >= 2",
            b"nic[driver:ice mtu>=9000].speed:25g",
        ),
    ),
    "json": lambda: Target(
        _bodies,
        (),
        (b'{"labels":{"region":"r1"},"lat":48.1,"lon":11.5}', b'{"token":"rtk_x"}'),
    ),
    "parameter": lambda: Target(
        _parameters, (), (b"2026-01-02T03:04:05.678Z", b"7d", b"lab", b"eyJhIjoxfQ")
    ),
    "signer": _signer,
    "helper": lambda: Target(
        decode_helper,
        (FrameError,),
        (
            b'{"verb":"facts","name":"dmi"}',
            b'{"verb":"reboot","reason":"new kernel","nonce":"0123456789abcdef0123456789abcdef"}',
            b'{"verb":"stage","digest":"00"}',
        ),
    ),
    "certificate": _certificate,
    "attestation": lambda: Target(read_certified, (ProtocolError,), (_ATTESTATION,)),
    "lldp": lambda: Target(_lldp, (), (_LLDP,)),
    "config-agent": lambda: Target(_config(load_agent), (AgentConfigError,), (_AGENT,)),
    "config-central": lambda: Target(_config(load_central), (CentralConfigError,), (_CENTRAL,)),
}
