"""The signer over its socket: what it signs, what it refuses, what is on record."""

import asyncio
import json
import os
import socket
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from ca import ENTROPY, new_key, request_of
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from orders import order_now

from roost_central.ca import names
from roost_central.ca.request import spki_of
from roost_central.errors import ConfigError, SignerError, SignerUnavailableError
from roost_central.ports import SystemClock
from roost_central.signer.client import Signer
from roost_central.signer.log import rows
from roost_central.signer.message import (
    REQUEST_BYTES_MAX,
    Info,
    IssueLan,
    IssueNode,
    IssueServer,
    Rows,
    framed,
)
from roost_central.signer.program import archived, checked, desk_of, log_lines
from roost_central.signer.row import BEGIN, read_line
from roost_central.signer.server import serving, user_ids
from roost_protocol.certificate import Holder, Kind
from roost_protocol.errors import ProtocolError
from roost_protocol.order import ORDER_DOMAIN, ORDER_KEY_DOMAIN


class Later:
    """The machine's clock, some days later."""

    def __init__(self, days):
        self._days = days
        self._clock = SystemClock()

    def wall_ms(self):
        return self._clock.wall_ms() + self._days * 86_400_000

    def mono_ms(self):
        return self._clock.mono_ms()

    boot_ms = mono_ms


@pytest.fixture
async def signer(own_pki):
    async with own_pki.serving() as signer:
        yield signer


def record(pki):
    return [row for row, _, _ in rows(pki.signer_dir / "signatures.log")]


def leaf_of(issued):
    return x509.load_pem_x509_certificate(issued.certificate_pem.encode())


async def raw(pki, *chunks):
    """Send bytes as they are; return what comes until it hangs up."""
    reader, writer = await asyncio.open_unix_connection(pki.socket)
    for chunk in chunks:
        writer.write(chunk)
    writer.write_eof()
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    return answer


async def test_a_node_gets_what_its_profile_says_and_nothing_that_it_wished(own_pki, signer):
    key = new_key()
    wished = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "svc_ingest")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(wished)
    for extension in (
        x509.SubjectAlternativeName([x509.DNSName("enrol.svc.edge.example")]),
        x509.BasicConstraints(ca=True, path_length=None),
    ):
        builder = builder.add_extension(extension, critical=True)
    csr = builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()
    issued = await signer.issue_node(csr, site="edge", node="n1", generation=4)
    peer = own_pki.verifier().peer(
        leaf_of(issued).public_bytes(Encoding.DER), Kind.NODE, datetime.now(UTC)
    )
    assert peer.holder == Holder(Kind.NODE, "edge.n1")
    assert (peer.serial, peer.fingerprint) == (issued.serial, issued.fingerprint)
    assert leaf_of(issued).public_key() == key.public_key()
    assert issued.not_after_s - issued.not_before_s == 90 * 86_400 + 300
    row = record(own_pki)[-1]
    assert (row.kind, row.name, row.generation, row.uid) == ("node", "edge.n1", 4, os.geteuid())
    assert (row.serial, row.fingerprint) == (issued.serial, issued.fingerprint)


async def test_every_kind_is_believed_as_its_own(own_pki, signer):
    csr = request_of(new_key())
    spki = new_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    lan, broker = Holder(Kind.LAN, "edge.n1", 2), Holder(Kind.BROKER, "edge.n1", 2)
    issued = {
        Holder(Kind.NODE, "edge.n1"): await signer.issue_node(
            csr, site="edge", node="n1", generation=1, days=7
        ),
        Holder(Kind.SERVER, "enrol"): await signer.issue_server(csr, name="enrol"),
        Holder(Kind.SERVICE, "ingest"): await signer.issue_service(csr, name="ingest"),
        lan: await signer.issue_lan(lan, csr_pem=csr),
        broker: await signer.issue_lan(broker, public_key_pem=spki.decode()),
    }
    verifier = own_pki.verifier()
    for holder, each in issued.items():
        der = leaf_of(each).public_bytes(Encoding.DER)
        assert verifier.peer(der, holder.kind, datetime.now(UTC)).holder == holder
    assert issued[lan].chain_pem == ""
    assert leaf_of(issued[lan]).not_valid_after_utc.year == 9999
    assert len({each.serial for each in issued.values()}) == 5


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: ec.generate_private_key(ec.SECP384R1()), "key"),
        (ed25519.Ed25519PrivateKey.generate, "key"),
        (lambda: rsa.generate_private_key(65537, 2048), "key"),
    ],
)
async def test_a_strange_key_is_refused(signer, make, code):
    key = make()
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else SHA256()
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    csr = builder.sign(key, algorithm).public_bytes(Encoding.PEM).decode()
    with pytest.raises(SignerError) as refused:
        await signer.issue_node(csr, site="edge", node="n1", generation=1)
    assert refused.value.code == code
    assert "P-256" in refused.value.detail


async def test_a_request_that_another_key_signed_is_refused(signer):
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    der = bytearray(builder.sign(new_key(), SHA256()).public_bytes(Encoding.DER))
    der[-1] ^= 1
    csr = x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM).decode()
    with pytest.raises(SignerError) as refused:
        await signer.issue_node(csr, site="edge", node="n1", generation=1)
    assert refused.value.code == "signature"


@pytest.mark.parametrize(
    ("csr", "code"), [("", "csr"), ("hello", "csr"), ("x" * 4_097, "request"), ("é", "oversize")]
)
async def test_what_is_no_request_is_refused(own_pki, signer, csr, code):
    with pytest.raises(SignerError) as refused:
        await signer.issue_node(csr, site="edge", node="n1", generation=1)
    assert refused.value.code == code
    assert record(own_pki) == []


async def test_a_request_signed_with_another_hash_is_refused(signer):
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    csr = builder.sign(new_key(), SHA512()).public_bytes(Encoding.PEM).decode()
    with pytest.raises(SignerError) as refused:
        await signer.issue_node(csr, site="edge", node="n1", generation=1)
    assert refused.value.code == "signature"


async def test_the_policy_refuses_over_the_socket_too(own_pki, signer):
    with pytest.raises(SignerError) as refused:
        await signer.issue_node(request_of(new_key()), site="+", node="n1", generation=1)
    assert refused.value.code == "name"
    assert record(own_pki) == []


async def test_an_order_is_signed_by_the_newest_key(own_pki, signer):
    payload = order_now()
    signature, key_id = await signer.sign_order(payload)
    facts = await signer.info()
    (key,) = facts.order_keys
    assert key.key_id == key_id
    public = ed25519.Ed25519PublicKey.from_public_bytes(b64decode(key.public_key))
    public.verify(signature, ORDER_DOMAIN + payload)
    row = record(own_pki)[-1]
    assert (row.key_id, row.name, row.act, row.by) == (key_id, "lab.n1", "resync", "ada")
    assert row.order == sha256(payload).hexdigest()


async def test_a_key_that_was_followed_signs_on_for_a_while_and_no_longer(own_pki):
    [before] = own_pki.ring().orders
    now = datetime.now(UTC)
    own_pki.rotate("order", now=now - timedelta(days=1))
    async with own_pki.serving() as signer:
        older, newer = (await signer.info()).order_keys
        assert older.key_id == before.key_id
        ed25519.Ed25519PublicKey.from_public_bytes(b64decode(older.public_key)).verify(
            b64decode(newer.vouch), ORDER_KEY_DOMAIN + b64decode(newer.public_key)
        )
        assert older.vouch == ""
        assert (older.until_s - newer.since_s, newer.until_s) == (30 * 86_400, 0)
        assert (await signer.sign_order(order_now()))[1] == newer.key_id
        assert (await signer.sign_order(order_now(), key_id=older.key_id))[1] == older.key_id
        with pytest.raises(SignerError, match="key"):
            await signer.sign_order(order_now(), key_id="0" * 16)
    ring = own_pki.ring()
    with pytest.raises(ProtocolError, match="key"):
        ring.order_key(older.key_id, older.until_s)


async def test_what_is_no_order_is_not_signed(own_pki, signer):
    for payload in (b"order", order_now(verb="wipe"), order_now(seq=1) + b"x"):
        with pytest.raises(SignerError):
            await signer.sign_order(payload)
    assert record(own_pki) == []


async def test_lists_only_grow_and_outlive_a_restart(own_pki):
    now_s = int(datetime.now(UTC).timestamp())
    async with own_pki.serving() as signer:
        first = await signer.crl("node", {"ff": now_s})
        assert first.revoked == 1
    async with own_pki.serving() as signer:
        lists = await signer.crl("node", {"aa": now_s, "ff": now_s - 99})
    crls = x509.load_pem_x509_crl(lists.crl_pem.encode())
    assert {each.serial_number for each in crls} == {0xFF, 0xAA}
    assert crls.next_update_utc.year == 9999
    assert lists.crl_pem.count("BEGIN") == 2  # the node CA's and the server CA's
    last = record(own_pki)[-1]
    assert (last.ca, last.revoked) == ("node", {"aa": now_s})


async def test_a_revocation_told_with_a_strange_time_still_counts(own_pki, signer):
    lists = await signer.crl("lan", {"1": 0, "2": (1 << 53) - 1})
    crl = x509.load_pem_x509_crl(lists.crl_pem.encode())
    assert {each.serial_number for each in crl} == {1, 2}


async def test_more_revocations_than_a_request_holds_are_told_in_turn(own_pki, signer):
    lists = await signer.crl("lan", {f"{n:x}": 1 for n in range(1, 1_203)})
    assert lists.revoked == 1_202
    assert len(record(own_pki)) == 3


async def test_after_a_rotation_the_new_issuer_signs_and_both_are_listed(own_pki):
    csr = request_of(new_key())
    async with own_pki.serving() as signer:
        old = await signer.issue_node(csr, site="edge", node="n1", generation=1, days=400)
    own_pki.rotate("node", now=datetime.now(UTC) + timedelta(days=365))
    async with own_pki.serving(Later(366)) as signer:
        new = await signer.issue_node(csr, site="edge", node="n1", generation=2)
        facts = await signer.info()
        lists = await signer.crl("node", {"ff": 0})
    assert new.chain_pem == facts.node_ca_pem[-1] != old.chain_pem
    assert facts.node_ca_pem[0] == old.chain_pem
    assert lists.crl_pem.count("BEGIN") == 3
    later = datetime.now(UTC) + timedelta(days=366)
    for issued in (old, new):
        der = leaf_of(issued).public_bytes(Encoding.DER)
        assert own_pki.verifier(later).peer(der, Kind.NODE, later).holder.name == "edge.n1"


async def test_nothing_is_signed_that_would_outlive_its_issuer(own_pki):
    async with own_pki.serving(Later(796 - 89)) as signer:
        with pytest.raises(SignerError, match="roost ca rotate") as refused:
            await signer.issue_node(request_of(new_key()), site="edge", node="n1", generation=1)
    assert refused.value.code == "rotate"


async def test_it_says_what_it_is(own_pki, signer):
    await signer.sign_order(order_now())
    facts = await signer.info()
    assert facts.root_pem == own_pki.root_file.read_text()
    assert (facts.domain, facts.signatures, facts.revoked) == (
        "edge.example",
        1,
        {"node": 0, "lan": 0},
    )
    assert facts.log_head == (own_pki.signer_dir / "signatures.log").read_text()[:64]
    assert len(facts.pin) == 22


async def test_it_tells_its_record_line_by_line(own_pki, signer):
    key = new_key()
    for _ in range(3):
        await signer.issue_node(request_of(key), site="edge", node="n1", generation=1)
    whole = (own_pki.signer_dir / names.LOG).read_text().splitlines()
    assert (await signer.rows(0)).lines == whole
    assert (await signer.rows(1, 1)).lines == whole[1:2]
    told = await signer.rows(3)
    assert (told.lines, told.count) == ([], 3)
    row, _ = read_line(whole[0].encode(), 1, BEGIN)
    assert row.key == sha256(spki_of(key.public_key())).hexdigest()


async def test_nothing_is_signed_that_cannot_be_put_on_record(own_pki):
    with desk_of(own_pki.signer_dir, SystemClock(), ENTROPY) as (desk, allowed):
        os.close(desk._log._fd)
        desk._log._fd = os.open(own_pki.signer_dir / "signatures.log", os.O_RDONLY)
        async with serving(own_pki.socket, desk, allowed):
            signer = Signer(own_pki.socket)
            for ask in (
                signer.issue_server(request_of(new_key()), name="enrol"),
                signer.sign_order(order_now()),
                signer.crl("node", {"ff": 1}),
            ):
                with pytest.raises(SignerError, match="on record") as refused:
                    await ask
                assert refused.value.code == "log"
            assert (await signer.info()).revoked["node"] == 0
            await signer.close()
    assert record(own_pki) == []


def wanted(count):
    """Return requests for certificates of as many boxes, two of each."""
    csr = request_of(new_key())
    each = [
        (IssueNode(csr, "edge", f"n{n}", 1), IssueLan("edge", f"n{n}", 1, "client", csr))
        for n in range(count)
    ]
    return [one for both in each for one in both]


async def test_several_at_once_are_put_on_record_by_one_write_and_answered_in_order(
    own_pki, signer, monkeypatch
):
    await signer.info()
    synced, really = [], os.fdatasync

    def fdatasync(fd):
        synced.append(fd)
        really(fd)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    answers = await signer.issue_all(wanted(8))
    assert len(synced) == 1
    assert [each.serial for each in answers] == [row.serial for row in record(own_pki)]
    assert [row.n for row in record(own_pki)] == [*range(1, 17)]


async def test_of_several_at_once_each_is_agreed_to_alone(own_pki, signer):
    good, bad = wanted(1), IssueNode("hello", "edge", "n1", 1)
    answers = await signer.issue_all([good[0], bad, good[1]])
    assert [getattr(each, "code", "") for each in answers] == ["", "csr", ""]
    assert [row.n for row in record(own_pki)] == [1, 2]


async def test_more_than_go_at_once_go_in_turn(own_pki, signer):
    assert len(await signer.issue_all(wanted(40))) == len(record(own_pki)) == 80


async def test_of_several_at_once_none_is_signed_that_cannot_be_put_on_record(own_pki):
    with desk_of(own_pki.signer_dir, SystemClock(), ENTROPY) as (desk, allowed):
        os.close(desk._log._fd)
        desk._log._fd = os.open(own_pki.signer_dir / "signatures.log", os.O_RDONLY)
        async with serving(own_pki.socket, desk, allowed):
            signer = Signer(own_pki.socket)
            answers = await signer.issue_all(wanted(4))
            await signer.close()
    assert [each.code for each in answers] == ["log"] * 8
    assert record(own_pki) == []


async def test_what_is_told_of_the_record_holds_what_was_asked_before(own_pki, signer):
    csr = request_of(new_key())
    together = [
        framed(each)
        for each in (IssueNode(csr, "edge", "n1", 1), Info(), Rows(), IssueServer(csr, "enrol"))
    ]
    _, facts, rows, _ = await signer._exchanged(together)
    assert (json.loads(facts)["signatures"], json.loads(rows)["count"]) == (1, 1)
    assert [row.name for row in record(own_pki)] == ["edge.n1", "enrol"]


async def test_several_of_a_signer_that_is_gone_are_each_told_so(own_pki):
    answers = await Signer(own_pki.socket).issue_all(wanted(40))
    assert [each.code for each in answers] == ["unreachable"] * 80


async def test_another_user_is_hung_up_on(own_pki):
    with desk_of(own_pki.signer_dir, SystemClock(), ENTROPY) as (desk, _):
        async with serving(own_pki.socket, desk, frozenset({os.geteuid() + 1})):
            with pytest.raises(SignerUnavailableError):
                await Signer(own_pki.socket).info()


async def test_who_may_ask_must_exist():
    assert user_ids(["root"]) == {0, os.geteuid()}
    with pytest.raises(ConfigError, match="nobody-of-this-name"):
        user_ids(["nobody-of-this-name"])


async def test_a_request_without_a_known_verb_is_refused_and_the_next_is_read(own_pki, signer):
    strange = b'{"verb":"export_key"}'
    good = b'{"verb":"info"}'
    frames = [len(each).to_bytes(4, "big") + each for each in (strange, b"\xff{", good)]
    answers = await raw(own_pki, *frames)
    said = []
    while answers:
        size = int.from_bytes(answers[:4], "big")
        said.append(json.loads(answers[4 : 4 + size]))
        answers = answers[4 + size :]
    assert [each["ok"] for each in said] == [False, False, True]
    assert said[0]["code"] == "request"


async def test_a_request_too_large_is_hung_up_on(own_pki, signer):
    assert await raw(own_pki, (REQUEST_BYTES_MAX + 1).to_bytes(4, "big"), b"x" * 100) == b""
    assert (await signer.info()).ok


async def test_more_connections_than_it_serves_are_hung_up_on(own_pki, signer, monkeypatch):
    monkeypatch.setattr("roost_central.signer.server.CONNECTIONS_MAX", 2)
    await signer.info()
    other = Signer(own_pki.socket)
    await other.info()
    with pytest.raises(SignerUnavailableError):
        await Signer(own_pki.socket).info()
    await other.close()
    await asyncio.sleep(0)
    assert (await signer.info()).ok


async def test_half_a_request_holds_nobody_up(own_pki, signer, monkeypatch):
    monkeypatch.setattr("roost_central.signer.connection.REQUEST_S_MAX", 0.1)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, str(own_pki.socket))
        await loop.sock_sendall(sock, b"\0\0")
        assert (await signer.info()).ok
        async with asyncio.timeout(5):
            assert await loop.sock_recv(sock, 1) == b""


async def test_a_client_comes_back_after_a_restart(own_pki):
    signer = Signer(own_pki.socket)
    async with own_pki.serving():
        await signer.info()
    with pytest.raises(SignerUnavailableError, match="roost-signer"):
        await signer.info()
    async with own_pki.serving():
        assert (await signer.info()).ok
    await signer.close()


async def test_a_client_that_was_cancelled_takes_no_answer_for_another(own_pki, signer):
    await signer.info()
    task = asyncio.ensure_future(signer.sign_order(order_now()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await signer.info()).domain == "edge.example"


async def test_two_signers_never_share_a_folder(own_pki, signer):
    with (
        pytest.raises(ConfigError, match="one at a time"),
        desk_of(own_pki.signer_dir, SystemClock(), ENTROPY),
    ):
        pass


async def test_the_record_can_be_printed_and_verified(own_pki, signer):
    await signer.sign_order(order_now())
    (line,) = log_lines(own_pki.signer_dir, is_verifying=False)
    assert json.loads(line)["verb"] == "order"
    (line,) = log_lines(own_pki.signer_dir, is_verifying=True)
    assert (await signer.info()).log_head in line


async def test_a_record_can_be_put_aside_and_what_was_revoked_stays_so(own_pki):
    log = own_pki.signer_dir / "signatures.log"
    async with own_pki.serving() as signer:
        await signer.crl("lan", {"ff": 1})
        await signer.sign_order(order_now())
        head = (await signer.info()).log_head
        with pytest.raises(ConfigError, match="one at a time"):
            archived(own_pki.signer_dir)
    whole = log.read_bytes()
    aside = archived(own_pki.signer_dir)
    assert aside.read_bytes() == whole
    begin, told = record(own_pki)
    assert (begin.verb, begin.after) == ("begin", head)
    assert set(told.revoked) == {"ff"}
    async with own_pki.serving() as signer:
        assert (await signer.crl("lan")).revoked == 1
        assert (await signer.info()).signatures == 3


async def test_a_folder_can_be_looked_at_beside_a_running_signer(own_pki):
    assert "edge.example" in checked(own_pki.signer_dir)
    assert not (own_pki.signer_dir / "signatures.log").exists()  # it would be of another user
    async with own_pki.serving() as signer:
        await signer.sign_order(order_now())
        assert "1 signatures" in checked(own_pki.signer_dir)
