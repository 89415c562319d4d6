"""What lies in a folder of a fleet's keys, read from its certificates: no key is opened."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from roost_central.ca import names
from roost_central.ca.profiles import ALWAYS, SIGNS_DAYS, Authority
from roost_central.ca.request import spki_of
from roost_protocol.certificate import pin

FILE_BYTES_MAX: Final = 16 << 10


@dataclass(frozen=True, slots=True)
class Listed:
    """One certificate of a CA.

    Attributes:
        stem: ``root`` or that of an authority.
        is_issuing: whether it is the one that signs now.
    """

    path: Path
    stem: str
    certificate: x509.Certificate
    is_issuing: bool

    @property
    def pem(self) -> str:
        """Its text."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of its DER, hexadecimal."""
        return self.certificate.fingerprint(SHA256()).hex()

    @property
    def pin(self) -> str:
        """What pins its key."""
        return pin(spki_of(self.certificate.public_key()))

    @property
    def rotate_by(self) -> datetime | None:
        """When its successor should sign; None: never by time."""
        return rotate_by(self.certificate) if self.stem != names.ROOT else None


def rotate_by(certificate: x509.Certificate) -> datetime | None:
    """Return when the successor of an issuing CA should sign; None: never by time."""
    begins = certificate.not_valid_before_utc
    return None if begins == ALWAYS[0] else begins + timedelta(days=SIGNS_DAYS)


def listed(folder: Path) -> list[Listed]:
    """Return the certificates in a folder, the root first.

    Raises:
        FileNotFoundError: there is no root's, so it is no such folder.
        OSError: it cannot be read.
        ValueError: one is no certificate.
    """
    root = folder / f"{names.ROOT}{names.CERTIFICATE}"
    found = [Listed(root, names.ROOT, _read(root), is_issuing=False)]
    for authority in Authority:
        found += _authority(folder, names.stem(authority))
    return found


def files(folder: Path, stem: str, suffix: str) -> list[Path]:
    """Return the files of a stem by name, the last of which counts: it is the newest."""
    found = [path for path in folder.glob(f"{stem}*{suffix}") if names.is_of(path.stem, stem)]
    return sorted(found, key=lambda path: path.stem)


def _authority(folder: Path, stem: str) -> Iterator[Listed]:
    paths = files(folder, stem, names.CERTIFICATE)
    for path in paths:
        yield Listed(path, stem, _read(path), is_issuing=path == paths[-1])


def _read(path: Path) -> x509.Certificate:
    with path.open("rb") as file:
        raw = file.read(FILE_BYTES_MAX)
    try:
        return x509.load_pem_x509_certificate(raw)
    except ValueError as err:
        raise ValueError(f"{path} is no certificate: {err}") from err
