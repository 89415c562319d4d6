"""Passwords of board controllers at rest: closed by a key in a file, never in the database.

``boards.key`` (0600, in the data directory) is made at the first start. A database or a backup
without it holds nothing that a controller would take. AEAD (RFC 8439) with the node's id: a row
that is put in another's place does not open.
"""

import hmac
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from roost_central.errors import ConfigError
from roost_central.ports import Entropy
from roost_central.private_file import write_whole

FILE: Final = "boards.key"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
_MARK: Final = b"roost boards mark 1\n"


class VaultError(Exception):
    """What was closed does not open: by another key, of another node, or damaged."""


class Vault:
    """Closes and opens.

    Args:
        key: KEY_BYTES of it.
    """

    def __init__(self, key: bytes, entropy: Entropy) -> None:
        self._aead = ChaCha20Poly1305(key)
        self._mark_key = hmac.digest(key, _MARK, "sha256")
        self._entropy = entropy

    @classmethod
    def of(cls, folder: Path, entropy: Entropy) -> "Vault":
        """Return the one of a data directory, made where there is none.

        Raises:
            ConfigError: the file is no key, or others may read it.
            OSError: it cannot be read or written.
        """
        file = folder / FILE
        if not file.exists():
            write_whole(file, entropy.token(KEY_BYTES))
        key = file.read_bytes()
        if len(key) != KEY_BYTES or file.stat().st_mode & 0o077:
            bound = f"{KEY_BYTES} bytes, mode 0600: put back the file of the backup"
            raise ConfigError("boards-key", field=str(file), bound=bound, got=len(key))
        return cls(key, entropy)

    def close(self, node: str, secret: str) -> bytes:
        """Return a secret of a node, closed."""
        nonce = self._entropy.token(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, secret.encode(), node.encode())

    def open(self, node: str, closed: bytes) -> str:
        """Return a secret.

        Raises:
            VaultError: it does not open.
        """
        try:
            nonce, rest = closed[:NONCE_BYTES], closed[NONCE_BYTES:]
            return self._aead.decrypt(nonce, rest, node.encode()).decode()
        except (InvalidTag, ValueError) as err:
            raise VaultError(f"{FILE} is another than that by which {node} was closed") from err

    def mark(self, said: bytes) -> bytes:
        """Return what tells one text from another and says nothing of either: a keyed hash."""
        return hmac.digest(self._mark_key, said, "sha256")
