"""Endorsement certificates: whose word counts, and for which keys."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from maker import Maker, ec_key, rsa_key
from swtpm import AGREES, ENDORSES, endorsement, pem

from roost_central.enrol.tpm.endorsement import TpmMakers
from roost_protocol.errors import ProtocolError

NOW = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp() * 1000)
SIGNS = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
CLIENT = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
AUTHORITY = x509.BasicConstraints(ca=True, path_length=None)
ODD = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.5"), b"\x05\x00")


@pytest.fixture(scope="module")
def root():
    return Maker("Chips Root")


@pytest.fixture(scope="module")
def makers(root):
    return TpmMakers([("zeta", [Maker("Zeta").certificate]), ("chips", [root.certificate])])


@pytest.mark.parametrize("key", [ec_key(), rsa_key()], ids=["p256", "rsa"])
def test_a_makers_certificate_says_which_tpm_it_is(root, makers, key):
    found = makers.check(pem(endorsement(root, key.public_key())), NOW)
    assert found.maker == "chips"
    assert found.key == key.public_key()
    assert str(found) == f"chips vouches for the TPM {found.fingerprint}"


def test_a_line_below_the_makers_root_counts_with_its_issuer(root, makers):
    line = root.below("Chips Line 7")
    leaf = pem(endorsement(line, ec_key().public_key()))
    assert makers.check(leaf + pem(line.certificate), NOW).maker == "chips"
    with pytest.raises(ProtocolError, match="no maker vouches"):
        makers.check(leaf, NOW)
    issuing = TpmMakers([("line", [line.certificate])])  # named itself, it needs no issuer
    assert issuing.check(leaf, NOW).maker == "line"


def test_a_line_that_is_for_endorsement_only_counts(root, makers):
    line = root.below("Chips Virtual", uses=ENDORSES)
    leaf = pem(endorsement(line, ec_key().public_key()))
    assert makers.check(leaf + pem(line.certificate), NOW).maker == "chips"
    assert TpmMakers([("line", [line.certificate])]).check(leaf, NOW).maker == "line"


def test_a_line_that_may_issue_no_lines_issues_none(root, makers):
    last = root.below("Chips last", depth=0)
    line = last.below("Chips too far")
    leaf = pem(endorsement(line, ec_key().public_key()))
    with pytest.raises(ProtocolError, match="no maker vouches"):
        makers.check(leaf + pem(line.certificate) + pem(last.certificate), NOW)


@pytest.mark.parametrize(
    ("extensions", "told"),
    [
        ([(SIGNS, True)], "deciphers nothing"),
        ([(AGREES, True), (CLIENT, False)], "something else than to endorse"),
        ([(AGREES, True), (ENDORSES, False), (AUTHORITY, True)], "an authority's"),
        ([(AGREES, True), (ODD, True)], "critical extension"),
    ],
    ids=["idevid", "client", "authority", "critical"],
)
def test_a_certificate_for_something_else_endorses_nothing(root, makers, extensions, told):
    leaf = endorsement(root, ec_key().public_key(), extensions=extensions)
    with pytest.raises(ProtocolError, match=told):
        makers.check(pem(leaf), NOW)


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 3072),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["p384", "rsa3072", "ed25519"],
)
def test_a_key_of_another_template_is_refused(root, makers, key):
    leaf = endorsement(root, key.public_key(), extensions=[(AGREES, True)])
    with pytest.raises(ProtocolError, match=r"neither of RSA|no maker vouches"):
        makers.check(pem(leaf), NOW)


def test_what_ended_endorses_nothing(root, makers):
    ends = datetime(2021, 1, 1, tzinfo=UTC)
    with pytest.raises(ProtocolError, match="no maker vouches"):
        makers.check(pem(endorsement(root, ec_key().public_key(), ends=ends)), NOW)
