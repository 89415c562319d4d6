"""Keys of who signs releases: each in a file of its holder's, encrypted, never at the centre.

A key is Ed25519. Its private half is PKCS #8 in PEM under the holder's passphrase; the public half
lies beside it as JSON and may be read by everybody. The two online keys of the signer have no
passphrase: they lie in its folder as its others do.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from msgspec import Meta
from securesystemslib.signer import CryptoSigner, SSlibKey

from roost_central.private_file import sync_folder, write_new
from roost_central.releases.fault import ReleaseError

PRIVATE: Final = ".key"
PUBLIC: Final = ".pub"
PASSPHRASE_BYTES_MIN: Final = 16  # six random words have more
FILE_BYTES_MAX: Final = 16 << 10

IMAGE_ONLINE: Final = "image-online"  # of the signer: snapshot and timestamp of images
DIRECTOR: Final = "director"  # of the signer: all that the director says


NAME_PATTERN: Final = r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z"  # of a holder


class PublicKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``NAME.pub``: whose key it is, and its public half, hexadecimal."""

    name: Annotated[str, Meta(pattern=NAME_PATTERN)]
    ed25519: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]

    @property
    def key(self) -> SSlibKey:
        """As TUF's metadata has it."""
        return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.ed25519)))


@dataclass(frozen=True, slots=True)
class OpenKey:
    """A key whose passphrase was given; it is in this process only."""

    name: str
    signer: CryptoSigner

    @property
    def keyid(self) -> str:
        """By which metadata names it."""
        return self.signer.public_key.keyid


def make(folder: Path, name: str, passphrase: bytes | None) -> Path:
    """Make a key; return the file of its public half.

    Args:
        folder: both files are written there; it is made where it is not there.
        name: of the holder.
        passphrase: None: an online key of the signer, whose folder protects it.

    Raises:
        ReleaseError: ``key``, ``passphrase`` or ``exists``.
        OSError: it cannot be written.
    """
    if not re.search(NAME_PATTERN, name):
        text = "a holder's name has 1 to 63 letters, digits, '.', '_' and '-'"
        raise ReleaseError("key", f"{name!r}: {text}, and begins with a letter or digit")
    if passphrase is not None and len(passphrase) < PASSPHRASE_BYTES_MIN:
        bound = f"at least {PASSPHRASE_BYTES_MIN} bytes: take six random words"
        raise ReleaseError("passphrase", f"the passphrase of {name} has {bound}")
    private, public = folder / f"{name}{PRIVATE}", folder / f"{name}{PUBLIC}"
    for path in (private, public):
        if path.exists():
            raise ReleaseError("exists", f"{path} is there already: nothing was written")
    key = Ed25519PrivateKey.generate()
    encryption = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    said = PublicKey(name=name, ed25519=key.public_key().public_bytes_raw().hex())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_new(private, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    write_new(public, msgspec.json.format(msgspec.json.encode(said), indent=1) + b"\n")
    sync_folder(folder)
    return public


def read_public(path: Path) -> PublicKey:
    """Return the public half of a key.

    Raises:
        ReleaseError: ``key``.
    """
    try:
        return msgspec.json.decode(_bytes(path), type=PublicKey)
    except (msgspec.MsgspecError, UnicodeDecodeError) as err:
        raise ReleaseError("key", f"{path} is no public key of `roost release keygen`") from err


def open_private(path: Path, passphrase: bytes | None) -> OpenKey:
    """Return a key, in the clear: in this process only.

    Raises:
        ReleaseError: ``key`` or ``passphrase``.
    """
    raw = _bytes(path)
    if b"PRIVATE KEY" not in raw:
        raise ReleaseError("key", f"{path} is no private key: it lies in NAME{PRIVATE}")
    try:
        key = load_pem_private_key(raw, passphrase)
    except TypeError as err:  # a passphrase and no encryption, or the other way
        raise ReleaseError("passphrase", f"{path}: give a passphrase where it has one") from err
    except ValueError as err:
        raise ReleaseError("passphrase", f"the passphrase does not open {path}") from err
    if not isinstance(key, Ed25519PrivateKey):
        raise ReleaseError("key", f"{path} is no key of `roost release keygen`")
    return OpenKey(path.stem, CryptoSigner(key))


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
    except OSError as err:
        raise ReleaseError("key", f"{path}: {err.strerror}") from err
    if len(raw) > FILE_BYTES_MAX:
        raise ReleaseError("key", f"{path}: more than {FILE_BYTES_MAX} bytes: no key")
    return raw
