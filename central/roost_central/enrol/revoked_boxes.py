"""Certificates that a maker revoked: its lists (RFC 5280, section 5), read anew when they change.

A list counts where the issuer of a certificate in the chain signed it. One past its date goes on
counting and is told: what a maker once revoked stays revoked, what it revoked since is not known,
and a list that nobody fetched must not keep every box of the maker out.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

logger = logging.getLogger(__name__)

LISTS_BYTES_MAX: Final = 8 << 20  # 200,000 certificates
LISTS_MAX: Final = 32
_BEGIN, _END = b"-----BEGIN X509 CRL-----", b"-----END X509 CRL-----"

Lists = tuple[x509.CertificateRevocationList, ...]
Stamp = tuple[int, int, int]


class RevokedBoxes:
    """One maker's lists, as its file has them now.

    Args:
        maker: its name in the configuration.
        file: PEM, one list or several, or one in DER.

    Raises:
        ValueError, OSError: see ``read_lists``.
    """

    def __init__(self, maker: str, file: Path) -> None:
        self._maker = maker
        self._file = file
        self._stamp = _stamp(file)
        self._lists = read_lists(file)
        self._told: set[tuple[str, datetime | None]] = set()  # lists whose end was told

    def check(self, chain: Sequence[x509.Certificate], at: datetime) -> None:
        """Refuse a chain, the box's certificate first and its authority last.

        Raises:
            ValueError: the maker revoked one of it.
        """
        self._follow()
        for certificate, issuer in pairwise(chain):
            for each in self._of(issuer):
                self._tell_end(each, at)
                if each.get_revoked_certificate_by_serial_number(certificate.serial_number):
                    number = f"{certificate.serial_number:x}"
                    raise ValueError(f"{self._maker} revoked the certificate {number}")

    def _of(self, issuer: x509.Certificate) -> Lists:
        """Return the lists that an issuer signed."""
        key = issuer.public_key()
        if not isinstance(key, EllipticCurvePublicKey | RSAPublicKey):
            return ()
        named = (each for each in self._lists if each.issuer == issuer.subject)
        return tuple(each for each in named if _is_signed_by(each, key))

    def _follow(self) -> None:
        """Take what the file has now; one that is gone or makes no sense leaves what was there."""
        stamp = _stamp(self._file)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._lists = read_lists(self._file)
        except (OSError, ValueError) as err:
            logger.warning("%s: the lists of before are used: %s", self._file, err)

    def _tell_end(self, found: x509.CertificateRevocationList, at: datetime) -> None:
        """Say once that a list is past its date."""
        end = found.next_update_utc
        key = (found.issuer.rfc4514_string(), end)
        if end is not None and end < at and key not in self._told:
            self._told = {each for each in self._told if each[0] != key[0]} | {key}
            logger.warning(
                "%s: the list of %s ended at %s: fetch it anew, of later ones it does not know",
                self._file, key[0], end.isoformat(),
            )  # fmt: skip


def read_lists(file: Path) -> Lists:
    """Return the lists of a file.

    Raises:
        ValueError: there are none, too many, or of a kind that is not read here.
        OSError: it cannot be read.
    """
    with file.open("rb") as stream:
        raw = stream.read(LISTS_BYTES_MAX + 1)
    if len(raw) > LISTS_BYTES_MAX:
        raise ValueError(f"longer than {LISTS_BYTES_MAX} bytes")
    try:
        if _BEGIN not in raw:
            found = [x509.load_der_x509_crl(raw)]
        else:
            parts = [part.partition(_END)[0] for part in raw.split(_BEGIN)[1:]]
            found = [x509.load_pem_x509_crl(_BEGIN + part + _END + b"\n") for part in parts]
    except UnsupportedAlgorithm as err:
        raise ValueError(str(err)) from err
    if len(found) > LISTS_MAX:
        raise ValueError(f"{len(found)} lists, bound {LISTS_MAX}")
    for each in found:
        odd = [extension.oid.dotted_string for extension in each.extensions if extension.critical]
        if odd:  # of some certificates only, or a difference to another list
            raise ValueError(f"a critical extension {odd[0]} is not read: give whole lists")
    return tuple(found)


def _stamp(file: Path) -> Stamp | None:
    """Return what changes with a file, None where it is not there."""
    try:
        found = file.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _is_signed_by(
    found: x509.CertificateRevocationList, key: EllipticCurvePublicKey | RSAPublicKey
) -> bool:
    try:
        return found.is_signature_valid(key)
    except (TypeError, UnsupportedAlgorithm):
        return False
