"""What a site broker reads: its configuration, who may log in, and who may say what.

Pure texts. The broker is not trusted: it keeps nothing, and its ACL only keeps members from
flooding each other's topics; what a frame means rests on its mac (design: security, section 5).
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from roost_protocol.topics import SITE_ROOT

CONNECTIONS_MAX: Final = 256  # 32 nodes on each of 8 networks, before others are refused
PACKET_BYTES_MAX: Final = 4_096  # a frame is 1,200, a CONNECT of ours below 300
QUEUED_MAX: Final = 16  # messages for a slow reader: they expire after a second anyway
ITERATIONS: Final = 101  # Mosquitto's own: a password is 256 random bits, no word to guess
SALT_BYTES: Final = 12
HASH_BYTES: Final = 64


def configuration(
    folder: str, addresses: Sequence[str], port: int, *, user: str, max_connections: int
) -> str:
    """Return ``mosquitto.conf``: listeners on the addresses given and nowhere else.

    Args:
        folder: where the other two files are.
        addresses: of this node, one for each network that carries a path to this broker.
        port: of each.
        user: whom a broker started by root becomes; the folder is this user's alone.
        max_connections: for each listener.
    """
    lines = [
        "# Written by roost-agent at each start; changes here are lost.",
        "per_listener_settings false",
        f"user {user}",
        "allow_anonymous false",
        f"password_file {folder}/passwords",
        f"acl_file {folder}/acl",
        "persistence false",
        "retain_available false",
        "set_tcp_nodelay true",
        "sys_interval 0",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "connection_messages false",
        f"max_packet_size {PACKET_BYTES_MAX}",
        f"max_queued_messages {QUEUED_MAX}",
        f"max_inflight_messages {QUEUED_MAX}",
    ]
    for address in addresses:
        lines += [f"listener {port} {address}", f"max_connections {max_connections}"]
    return "\n".join(lines) + "\n"


def access(members: Sequence[str]) -> str:
    """Return ``acl``: explicit lines for each member, by node id.

    The last level is the path's number. A member writes its own topics; it reads everybody's
    beats, and lease frames to itself.
    """
    lines: list[str] = []
    for member in members:
        others = [each for each in members if each != member]
        lines += [
            f"user {member}",
            f"topic write {SITE_ROOT}/{member}/beat/+",
            *(f"topic write {SITE_ROOT}/{member}/lease/{each}/+" for each in others),
            *(f"topic read {SITE_ROOT}/{each}/beat/+" for each in members),
            *(f"topic read {SITE_ROOT}/{each}/lease/{member}/+" for each in others),
            "",
        ]
    return "\n".join(lines)


def passwords(given: Mapping[str, str], salts: Mapping[str, bytes]) -> str:
    """Return ``passwords``: a salted hash for each member, in Mosquitto's form ($7$, PBKDF2)."""
    return "".join(f"{user}:{_hashed(text, salts[user])}\n" for user, text in given.items())


def _hashed(password: str, salt: bytes) -> str:
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS, HASH_BYTES)
    text = (base64.b64encode(each).decode() for each in (salt, digest))
    return f"$7${ITERATIONS}${'$'.join(text)}"
