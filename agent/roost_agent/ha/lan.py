"""How site brokers and their clients know each other: by certificates of the LAN CA, and no others.

The LAN CA is not below the fleet's root, so no site broker can pose as the centre, and no node's
certificate opens a site broker. A LAN certificate names the box (``<node-id>~<box>``) and has no
end: membership decides who is in (roster.py) and not time, so no clock stops a site (design:
security, section 3).

Invariants: a box that has an identity speaks TLS to every site broker and never falls back; the
broker's name, its issuer and its box are all checked; nothing of a certificate is skipped.
"""

import ssl
from collections.abc import Callable
from pathlib import Path

import msgspec

from roost_agent.enrolled import (
    BROKER_CERTIFICATE,
    BROKER_KEY,
    LAN_CA,
    LAN_CERTIFICATE,
    LAN_KEY,
    Enrolled,
)
from roost_agent.errors import AgentError, ConfigError
from roost_agent.ha.broker_files import BrokerTls
from roost_agent.ha.config import HaConfig
from roost_protocol.certificate import Holder, Kind, write
from roost_protocol.tls import NamedContext


class LanIdentity(msgspec.Struct, frozen=True):
    """Which box of the fleet this is, on its LAN.

    Attributes:
        folder: of the identity, where the files are.
        box: which one of its slot.
    """

    folder: Path
    domain: str
    site: str
    node: str
    box: int

    @property
    def broker_files(self) -> BrokerTls:
        """What this node's broker shows, and whom it believes."""
        of = self.folder
        return BrokerTls(of / LAN_CA, of / BROKER_CERTIFICATE, of / BROKER_KEY)

    def user(self, node: str, box: int) -> str:
        """Return the name that a box of this site has at a broker: its certificate's CN."""
        return write(Holder(Kind.LAN, f"{self.site}.{node}", box), self.domain).common_name

    def context(self, broker: str) -> NamedContext:
        """Return the TLS of a client of the broker on a node.

        Raises:
            ConfigError: the files cannot be used.
        """
        holder = Holder(Kind.BROKER, f"{self.site}.{broker}", 1)
        name = write(holder, self.domain).dns_name  # it has no box's number
        try:
            context = NamedContext.of(name, self.folder / LAN_CA)
            context.load_cert_chain(self.folder / LAN_CERTIFICATE, self.folder / LAN_KEY)
        except (OSError, ssl.SSLError) as err:
            hint = "restore it, or join again with --new-key"
            raise ConfigError([f"{self.folder}: the LAN certificate: {err}; {hint}"]) from err
        return context


class LanClient(msgspec.Struct, frozen=True):
    """One path's TLS.

    Attributes:
        expected: the CN of the broker's certificate as the roster has it now, None: no member.
    """

    context: ssl.SSLContext
    expected: Callable[[], str | None]

    def check(self, sock: object) -> None:
        """See that a broker is the box that its node has now: one that was replaced may listen on.

        Raises:
            AgentError: it is another.
        """
        found = common_name(sock)
        expected = self.expected()
        if found is None or found != expected:
            hint = "see [[node]] box in ha.toml"
            raise AgentError(f"the broker is box {found}, the site has {expected}; {hint}")


def lan_of(enrolled: Enrolled | None) -> LanIdentity | None:
    """Return the LAN identity of an enrolled box, None of one that is not enrolled.

    Raises:
        ConfigError: it is enrolled, and files of it are missing: it does not fall back.
    """
    if enrolled is None:
        return None
    names = (LAN_CA, LAN_CERTIFICATE, LAN_KEY)
    missing = [name for name in names if not (enrolled.folder / name).is_file()]
    if missing:
        hint = "restore it, or join again with --new-key"
        raise ConfigError([f"{enrolled.folder / name}: is missing; {hint}" for name in missing])
    facts = enrolled.facts
    return LanIdentity(enrolled.folder, facts.fleet_domain, facts.site, facts.node, facts.box)


def box_faults(config: HaConfig, lan: LanIdentity) -> list[str]:
    """Return what is wrong with the site file's word on this box: its peers go by it."""
    said = config.node(lan.node).box
    if said == lan.box:
        return []
    hint = f"this box is number {lan.box} of its slot; write so in the file of every node"
    return [f"node[{lan.node}].box: {said}: {hint}"]


def common_name(sock: object) -> str | None:
    """Return the CN of the certificate that the other end of a connection has shown."""
    found = sock.getpeercert() if isinstance(sock, ssl.SSLSocket | ssl.SSLObject) else None
    subject = () if found is None else found.get("subject", ())
    names = [pair[1] for part in subject for pair in part if pair[0] == "commonName"]
    return names[0] if len(names) == 1 else None
