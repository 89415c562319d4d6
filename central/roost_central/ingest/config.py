"""What ingest is told: its brokers, its shards, whom to admit. Read from a file elsewhere."""

import ipaddress
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

from roost_central.errors import ConfigError
from roost_central.storage.retention import Retention
from roost_protocol.limits import SHARDS

DEFAULT_PORT: Final = 1883

Admission = Literal["loopback", "registered"]


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """One broker that agents' WAN paths end at."""

    name: str
    url: str
    host: str
    port: int

    @classmethod
    def parse(cls, name: str, url: str) -> "BrokerAddress":
        """Return the address in ``mqtt://HOST[:PORT]``.

        Raises:
            ConfigError: ``url``.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or DEFAULT_PORT
        except ValueError as err:
            raise ConfigError("url", field=f"broker {name}", got=url, bound=str(err)) from err
        if parts.scheme != "mqtt" or not parts.hostname or parts.path not in {"", "/"}:
            raise ConfigError("url", field=f"broker {name}", got=url, bound="mqtt://HOST[:PORT]")
        return cls(name=name, url=url, host=parts.hostname, port=port)

    @property
    def is_loopback(self) -> bool:
        """Whether only processes of this machine can be at that address."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


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
        """Names of the brokers on loopback: by them, a node that was never enrolled may speak."""
        return tuple(broker.name for broker in self.brokers if broker.is_loopback)
