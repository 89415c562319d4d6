"""Passwords of board controllers as they lie on the node's disk: closed to its own sealing key.

Imported by what talks to controllers or sets them, never by the resident agent: it brings
cryptography. The key is ``identity/sealing.key`` of the state directory; what that protects, and
what not, is in docs/security.md.

Invariants: a password is bound to its node and host, so that an entry whose host was changed does
not open; no text of a fault quotes one.
"""

import base64
import binascii
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec.structs import replace

from roost_agent.bmc.board import Board
from roost_agent.enrolled import FOLDER
from roost_agent.errors import ConfigError
from roost_agent.ports import Entropy
from roost_protocol.errors import ProtocolError
from roost_protocol.sealed import KEY_BYTES, open_sealed, seal_for

SEALING_KEY: Final = "sealing.key"  # of enrol/keys.py


def has_key(folder: Path) -> bool:
    """Whether this box has a sealing key: one that joined no fleet has none."""
    return (folder / FOLDER / SEALING_KEY).exists()


def sealing_key(folder: Path) -> X25519PrivateKey:
    """Return this box's key.

    Raises:
        ConfigError: it is not there, or is none.
    """
    file = folder / FOLDER / SEALING_KEY
    try:
        key = load_pem_private_key(file.read_bytes(), None)
    except OSError as err:
        raise ConfigError([f"{file}: {err.strerror}"]) from err
    except ValueError as err:
        raise ConfigError([f"{SEALING_KEY}: cannot be read: {err}"]) from err
    if not isinstance(key, X25519PrivateKey):
        raise ConfigError([f"{SEALING_KEY}: is no X25519 key"])
    return key


def close(board: Board, key: X25519PrivateKey, entropy: Entropy) -> Board:
    """Return a controller whose password is closed; one without a password as it is."""
    if not board.password:
        return board
    public, once = key.public_key().public_bytes_raw(), entropy.token(KEY_BYTES)
    body = seal_for(public, board.password.encode(), _about(board), once=once)
    return replace(board, password="", sealed=base64.b64encode(body).decode())


def opened(board: Board, key: X25519PrivateKey) -> Board:
    """Return a controller with its password, for the moment in which it is used.

    Raises:
        ConfigError: it was closed for another box, node or host.
    """
    if not board.sealed:
        return board
    try:
        plain = open_sealed(key, base64.b64decode(board.sealed, validate=True), _about(board))
        return replace(board, password=plain.decode(), sealed="")
    except (ProtocolError, binascii.Error, UnicodeDecodeError):
        text = "its password was sealed by another box, or for another host: "
        raise ConfigError([f"{board.node}: {text}roost-agent bmc set {board.node}"]) from None


def _about(board: Board) -> bytes:
    return f"roost board 1\n{board.node}\n{board.host}".encode()
