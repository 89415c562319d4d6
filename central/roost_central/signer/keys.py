"""The keys of a signer, read from its folder; they are never written, sent or logged.

Invariants: a folder or key that another user may read is refused; a key belongs to the
certificate beside it; an issuing CA is signed by the root that lies there, and is in its scope.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from roost_central.ca import names
from roost_central.ca.listing import FILE_BYTES_MAX, files, rotate_by
from roost_central.ca.profiles import (
    SCOPES,
    Authority,
    Issuer,
    issuer_of,
    permitted_zones,
)
from roost_central.errors import ConfigError
from roost_central.private_file import FILE_MODE
from roost_protocol.errors import ProtocolError
from roost_protocol.order import ORDER_KEY_DOMAIN, order_key_id

LIVE_MAX: Final = 4  # of each; two while rotating
ORDER_OVERLAP_S: Final = 30 * 86_400  # an order key goes on so long beside its successor


@dataclass(frozen=True, slots=True)
class IssuingKey:
    """A certificate that issues, as text as well, and its key."""

    certificate: x509.Certificate
    pem: str
    issuer: Issuer

    @property
    def rotate_by(self) -> datetime | None:
        """When its successor should sign; None: never by time."""
        return rotate_by(self.certificate)


@dataclass(frozen=True, slots=True)
class OrderSigner:
    """A key that signs orders, and its public half as 32 bytes.

    Attributes:
        since_s: when it was made, by its file's name; 0: with the fleet.
        until_s: when it signs no more; 0: it has no successor.
    """

    key_id: str
    key: Ed25519PrivateKey
    public: bytes
    since_s: int = 0
    until_s: int = 0


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All of it; every list has the oldest first, and its last signs."""

    root: x509.Certificate
    root_pem: str
    issuing: dict[Authority, list[IssuingKey]]
    orders: list[OrderSigner]

    @property
    def rotate_by(self) -> datetime:
        """When the first of those that issue now should have a successor."""
        due = (keys[-1].rotate_by for keys in self.issuing.values())
        return min(each for each in due if each is not None)

    def order_key(self, key_id: str, now_s: int) -> OrderSigner:
        """Return the order key of a name, the newest where none is named.

        Raises:
            ProtocolError: ``key``: there is none of that name, or it has ended.
        """
        for each in self.orders if key_id else self.orders[-1:]:
            if key_id in {"", each.key_id} and (not each.until_s or now_s < each.until_s):
                return each
        raise ProtocolError("key", field="key_id", got=key_id, bound="an order key that counts")


def vouched(orders: list[OrderSigner]) -> Iterator[tuple[OrderSigner, bytes]]:
    """Give each order key with the word of the one before it for it; the oldest has none."""
    before: OrderSigner | None = None
    for each in orders:
        yield each, b"" if before is None else before.key.sign(ORDER_KEY_DOMAIN + each.public)
        before = each


def load(folder: Path, domain: str, now: datetime) -> KeyRing:
    """Return the keys in a folder; what has ended, or has not begun, is left out.

    Raises:
        ConfigError: ``signer`` with the file, what is wrong with it and what it should be.
        OSError: it cannot be read.
    """
    _private(folder, names.FOLDER_MODE)
    root_pem = _text(folder / f"{names.ROOT}{names.CERTIFICATE}")
    root = _certificate(folder / f"{names.ROOT}{names.CERTIFICATE}", root_pem)
    issuing = {authority: _issuing(folder, authority, root, domain, now) for authority in Authority}
    return KeyRing(root, root_pem, issuing, _orders(folder))


def _issuing(
    folder: Path, authority: Authority, root: x509.Certificate, domain: str, now: datetime
) -> list[IssuingKey]:
    found = []
    for path in files(folder, names.stem(authority), names.CERTIFICATE):
        pem = _text(path)
        certificate = _certificate(path, pem)
        key = _private_key(path.with_suffix(names.KEY))
        if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
            raise _fault(path.with_suffix(names.KEY), "another kind of key", "an EC key on P-256")
        if key.public_key() != certificate.public_key():
            raise _fault(path, "another key's certificate", f"that of {path.stem}{names.KEY}")
        _check_issuer(path, certificate, certificate if authority is Authority.LAN else root)
        zones = {f"{zone}.{domain}" for zone in SCOPES[authority].zones}
        if permitted_zones(certificate) != zones:
            raise _fault(path, "constrained to other names", f"{', '.join(sorted(zones))}")
        if certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
            found.append(IssuingKey(certificate, pem, issuer_of(certificate, key, domain)))
    if not 1 <= len(found) <= LIVE_MAX:
        where = folder / f"{names.stem(authority)}{names.CERTIFICATE}"
        got = f"{len(found)} that count on {now:%Y-%m-%d}"
        raise _fault(where, got, f"1 to {LIVE_MAX}: see `roost ca show` and this machine's clock")
    return found


def _orders(folder: Path) -> list[OrderSigner]:
    found = []
    for path in files(folder, names.ORDER, names.KEY):
        key = _private_key(path)
        if not isinstance(key, Ed25519PrivateKey):
            raise _fault(path, "another kind of key", "an Ed25519 key")
        public = key.public_key().public_bytes_raw()
        since_s = names.stamped_s(path.stem, names.ORDER)
        found.append(OrderSigner(order_key_id(public), key, public, since_s))
    if not 1 <= len(found) <= LIVE_MAX:
        raise _fault(folder / f"{names.ORDER}{names.KEY}", f"{len(found)}", f"1 to {LIVE_MAX}")
    ended = [
        replace(each, until_s=after.since_s + ORDER_OVERLAP_S) for each, after in pairwise(found)
    ]
    return [*ended, found[-1]]


def _text(path: Path) -> str:
    with path.open("rb") as file:
        raw = file.read(FILE_BYTES_MAX + 1)
    if len(raw) > FILE_BYTES_MAX:
        raise _fault(path, "a large file", f"{FILE_BYTES_MAX} bytes")
    return raw.decode("ascii", "replace")


def _certificate(path: Path, pem: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as err:
        raise _fault(path, "no certificate", "one in PEM") from err


def _check_issuer(path: Path, certificate: x509.Certificate, by: x509.Certificate) -> None:
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature) as err:
        raise _fault(path, "signed by another", by.subject.rfc4514_string()) from err


def _private_key(path: Path) -> object:
    _private(path, FILE_MODE)
    try:
        return load_pem_private_key(_text(path).encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as err:
        raise _fault(path, "no key that can be read", "PKCS #8 in PEM, not encrypted") from err


def _private(path: Path, mode: int) -> None:
    found = path.stat()
    if found.st_uid not in {os.geteuid(), 0}:
        raise _fault(path, f"owned by user {found.st_uid}", "the user that runs the signer")
    if stat.S_IMODE(found.st_mode) & 0o077:
        given = f"mode {stat.S_IMODE(found.st_mode):04o}"
        raise _fault(path, given, f"{mode:04o}: nobody else may read it")


def _fault(path: Path, got: str, bound: str) -> ConfigError:
    return ConfigError("signer", field=str(path), got=got, bound=bound)
