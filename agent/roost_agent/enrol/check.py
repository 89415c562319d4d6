"""Checks what the centre handed out before any of it is kept.

Invariants: the certificates are for our keys and for the node that the answer names, and their
issuers go back to the root that was trusted before the question was asked; never to another.
"""

from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from roost_agent.enrol.centre import UntrustedError
from roost_agent.enrol.keys import Keys
from roost_protocol.certificate import Kind, Names, read
from roost_protocol.enrol import Issued
from roost_protocol.errors import ProtocolError
from roost_protocol.topics import node_id

CHAIN_MAX: Final = 4  # certificates between a node's and the root


def spki_of(root: str) -> bytes:
    """Return the public key (SPKI, DER) of a root certificate, which a pin and the words are of.

    Raises:
        UntrustedError: it is no certificate that could be a root.
    """
    try:
        certificate = x509.load_pem_x509_certificate(root.encode())
        certificate.verify_directly_issued_by(certificate)
    except (ValueError, TypeError, InvalidSignature) as err:
        raise UntrustedError(f"what the centre calls its root is none: {err}") from err
    return _spki(certificate.public_key())


def check_issued(issued: Issued, keys: Keys, *, root: str, domain: str) -> int:
    """Return when the node's certificate ends (UTC ms).

    Raises:
        UntrustedError: something of the answer does not belong together.
    """
    try:
        return _checked(issued, keys, root, domain)
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound) as err:
        why = str(err) or type(err).__name__
        raise UntrustedError(f"the identity from the centre is wrong: {why}") from err


def _checked(issued: Issued, keys: Keys, root: str, domain: str) -> int:
    if (issued.root, issued.fleet_domain) != (root, domain):
        raise ProtocolError("root", detail="another one than the centre began with")
    node = node_id(issued.site, issued.node)
    leaf = x509.load_pem_x509_certificate(issued.certificate.encode())
    _check_names(leaf, Kind.NODE, node, domain)
    _check_key(leaf, keys.node)
    chain = x509.load_pem_x509_certificates(issued.chain.encode())[:CHAIN_MAX]
    anchor = x509.load_pem_x509_certificate(root.encode())
    for below, above in zip([leaf, *chain], [*chain, anchor], strict=True):
        below.verify_directly_issued_by(above)
    authorities = x509.load_pem_x509_certificates(issued.lan_ca.encode()) if issued.lan_ca else []
    for pem, kind, key in (
        (issued.lan_certificate, Kind.LAN, keys.lan),
        (issued.broker_certificate, Kind.BROKER, keys.broker),
    ):
        if pem:
            of_lan = x509.load_pem_x509_certificate(pem.encode())
            _check_names(of_lan, kind, node, domain, box=issued.box)
            _check_key(of_lan, key)
            _check_authority(of_lan, authorities)
    return int(leaf.not_valid_after_utc.timestamp() * 1000)


def _check_names(
    certificate: x509.Certificate, kind: Kind, node: str, domain: str, *, box: int = 0
) -> None:
    [common_name] = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    [dns_name] = names.get_values_for_type(x509.DNSName)
    holder = read(Names(str(common_name.value), dns_name), kind, domain)
    if (holder.name, holder.box) != (node, box):
        raise ProtocolError("name", got=holder.name, bound=node, detail="it is for another node")


def _check_key(certificate: x509.Certificate, key: EllipticCurvePrivateKey) -> None:
    if _spki(certificate.public_key()) != _spki(key.public_key()):
        raise ProtocolError("key", detail="a certificate is for another key")


def _check_authority(certificate: x509.Certificate, authorities: list[x509.Certificate]) -> None:
    for authority in authorities:
        try:
            certificate.verify_directly_issued_by(authority)
        except (ValueError, InvalidSignature):
            continue
        return
    raise ProtocolError("lan", detail="no LAN authority of the answer issued a LAN certificate")


def _spki(key: object) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined,no-any-return]  # any public key has it
