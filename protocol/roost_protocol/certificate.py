"""Who a certificate speaks for: the one name in it, written and read back.

======== ================================== ==================== ==========
kind     subjectAltName, one dNSName        commonName           used as
======== ================================== ==================== ==========
node     ``<site>.<node>.nodes.<domain>``   ``<site>.<node>``    TLS client
server   ``<name>.svc.<domain>``            ``<name>``           TLS server
service  ``<name>.svc.<domain>``            ``svc_<name>``       TLS client
lan      ``<site>.<node>.lan.<domain>``     ``<node-id>~<box>``  TLS client
broker   ``<site>.<node>.brokers.<domain>`` ``<node-id>~<box>``  TLS server
======== ================================== ==================== ==========

The dNSName is the identity. The CN repeats it because Mosquitto takes the user name from nothing
else; ``_`` and ``~`` cannot occur in a node id, so none of the kinds is ever taken for another.

Leaves X.509 itself to whoever reads or writes certificates.

Invariants: ``read`` returns a holder only when writing that holder again gives both names, letter
for letter; so no second spelling of an identity is ever accepted.
"""

import re
from enum import StrEnum
from hashlib import sha256
from typing import Final

import msgspec

from roost_protocol.errors import ProtocolError
from roost_protocol.join_token import from_text, to_text
from roost_protocol.topics import check_name, node_id, split_node_id

DOMAIN_CHARS_MAX: Final = 64  # it stands in O, which X.520 bounds
BOX_MAX: Final = 9_999  # 4 digits: node id, "~" and they fill a CN of 64
DAYS_MAX: Final = 400  # life of a node's certificate: of one that is rarely online
SERVICE_PREFIX: Final = "svc_"  # `_` cannot stand in a node id, so no node is ever called so
PIN_BYTES: Final = 16  # of a SHA-256: 128 bits against a second key with the same pin

_DOMAIN: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)


class Kind(StrEnum):
    """What a certificate is for."""

    NODE = "node"
    SERVER = "server"
    SERVICE = "service"
    LAN = "lan"
    BROKER = "broker"

    @property
    def zone(self) -> str:
        """The label between the name and the fleet's domain."""
        return _ZONES[self]

    @property
    def is_server(self) -> bool:
        """Whether its holder is the server of a TLS connection; else the client."""
        return self in {Kind.SERVER, Kind.BROKER}

    @property
    def has_box(self) -> bool:
        """Whether it is bound to one box in the slot, and so never ends by itself."""
        return self in {Kind.LAN, Kind.BROKER}


_ZONES: Final = {
    Kind.NODE: "nodes",
    Kind.SERVER: "svc",
    Kind.SERVICE: "svc",
    Kind.LAN: "lan",
    Kind.BROKER: "brokers",
}


class Holder(msgspec.Struct, frozen=True):
    """Whom a certificate is for.

    Attributes:
        kind: what it may be used for.
        name: a node id; of the kinds server and service the name of a part of the centre.
        box: 1 to BOX_MAX of the kinds lan and broker, else 0.
    """

    kind: Kind
    name: str
    box: int = 0


class Names(msgspec.Struct, frozen=True):
    """What stands in the certificate."""

    common_name: str
    dns_name: str


def check_domain(text: str, *, field: str = "domain") -> str:
    """Return ``text`` if it may be the domain of a fleet; it need not be in any DNS.

    Raises:
        ProtocolError: ``name``, with the rule.
    """
    labels = text.split(".")
    is_domain = len(labels) > 1 and all(_DOMAIN.fullmatch(label) for label in labels)
    if not is_domain or len(text) > DOMAIN_CHARS_MAX:
        raise ProtocolError(
            "name",
            field=field,
            got=text,
            bound=f"two or more labels of a-z 0-9 -, at most {DOMAIN_CHARS_MAX} characters",
        )
    return text


def write(holder: Holder, domain: str) -> Names:
    """Return the names of a holder's certificate.

    Raises:
        ProtocolError: ``name``, ``oversize`` or ``box``: there can be no such holder.
    """
    check_domain(domain)
    _check_box(holder)
    dns_name = f"{holder.name}.{holder.kind.zone}.{domain}"
    match holder.kind:
        case Kind.SERVER | Kind.SERVICE:
            check_name(holder.name, field="name")
            prefix = SERVICE_PREFIX if holder.kind is Kind.SERVICE else ""
            return Names(f"{prefix}{holder.name}", dns_name)
        case Kind.NODE:
            split_node_id(holder.name)
            return Names(holder.name, dns_name)
        case Kind.LAN | Kind.BROKER:
            split_node_id(holder.name)
            return Names(f"{holder.name}~{holder.box}", dns_name)


def read(names: Names, kind: Kind, domain: str) -> Holder:
    """Return whom a certificate of a kind speaks for, as its dNSName says.

    Raises:
        ProtocolError: ``san`` where the dNSName is not one of that kind in this fleet, ``cn`` where
            the CN does not repeat it, ``name``, ``oversize`` or ``box``.
    """
    suffix = f".{kind.zone}.{domain}"
    if not names.dns_name.endswith(suffix):
        raise ProtocolError("san", field="dNSName", got=names.dns_name, bound=f"<name>{suffix}")
    name = names.dns_name.removesuffix(suffix)
    holder = Holder(kind, name, _box(names.common_name) if kind.has_box else 0)
    written = write(holder, domain)
    if written.common_name != names.common_name:
        raise ProtocolError("cn", field="CN", got=names.common_name, bound=written.common_name)
    return holder


def node_holder(kind: Kind, site: str, node: str, box: int = 0) -> Holder:
    """Return the holder of a node's certificate.

    Raises:
        ProtocolError: ``name`` or ``oversize``.
    """
    return Holder(kind, node_id(site, node), box)


def pin(public_key_der: bytes) -> str:
    """Return what pins a root: the first half of SHA-256 over its SubjectPublicKeyInfo (base64url).

    Args:
        public_key_der: the DER of the whole SubjectPublicKeyInfo (RFC 5280, 4.1), as RFC 7469 pins.
    """
    return to_text(sha256(public_key_der).digest()[:PIN_BYTES])


def check_pin(text: str) -> bytes:
    """Return a pin as bytes.

    Raises:
        ProtocolError: ``pin``.
    """
    bound = f"{PIN_BYTES} bytes in base64url, as `roost ca show` prints them"
    try:
        pin = from_text(text.strip())
    except ProtocolError as err:
        raise ProtocolError("pin", field="pin", got=text[:64], bound=bound) from err
    if len(pin) != PIN_BYTES:
        raise ProtocolError("pin", field="pin", got=text[:64], bound=bound)
    return pin


def _check_box(holder: Holder) -> None:
    low, high = (1, BOX_MAX) if holder.kind.has_box else (0, 0)
    if not low <= holder.box <= high:
        raise ProtocolError("box", field="box", got=holder.box, bound=f"{low} to {high}")


def _box(common_name: str) -> int:
    """Return the number behind the tilde; 0, which no box has, where there is none."""
    digits = common_name.rpartition("~")[2]
    is_number = digits.isascii() and digits.isdecimal() and len(digits) <= len(str(BOX_MAX))
    return int(digits) if is_number else 0
