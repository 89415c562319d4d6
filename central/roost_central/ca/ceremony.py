"""Makes the keys of a fleet: once, and again when one of them is to be followed by another.

It runs where no network is. What it writes is two folders: ``offline`` stays there, in a safe, and
``signer`` goes to the host of roost-central's signer. Every private key is made here, by this
process, and the root's leaves it only encrypted.

Invariants: nothing that is there is ever overwritten; a folder appears whole or not at all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from roost_central.ca import names, profiles
from roost_central.ca.names import stamp
from roost_central.ca.profiles import Authority, Fresh, Issuer, issuer_of
from roost_central.errors import CentralError
from roost_central.ports import Entropy
from roost_central.private_file import sync_folder, write_new
from roost_central.signer.core import Policy
from roost_central.signer.policy import text as policy_text

OFFLINE: Final = "offline"
SIGNER: Final = "signer"
PART_BYTES_MIN: Final = 16  # of the passphrase: a line is a holder's part
ROTATED: Final = (*(authority.value for authority in Authority), names.ORDER)


class CeremonyError(CentralError):
    """The ceremony cannot go on; ``str`` says why and what to do."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(code)
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True)
class Moment:
    """Where the ceremony takes time and randomness from."""

    now: datetime
    entropy: Entropy

    def fresh(self) -> Fresh:
        """Return what one signature takes."""
        return Fresh.drawn(self.entropy, self.now)


def init(out: Path, policy: Policy, passphrase: bytes, moment: Moment) -> x509.Certificate:
    """Make all keys of the fleet of a policy, below ``out``; return the root's certificate.

    Raises:
        CeremonyError: ``exists``, ``passphrase``.
        ProtocolError: the domain cannot be a fleet's.
        OSError: it cannot be written.
    """
    if any(len(part) < PART_BYTES_MIN for part in passphrase.split(b"\n")):
        raise CeremonyError(
            "passphrase",
            f"each holder's part of the root's passphrase has at least {PART_BYTES_MIN} "
            "characters: take six random words",
        )
    key = generate_private_key(SECP256R1())
    certificate = profiles.root(key, policy.domain, moment.fresh())
    root = issuer_of(certificate, key, policy.domain)
    pem = {f"{names.ROOT}{names.CERTIFICATE}": certificate.public_bytes(Encoding.PEM)}
    out.mkdir(mode=names.FOLDER_MODE, parents=True, exist_ok=True)
    for folder in (OFFLINE, SIGNER):
        for path in (out / folder, _unfinished(out / folder)):
            _refuse_existing(path)
    # The root first: what it issued must not be there without it.
    encrypted = _private(key, BestAvailableEncryption(passphrase))
    _write_folder(out / OFFLINE, pem | {f"{names.ROOT}{names.KEY}": encrypted})
    keys = _keys(root, ROTATED, moment, suffix="")
    _write_folder(out / SIGNER, pem | {names.POLICY: policy_text(policy).encode()} | keys)
    return certificate


def rotate(out: Path, root: Issuer, kinds: Iterable[str], moment: Moment) -> list[str]:
    """Write successors of some keys into a folder, beside what is there; return the files' names.

    Raises:
        CeremonyError: ``exists``.
        OSError: it cannot be written.
    """
    files = _keys(root, kinds, moment, suffix=f"-{stamp(moment.now)}")
    out.mkdir(mode=names.FOLDER_MODE, parents=True, exist_ok=True)
    for name in files:
        _refuse_existing(out / name)
    # Keys first: a key without its certificate is not looked at, the other stops a signer.
    for name in files:
        write_new(out / name, files[name])
    sync_folder(out)
    return sorted(files)


def unlock(offline: Path, passphrase: bytes) -> Issuer:
    """Return the root that lies in a folder, its key in the clear: in this process only.

    Raises:
        CeremonyError: ``passphrase``, ``root``.
        OSError: it cannot be read.
    """
    key_file, certificate_file = (
        offline / f"{names.ROOT}{suffix}" for suffix in (names.KEY, names.CERTIFICATE)
    )
    try:
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        raw = key_file.read_bytes()
    except FileNotFoundError as err:
        raise CeremonyError(
            "root", f"there is no {err.filename}: name the folder offline of `roost ca init`"
        ) from err
    except ValueError as err:
        raise CeremonyError("root", f"{certificate_file} is no certificate") from err
    try:
        key = load_pem_private_key(raw, passphrase)
    except ValueError as err:
        raise CeremonyError("passphrase", f"the passphrase does not open {key_file}") from err
    if not isinstance(key, EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise CeremonyError("root", f"the key in {offline} is not that of the certificate there")
    return issuer_of(certificate, key, domain_of(certificate))


def domain_of(certificate: x509.Certificate) -> str:
    """Return the fleet that a CA's certificate is of.

    Raises:
        CeremonyError: ``root``: it was not made here.
    """
    found = certificate.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
    if len(found) != 1:
        raise CeremonyError("root", "the certificate names no fleet: it is not of `roost ca init`")
    return str(found[0].value)


def _keys(root: Issuer, kinds: Iterable[str], moment: Moment, *, suffix: str) -> dict[str, bytes]:
    """Return new files: the key of each kind, and behind it its certificate where it has one."""
    files: dict[str, bytes] = {}
    for kind in kinds:
        if kind == names.ORDER:
            order_key = Ed25519PrivateKey.generate()
            files[f"{kind}{suffix}{names.KEY}"] = _private(order_key, NoEncryption())
            continue
        key = generate_private_key(SECP256R1())
        certificate = _certificate(Authority(kind), key, root, moment.fresh())
        stem = f"{names.stem(kind)}{suffix}"
        files[f"{stem}{names.KEY}"] = _private(key, NoEncryption())
        files[f"{stem}{names.CERTIFICATE}"] = certificate.public_bytes(Encoding.PEM)
    return files


def _certificate(
    authority: Authority, key: EllipticCurvePrivateKey, root: Issuer, fresh: Fresh
) -> x509.Certificate:
    if authority is Authority.LAN:
        return profiles.lan(key, root.domain, fresh)
    return profiles.issuing(authority, key.public_key(), by=root, fresh=fresh)


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise CeremonyError("exists", f"{path} is there already: nothing was written")


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    fresh = _unfinished(folder)
    fresh.mkdir(mode=names.FOLDER_MODE)
    for name, content in files.items():
        write_new(fresh / name, content)
    sync_folder(fresh)
    fresh.rename(folder)
    sync_folder(folder.parent)


def _unfinished(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.new")


def _private(
    key: EllipticCurvePrivateKey | Ed25519PrivateKey, encryption: KeySerializationEncryption
) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
