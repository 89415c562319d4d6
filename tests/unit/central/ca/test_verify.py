"""What our verifier believes, beside what OpenSSL does with the same certificate."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from ca import DOMAIN
from certificate_cases import CASES, NODE, Form, forged, pem_of

from roost_central.ca.crl import crl, pem
from roost_central.ca.verify import CERTIFICATE_BYTES_MAX, Verifier
from roost_protocol.certificate import Holder, Kind
from roost_protocol.errors import ProtocolError

OPENSSL = shutil.which("openssl")


def refusal(pki, credentials, kind=Kind.NODE, *, now=None, **more):
    try:
        pki.verifier().peer(credentials.der, kind, now or datetime.now(UTC), **more)
    except ProtocolError as err:
        return err.code
    return ""


def openssl_takes(pki, credentials, folder, **more):
    anchor, purpose = more.get("anchor"), more.get("purpose", "sslclient")
    revoked = more.get("revoked", ())
    issuing = pki.ring().issuing
    lists = [
        crl(key.issuer, dict.fromkeys(revoked, 0), datetime.now(UTC))
        for keys in issuing.values()
        for key in keys
    ]
    (folder / "crl.pem").write_text(pem(*lists))
    (folder / "leaf.pem").write_text(pem_of(credentials))
    chain = ["-untrusted", credentials.chain_file] if anchor is None else []
    done = subprocess.run(
        [OPENSSL, "verify", "-crl_check", "-purpose", purpose, "-CRLfile", folder / "crl.pem",
         "-no-CApath", "-CAfile", anchor or pki.root_file, *chain, folder / "leaf.pem"],
        capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    return done.returncode == 0


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_fault_is_refused_by_its_name(pki, case):
    assert refusal(pki, case.make(pki)) == case.ours


@pytest.mark.skipif(OPENSSL is None, reason="openssl absent")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_openssl_notices_what_the_table_says_and_no_more(pki, case, tmp_path):
    assert openssl_takes(pki, case.make(pki), tmp_path) is case.tls


@pytest.mark.skipif(OPENSSL is None, reason="openssl absent")
def test_a_revoked_one_is_refused_by_both(pki, tmp_path):
    node = pki.issue(Holder(Kind.NODE, NODE))
    serial = node.certificate.serial_number
    assert refusal(pki, node, revoked={f"{serial:x}"}) == "revoked"
    assert not openssl_takes(pki, node, tmp_path, revoked=[serial])
    assert openssl_takes(pki, node, tmp_path, revoked=[serial + 1])


@pytest.mark.skipif(OPENSSL is None, reason="openssl absent")
def test_after_a_rotation_both_issuers_are_believed_until_the_old_one_is_withdrawn(
    own_pki, tmp_path
):
    old = own_pki.issue(Holder(Kind.NODE, NODE))
    own_pki.rotate("node", now=datetime.now(UTC) + timedelta(seconds=1))
    new = own_pki.issue(Holder(Kind.NODE, NODE))
    assert old.certificate.issuer != new.certificate.issuer
    for each in (old, new):
        assert refusal(own_pki, each) == ""
        assert openssl_takes(own_pki, each, tmp_path)
    for suffix in (".key", ".pem"):
        (own_pki.signer_dir / f"node-ca{suffix}").unlink()
    assert refusal(own_pki, old) == "issuer"
    assert not openssl_takes(own_pki, old, tmp_path)  # its issuer has no list of revoked ones
    assert refusal(own_pki, new) == ""


@pytest.mark.parametrize("holder", [Holder(Kind.LAN, NODE, 1), Holder(Kind.BROKER, NODE, 1)])
@pytest.mark.parametrize("year", [1970, 2026, 2100, 9999])
def test_a_lan_certificate_counts_at_any_time(pki, holder, year):
    credentials = pki.issue(holder)
    when = datetime(year, 6, 1, tzinfo=UTC)
    assert refusal(pki, credentials, holder.kind, now=when) == ""


@pytest.mark.skipif(OPENSSL is None, reason="openssl absent")
def test_a_lan_certificate_is_good_for_its_own_side_alone(pki, tmp_path):
    anchor = pki.signer_dir / "lan-ca.pem"
    client, broker = pki.issue(Holder(Kind.LAN, NODE, 1)), pki.issue(Holder(Kind.BROKER, NODE, 1))
    taken = {
        (kind, purpose): openssl_takes(pki, each, tmp_path, purpose=purpose, anchor=anchor)
        for kind, each in ((Kind.LAN, client), (Kind.BROKER, broker))
        for purpose in ("sslclient", "sslserver")
    }
    assert taken == {
        (Kind.LAN, "sslclient"): True,
        (Kind.LAN, "sslserver"): False,
        (Kind.BROKER, "sslclient"): False,
        (Kind.BROKER, "sslserver"): True,
    }
    assert not openssl_takes(pki, broker, tmp_path, purpose="sslserver")  # under the fleet's root


def test_an_expired_one_is_believed_where_other_rules_ask_for_it(pki):
    expired = forged(pki, Form(begins=timedelta(-9), ends=timedelta(-1)))
    assert refusal(pki, expired) == "expired"
    assert refusal(pki, expired, is_dated=False) == ""


def test_an_issuer_that_has_ended_is_believed_no_more(pki):
    node = pki.issue(Holder(Kind.NODE, NODE))
    assert refusal(pki, node, now=datetime.now(UTC) + timedelta(days=800)) == "expired"


@pytest.mark.parametrize("der", [b"", b"hello", b"\x30\x82", b"x" * (CERTIFICATE_BYTES_MAX + 1)])
def test_what_is_no_certificate_is_refused(pki, der):
    with pytest.raises(ProtocolError) as refused:
        pki.verifier().peer(der, Kind.NODE, datetime.now(UTC))
    assert refused.value.code == "certificate"


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_a_flipped_bit_changes_nothing_that_is_believed(pki):
    """What is not signed may vary: the count of unused bits, which stands before the signature."""
    node = pki.issue(Holder(Kind.NODE, NODE))
    verifier, believed, now = pki.verifier(), set(), datetime.now(UTC)
    for at in range(len(node.der) * 8):
        bad = bytearray(node.der)
        bad[at // 8] ^= 1 << at % 8
        try:
            peer = verifier.peer(bytes(bad), Kind.NODE, now)
        except ProtocolError:
            continue
        believed.add(at // 8)
        assert (peer.holder.name, peer.serial) == (NODE, f"{node.certificate.serial_number:x}")
    assert believed <= {len(node.der) - len(node.certificate.signature) - 1}


def test_without_issuers_nobody_is_believed(pki):
    with pytest.raises(ProtocolError) as refused:
        Verifier(DOMAIN, {}).peer(
            pki.issue(Holder(Kind.NODE, NODE)).der, Kind.NODE, datetime.now(UTC)
        )
    assert refused.value.code == "issuer"


def test_a_peer_carries_what_the_database_knows_it_by(pki):
    node = pki.issue(Holder(Kind.NODE, NODE))
    peer = pki.verifier().peer(node.der, Kind.NODE, datetime.now(UTC))
    assert peer.serial == f"{node.certificate.serial_number:x}"
    assert peer.not_after == node.certificate.not_valid_after_utc
