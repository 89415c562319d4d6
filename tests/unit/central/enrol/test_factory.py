"""Factory certificates: who vouches for a box, and whose word does not count."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID
from maker import Maker, name, rsa_key

from roost_central.enrol.factory import Makers
from roost_protocol.errors import ProtocolError

NOW = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp() * 1000)
CLIENT = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
SERVER = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
SIGNS = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
SEALS = x509.KeyUsage(False, False, True, False, False, False, False, False, False)
NO_AUTHORITY = x509.BasicConstraints(ca=False, path_length=None)
AUTHORITY = x509.BasicConstraints(ca=True, path_length=None)
POLICY = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3.4"), None)])
ODD = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.5"), b"\x05\x00")
MODULE = x509.SubjectAlternativeName(
    [x509.OtherName(x509.ObjectIdentifier("1.3.6.1.5.5.7.8.4"), b"\x30\x00")]
)  # hardwareModuleName, RFC 4108


@pytest.fixture(scope="module")
def root():
    return Maker()


@pytest.fixture(scope="module")
def makers(root):
    return Makers([("zeta", [Maker("Zeta").certificate]), ("acme", [root.certificate])])


@pytest.mark.parametrize("levels", [0, 1, 2])
def test_a_certificate_of_a_makers_line_says_which_box_it_is(root, makers, levels):
    line = root
    for level in range(levels):
        line = line.below(f"Acme {level}")
    key, chain = line.box("AC-7001")
    vouched = makers.check(chain, NOW)
    assert (vouched.maker, vouched.serial) == ("acme", "AC-7001")
    vouched.check(key.sign(b"message", ECDSA(SHA256())), b"message")


def test_a_certificate_that_never_ends_has_not_ended(root, makers):
    _, chain = root.box()
    assert makers.check(chain, int(datetime(9998, 1, 1, tzinfo=UTC).timestamp() * 1000)).serial


@pytest.mark.parametrize(
    "extensions",
    [
        [(SIGNS, True)],
        [(CLIENT, False)],
        [(MODULE, True)],
        [(NO_AUTHORITY, True)],
        [(POLICY, False), (ODD, False)],
    ],
    ids=["signs", "client", "module-name", "no-authority", "uncritical"],
)
def test_what_makers_write_into_theirs_is_taken(root, makers, extensions):
    assert makers.check(root.box(extensions=extensions)[1], NOW).maker == "acme"


def test_a_key_of_rsa_is_taken_too(root, makers):
    key, chain = root.box(key=rsa_key())
    makers.check(chain, NOW).check(key.sign(b"message", PKCS1v15(), SHA256()), b"message")


@pytest.mark.parametrize(
    ("extensions", "told"),
    [
        ([(SERVER, False)], "for something else"),
        ([(SEALS, True)], "not for signatures"),
        ([(AUTHORITY, True)], "no box"),
        ([(ODD, True)], "critical extension"),
    ],
    ids=["server", "seals", "authority", "critical"],
)
def test_a_certificate_for_something_else_says_nothing(root, makers, extensions, told):
    with pytest.raises(ProtocolError, match=told):
        makers.check(root.box(extensions=extensions)[1], NOW)


def test_a_stranger_with_the_makers_name_is_a_stranger(makers):
    with pytest.raises(ProtocolError, match="no maker vouches"):
        makers.check(Maker().box()[1], NOW)


def test_an_issuer_that_is_no_authority_issues_nothing(root, makers):
    key, chain = root.box("AC-1")
    fake = Maker("box")
    fake.key = key
    _, below = fake.box("AC-2")
    with pytest.raises(ProtocolError, match="no maker vouches"):
        makers.check(below + chain, NOW)


def test_a_line_that_may_issue_no_lines_issues_none(root, makers):
    line = root.below("Acme last", depth=0).below("Acme too far")
    with pytest.raises(ProtocolError, match="no maker vouches"):
        makers.check(line.box()[1], NOW)


@pytest.mark.parametrize("part", ["box", "line"])
def test_what_ended_says_nothing(root, makers, part):
    ends = datetime(2021, 1, 1, tzinfo=UTC)
    line = root.below("Acme old", ends=ends) if part == "line" else root
    _, chain = line.box(ends=ends) if part == "box" else line.box()
    with pytest.raises(ProtocolError, match="no maker vouches"):
        makers.check(chain, NOW)


@pytest.mark.parametrize(
    ("subject", "told"), [(name("box"), "serialNumber"), (name("box", "x" * 129), "serialNumber")]
)
def test_a_box_without_a_number_is_none(root, makers, subject, told):
    with pytest.raises(ProtocolError, match=told):
        makers.check(root.box(subject=subject)[1], NOW)


@pytest.mark.parametrize(
    "chain", ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_chain_is_refused(makers, chain):
    with pytest.raises(ProtocolError, match="PEM"):
        makers.check(chain, NOW)


def test_a_chain_that_is_too_long_is_not_looked_at(root, makers):
    with pytest.raises(ProtocolError, match="bound 4"):
        makers.check(root.box()[1] * 5, NOW)


def test_who_has_the_certificate_only_has_nothing(root, makers):
    _, chain = root.box()
    other, _ = root.box()
    with pytest.raises(ProtocolError, match="did not sign"):
        makers.check(chain, NOW).check(other.sign(b"message", ECDSA(SHA256())), b"message")


def test_a_centre_without_makers_says_what_to_write(root):
    with pytest.raises(ProtocolError, match=r"\[\[enrol.maker\]\]"):
        Makers().check(root.box()[1], NOW)


def test_a_key_of_another_kind_is_refused(root, makers):
    _, chain = root.box(key=Ed25519PrivateKey.generate())
    with pytest.raises(ProtocolError):
        makers.check(chain, NOW)
