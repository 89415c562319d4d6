"""What the fleet's broker is told: its configuration and its rules, as texts.

Source of the rules: docs/protocol.md, Topics. Invariants: nobody is let in without a certificate of
the fleet; a node writes below its own ``up/`` and reads below its own ``down/``, by the name that
its certificate has and nothing it says; only the centre reads what nodes say; nothing is retained.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from roost_protocol.certificate import SERVICE_PREFIX
from roost_protocol.limits import MESSAGE_BYTES_MAX, SEAL_BYTES
from roost_protocol.topics import ROOT, UP_LEAVES, canary_topic

PACKET_BYTES_MAX: Final = MESSAGE_BYTES_MAX + SEAL_BYTES + 1_024  # topic, header; and a CONNECT
KEEPALIVE_S_MAX: Final = 120  # a silent peer is gone after one and a half of it
INGEST_NAME: Final = "ingest"
INGEST: Final = f"{SERVICE_PREFIX}{INGEST_NAME}"  # the CN of its certificate, and where that is
DOWN_LEAVES: Final = ("receipt", "order", "ha")

_CONFIG: Final = """\
# Written by roost-central at each start; what is changed here is lost.
listener {port} {host}
max_connections {connections_max}
cafile {root}
certfile {cert}
keyfile {key}
crlfile {crl}
require_certificate true
use_identity_as_username true
tls_version tlsv1.2
allow_anonymous false
acl_file {acl}
persistence false
retain_available false
set_tcp_nodelay true
max_packet_size {packet}
max_keepalive {keepalive}
# The centre is the one reader of all: so many messages wait for it while it is busy.
max_queued_messages 100000
max_queued_bytes 268435456
max_inflight_messages 1000
log_dest stderr
log_type error
log_type warning
{user}"""


@dataclass(frozen=True, slots=True)
class BrokerFiles:
    """Where the files of a broker are."""

    root: Path
    cert: Path
    key: Path
    crl: Path
    acl: Path


def configuration(
    files: BrokerFiles, *, host: str, port: int, connections_max: int, user: str
) -> str:
    """Return ``mosquitto.conf``; ``user`` is a line for it, or nothing."""
    return _CONFIG.format(
        host=host,
        port=port,
        connections_max=connections_max,
        root=files.root,
        cert=files.cert,
        key=files.key,
        crl=files.crl,
        acl=files.acl,
        packet=PACKET_BYTES_MAX,
        keepalive=KEEPALIVE_S_MAX,
        user=user,
    )


def rules(denied: Iterable[str]) -> str:
    """Return the access rules; ``denied`` are node ids that may not do anything any more.

    A denied node's session stays connected, and mute: Mosquitto looks at a user's own lines before
    the patterns, and at ``deny`` first.
    """
    lines = [
        f"user {INGEST}",
        f"topic read {ROOT}/+/+/up/#",
        f"topic write {ROOT}/+/+/down/#",
        f"topic readwrite {canary_topic('#')}",
    ]
    for node in sorted(denied):
        lines += ["", f"user {node}", "topic deny #"]
    lines += ["", "# %u is the CN of the certificate: the node id."]
    lines += [f"pattern write {ROOT}/+/%u/up/{leaf}" for leaf in sorted(UP_LEAVES)]
    lines += [f"pattern read {ROOT}/+/%u/down/{leaf}" for leaf in DOWN_LEAVES]
    return "\n".join(lines) + "\n"
