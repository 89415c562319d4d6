"""What ingest is told: its brokers, its shards, whom to admit. Read from a file elsewhere."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from roost_central.config_section import is_loopback
from roost_central.errors import ConfigError
from roost_central.ingest.tls import BrokerTls
from roost_central.storage.retention import Retention
from roost_protocol.limits import SHARDS

PORTS: Final = {"mqtt": 1883, "mqtts": 8883}

Admission = Literal["loopback", "registered"]


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """One broker that agents' WAN paths end at."""

    name: str
    url: str
    host: str
    port: int
    tls: BrokerTls | None = None

    @classmethod
    def parse(cls, name: str, url: str, tls: BrokerTls | None = None) -> "BrokerAddress":
        """Return the address in ``mqtts://HOST[:PORT]``, or without ``tls`` in ``mqtt://...``.

        Raises:
            ConfigError: ``url``.
        """
        scheme = "mqtt" if tls is None else "mqtts"
        bound = f"{scheme}://HOST[:PORT]"
        try:
            parts = urlsplit(url)
            port = parts.port or PORTS[scheme]
        except ValueError as err:
            raise ConfigError("url", field=f"broker {name}", got=url, bound=str(err)) from err
        if parts.scheme != scheme or not parts.hostname or parts.path not in {"", "/"}:
            raise ConfigError("url", field=f"broker {name}", got=url, bound=bound)
        return cls(name=name, url=url, host=parts.hostname, port=port, tls=tls)

    def is_ours(self, tls_folder: Path) -> bool:
        """Whether it is a broker of the fleet: it is shown the certificate that is kept there."""
        return self.tls is not None and self.tls.cert.is_relative_to(tls_folder)

    @property
    def is_bare(self) -> bool:
        """Whether it is in the clear on loopback: a node that was never enrolled may come by it."""
        return self.tls is None and self.is_loopback

    @property
    def is_loopback(self) -> bool:
        """Whether only processes of this machine can be at that address."""
        return is_loopback(self.host)


@dataclass(frozen=True, slots=True)
class IngestConfig:
    """Configuration of one ingest worker.

    Attributes:
        brokers: one client each.
        shards: owned by this worker.
        admit: ``loopback`` takes in unknown nodes that come by a broker on loopback (the demo),
            ``registered`` refuses them.
        retention: how much history is kept.
        settle_s: how long silence proves nothing after a start, or after a broker came back.
    """

    brokers: tuple[BrokerAddress, ...]
    shards: tuple[int, ...] = field(default_factory=lambda: tuple(range(SHARDS)))
    admit: Admission = "registered"
    retention: Retention = field(default_factory=Retention)
    settle_s: int = 120

    @property
    def bare_brokers(self) -> tuple[str, ...]:
        """Names of the brokers by which a node that was never enrolled may speak."""
        return tuple(broker.name for broker in self.brokers if broker.is_bare)
