"""What can be set of the fleet and its brokers: ``[fleet]``, ``[fleet_broker]``, ``[[broker]]``.

Each function reads one table and tells every fault; what it returns is safe to use then.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from roost_central.brokers.fleet_files import INGEST
from roost_central.config_section import NAME, Section
from roost_central.ingest.config import BrokerAddress
from roost_central.ingest.tls import BrokerTls
from roost_central.signer.message import SIGNER_SOCKET
from roost_protocol.certificate import check_domain
from roost_protocol.errors import ProtocolError

FLEET_PORT: Final = 8883
CONNECTIONS: Final = range(10, 200_001)  # of the fleet's broker
BROKER_KEYS: Final = ("name", "url", "ca", "cert", "key", "server_name")
OWN_FILES: Final = ("root.pem", "cert.pem", "key.pem")


@dataclass(frozen=True, slots=True)
class FleetConfig:
    """The fleet's names, and who signs for them.

    Attributes:
        domain: below which every certificate is named; empty: nobody can be enrolled.
        signer_socket: of ``roost-central signer``.
    """

    domain: str = ""
    signer_socket: Path = SIGNER_SOCKET


@dataclass(frozen=True, slots=True)
class FleetBrokerConfig:
    """The broker that ``roost-central broker`` runs for the fleet, with mTLS only.

    Attributes:
        name: its certificate is for ``<name>.svc.<domain>``.
    """

    name: str = "b1"
    host: str = "0.0.0.0"  # noqa: S104 - nodes are elsewhere, and each shows its certificate
    port: int = FLEET_PORT
    connections_max: int = 20_000

    def address(self, fleet_domain: str, tls_folder: Path) -> BrokerAddress:
        """Return where ingest finds it on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        shown = f"[{host}]" if ":" in host else host
        tls = own_tls(tls_folder, f"{self.name}.svc.{fleet_domain}")
        return BrokerAddress.parse(self.name, f"mqtts://{shown}:{self.port}", tls)


def own_tls(tls_folder: Path, server_name: str) -> BrokerTls:
    """Return how a broker of the fleet is spoken to with ingest's own certificate."""
    ca, cert, key = (tls_folder / INGEST / name for name in OWN_FILES)
    return BrokerTls(ca, cert, key, server_name)


def fleet(at: Section, signer: Section) -> FleetConfig:
    """Return what ``[fleet]`` and ``[signer]`` say."""
    at.only("domain")
    signer.only("socket")
    domain = at.get("domain", "")
    if domain:
        try:
            check_domain(domain)
        except ProtocolError as err:
            at.fault("domain", f"{domain!r} is not {err.bound}")
    socket = signer.get("socket", str(SIGNER_SOCKET))
    if not socket.startswith("/"):
        signer.fault("socket", f"{socket!r} is not an absolute path")
    return FleetConfig(domain, Path(socket))


def fleet_broker(at: Section, fleet_domain: str) -> FleetBrokerConfig:
    """Return what ``[fleet_broker]`` says."""
    at.only("name", "host", "port", "connections_max")
    default = FleetBrokerConfig()
    name = at.get("name", default.name)
    if not NAME.fullmatch(name):
        at.fault("name", f"{name!r}: a name has 1 to 32 of a-z 0-9 -")
    connections = at.get("connections_max", default.connections_max)
    if connections not in CONNECTIONS:
        span = f"{CONNECTIONS[0]} and {CONNECTIONS[-1]}"
        at.fault("connections_max", f"{connections} is not between {span}")
    if not fleet_domain:
        at.fault("name", "needs fleet.domain, which its certificate is named by")
    port = at.port(default.port)
    return FleetBrokerConfig(name, at.get("host", default.host), port, connections)


def broker_tls(at: Section, name: str, fleet_domain: str, tls_folder: Path) -> BrokerTls | None:
    """Return the TLS of one ``[[broker]]``, None for one in the clear.

    With ``ca``, ``cert`` and ``key`` it is a broker of somebody else's; without, one of the fleet,
    which knows ingest by its own certificate.
    """
    files = {key: at.get(key, "") for key in ("ca", "cert", "key")}
    server_name = at.get("server_name", "")
    if not at.get("url", "").startswith("mqtts:"):
        for key in (key for key, value in {**files, "server_name": server_name}.items() if value):
            at.fault(key, "only a mqtts:// broker uses it")
        return None
    if not any(files.values()):
        if not fleet_domain:
            at.fault("ca", "is missing, and cert and key; or set fleet.domain, for one of ours")
        return own_tls(tls_folder, server_name or f"{name}.svc.{fleet_domain}")
    for key, value in files.items():
        if not Path(value).is_file():
            at.fault(key, f"there is no file {value!r}; ca, cert and key belong together")
    if not server_name:
        at.fault("server_name", "is missing: what the broker's certificate must name")
    return BrokerTls(Path(files["ca"]), Path(files["cert"]), Path(files["key"]), server_name)
