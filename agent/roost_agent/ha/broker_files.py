"""What a site broker reads: its configuration, who may log in, and who may say what.

Pure texts. The broker is not trusted: it keeps nothing, and its ACL only keeps members from
flooding each other's topics; what a frame means rests on its mac (design: security, section 5).
With TLS who may log in is the LAN CA's word and who may say anything the ACL's: a box of the fleet
that is no member connects, and is mute and deaf.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from roost_protocol.topics import SITE_ROOT

CONNECTIONS_MAX: Final = 256  # 32 nodes on each of 8 networks, before others are refused
PACKET_BYTES_MAX: Final = 4_096  # a frame is 1,200, a CONNECT of ours below 300
QUEUED_MAX: Final = 16  # messages for a slow reader: they expire after a second anyway
ITERATIONS: Final = 101  # Mosquitto's own: a password is 256 random bits, no word to guess
SALT_BYTES: Final = 12
HASH_BYTES: Final = 64
KEEPALIVE_S_MAX: Final = 30  # a silent peer is gone after one and a half of it; ours say 5


class BrokerTls(msgspec.Struct, frozen=True):
    """The files that a broker with TLS reads, PEM: whom it believes, and what it shows."""

    ca: Path
    certificate: Path
    key: Path


class Member(msgspec.Struct, frozen=True):
    """One who may say something.

    Attributes:
        node: the node id, which topics have.
        user: the name at the broker: the node id, with TLS ``<node-id>~<box>``.
        password: None with TLS; never written as it is.
    """

    node: str
    user: str
    password: str | None = None

    def __repr__(self) -> str:
        """Keep the password out of logs."""
        return f"Member({self.user})"


def configuration(  # noqa: PLR0913 - what a broker differs in
    folder: str,
    addresses: Sequence[str],
    port: int,
    *,
    user: str,
    max_connections: int,
    tls: BrokerTls | None = None,
) -> str:
    """Return ``mosquitto.conf``: listeners on the addresses given and nowhere else.

    Args:
        folder: where the other two files are.
        addresses: of this node, one for each network that carries a path to this broker.
        port: of each.
        user: whom a broker started by root becomes; the folder is this user's alone.
        max_connections: for each listener.
        tls: its files; None: clear text, with a password for each member.
    """
    lines = [
        "# Written by roost-agent at each start; changes here are lost.",
        "per_listener_settings false",
        f"user {user}",
        "allow_anonymous false",
        *([f"password_file {folder}/passwords"] if tls is None else []),
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
        f"max_keepalive {KEEPALIVE_S_MAX}",
        f"max_queued_messages {QUEUED_MAX}",
        f"max_inflight_messages {QUEUED_MAX}",
    ]
    for address in addresses:
        lines += [f"listener {port} {address}", f"max_connections {max_connections}"]
        lines += [] if tls is None else _tls(tls)
    return "\n".join(lines) + "\n"


def access(members: Sequence[Member]) -> str:
    """Return ``acl``: explicit lines for each member, by its name at the broker.

    The last level is the path's number. A member writes its own topics; it reads everybody's
    beats, and lease frames to itself.
    """
    nodes = [member.node for member in members]
    lines: list[str] = []
    for member in members:
        own = member.node
        others = [node for node in nodes if node != own]
        lines += [
            f"user {member.user}",
            f"topic write {SITE_ROOT}/{own}/beat/+",
            *(f"topic write {SITE_ROOT}/{own}/lease/{node}/+" for node in others),
            *(f"topic read {SITE_ROOT}/{node}/beat/+" for node in nodes),
            *(f"topic read {SITE_ROOT}/{node}/lease/{own}/+" for node in others),
            "",
        ]
    return "\n".join(lines)


def passwords(members: Sequence[Member], salts: Mapping[str, bytes]) -> str:
    """Return ``passwords``: a salted hash for each member, in Mosquitto's form ($7$, PBKDF2)."""
    return "".join(
        f"{each.user}:{_hashed(each.password, salts[each.user])}\n"
        for each in members
        if each.password is not None
    )


def _tls(files: BrokerTls) -> list[str]:
    return [
        f"cafile {files.ca}",
        f"certfile {files.certificate}",
        f"keyfile {files.key}",
        "require_certificate true",
        "use_identity_as_username true",
        "tls_version tlsv1.2",
    ]


def _hashed(password: str, salt: bytes) -> str:
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS, HASH_BYTES)
    text = (base64.b64encode(each).decode() for each in (salt, digest))
    return f"$7${ITERATIONS}${'$'.join(text)}"
