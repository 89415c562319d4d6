"""The ``[enrol]`` table: where boxes come to, and which brokers they are sent to."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from roost_central.config_section import Section
from roost_central.enrol.config_rules import Maker, read_makers, read_rules
from roost_central.enrol.rules import Rule
from roost_protocol.enrol import BROKERS_MAX, Broker
from roost_protocol.errors import ProtocolError
from roost_protocol.topics import check_path_name

DEFAULT_PORT: Final = 8471
PORTS: Final = range(1 << 16)


@dataclass(frozen=True, slots=True)
class EnrolConfig:
    """Enrolment, where it is configured.

    Attributes:
        public_url: how boxes reach the listener, for the line that joins one.
        brokers: what a new node is told to connect to.
        makers, tpm_makers: whose factory certificates are believed, and whose TPMs.
        rules: which boxes go where without anybody asked.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    public_url: str = ""
    brokers: tuple[Broker, ...] = ()
    makers: tuple[Maker, ...] = ()
    tpm_makers: tuple[Maker, ...] = ()
    rules: tuple[Rule, ...] = ()


def read(section: Section, fleet_domain: str) -> EnrolConfig:
    """Return what ``[enrol]`` says."""
    section.only("host", "port", "public_url", "broker", "maker", "tpm_maker", "rule")
    port = section.get("port", DEFAULT_PORT)
    if port not in PORTS:
        section.fault("port", f"{port} is not between 0 and {PORTS[-1]}")
    host = section.get("host", "127.0.0.1")
    public_url = section.get("public_url", f"https://{host}:{port}").rstrip("/")
    if not _is_url(public_url, "https"):
        section.fault("public_url", f"{public_url[:200]!r} is not like https://roost.example:8471")
    brokers = section.sections("broker")
    if not 1 <= len(brokers) <= BROKERS_MAX:
        section.fault("broker", f"there are {len(brokers)}; nodes are told of 1 to {BROKERS_MAX}")
    if not fleet_domain:
        section.fault("broker", "needs fleet.domain, which every certificate is named by")
    makers, tpm_makers = (read_makers(section, key) for key in ("maker", "tpm_maker"))
    return EnrolConfig(
        host=host,
        port=port,
        public_url=public_url,
        brokers=tuple(_broker(each) for each in brokers),
        makers=makers,
        tpm_makers=tpm_makers,
        rules=read_rules(section, makers, tpm_makers),
    )


def _broker(section: Section) -> Broker:
    section.only("name", "url")
    broker = Broker(section.get("name", ""), section.get("url", ""))
    try:
        check_path_name(broker.name)
    except ProtocolError as err:
        section.fault("name", f"{broker.name!r} is not {err.bound}; its certificate has it")
    if not _is_url(broker.url, "mqtts"):
        section.fault("url", f"{broker.url[:200]!r} is not like mqtts://broker.example:8883")
    return broker


def _is_url(text: str, scheme: str) -> bool:
    try:
        parts = urlsplit(text)
        return (
            parts.scheme == scheme and bool(parts.hostname) and parts.port != 0 and not parts.path
        )
    except ValueError:
        return False
