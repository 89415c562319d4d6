"""What northbound is told: where the NOC's tools are. Secrets stand in files, never here.

``read`` takes the ``[northbound]`` table of the configuration and collects every fault. A secret's
file must not be readable by others; what is in it is read when it is used, so that it can change.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar, cast
from urllib.parse import urlsplit

from roost_central.alarms.flat import LABELS_MAX
from roost_central.errors import ConfigError
from roost_central.fleet.query_suggest import closest

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
SECRET_BYTES_MAX: Final = 4_096
SECRET_BYTES_MIN: Final = 8  # SNMPv3's least (RFC 3414 section 11.2); a short one is guessed
OTHERS_READ: Final = 0o004
NOC_PORT: Final = 8884
TARGETS_MAX: Final = 32  # each has a task, and a cursor that is written each second
READERS_MAX: Final = 64
PORT_MAX: Final = 65_535
SNMP_PROFILES: Final = ("roost", "wrs", "rfc3877")
RATE_MAX: Final = 150  # informs a second that one target is sent at most (faults.md section 7)

T = TypeVar("T")
Table = Mapping[str, object]
Fault = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class NocBrokerConfig:
    """The NOC's broker: a Mosquitto of its own on loopback, with accounts that only read."""

    host: str = "127.0.0.1"
    port: int = NOC_PORT
    readers: tuple[str, ...] = ("noc",)


@dataclass(frozen=True, slots=True)
class SnmpUser:
    """Who speaks SNMP: a community (v2c), or a user with its two pass phrases (v3)."""

    version: str = "3"
    community_file: Path | None = None
    user: str = ""
    auth: str = "sha256"
    auth_file: Path | None = None
    priv_file: Path | None = None


@dataclass(frozen=True, slots=True)
class SnmpConfig:
    """One receiver of notifications; ``profile`` is the MIB that it knows."""

    name: str
    host: str
    port: int = 162
    who: SnmpUser = SnmpUser()
    profile: str = "roost"
    confirmed: bool = True  # informs
    rate: int = 50
    burst: int = 100


@dataclass(frozen=True, slots=True)
class SnmpAgentConfig:
    """Where the active alarms are read by GET, GETNEXT and GETBULK."""

    host: str = "127.0.0.1"
    port: int = 1161
    who: SnmpUser = SnmpUser()


@dataclass(frozen=True, slots=True)
class WebhookConfig:
    """One receiver of webhooks; two secrets are valid while one is changed for another."""

    name: str
    url: str
    secret_file: Path
    old_secret_file: Path | None = None
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class AlertmanagerConfig:
    """One Alertmanager."""

    name: str
    url: str
    token_file: Path | None = None
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class NorthboundConfig:
    """All of it; nothing is served that is not named, except ``/metrics``.

    Attributes:
        labels: of an alarm's site, told with it as ``label_<name>``.
    """

    mqtt: NocBrokerConfig | None = None
    snmp: tuple[SnmpConfig, ...] = ()
    snmp_agent: SnmpAgentConfig | None = None
    webhook: tuple[WebhookConfig, ...] = ()
    alertmanager: tuple[AlertmanagerConfig, ...] = ()
    site_metrics: bool = False
    labels: tuple[str, ...] = ()


def read(table: Table, fault: Fault) -> NorthboundConfig:
    """Return the configuration of a ``[northbound]`` table; ``fault`` hears what is wrong."""
    top = _Section(table, "northbound.", fault)
    known = ("mqtt", "snmp", "snmp_agent", "webhook", "alertmanager", "site_metrics", "labels")
    top.only(*known)
    config = NorthboundConfig(
        mqtt=_noc_broker(section) if (section := top.section("mqtt")) else None,
        snmp=tuple(_snmp(each) for each in top.sections("snmp")),
        snmp_agent=_snmp_agent(section) if (section := top.section("snmp_agent")) else None,
        webhook=tuple(_webhook(each) for each in top.sections("webhook")),
        alertmanager=tuple(_alertmanager(each) for each in top.sections("alertmanager")),
        site_metrics=top.get("site_metrics", default=False),
        labels=_labels(top),
    )
    names = [each.name for each in config.snmp]
    names += [each.name for each in config.webhook]
    names += [each.name for each in config.alertmanager]
    for name in sorted({each for each in names if names.count(each) > 1 or each == "mqtt"}):
        fault(f"northbound target {name!r}", "the name stands twice (mqtt is the broker's)")
    if len(names) > TARGETS_MAX:
        fault("northbound", f"there are {len(names)} targets, at most {TARGETS_MAX} are served")
    return config


def _labels(at: "_Section") -> tuple[str, ...]:
    given: list[object] = at.get("labels", list[object]())
    names = tuple(each for each in given if isinstance(each, str))
    if len(names) != len(given) or len(names) > LABELS_MAX:
        at.fault("labels", f"is a list of at most {LABELS_MAX} names of labels")
    return names


def secret(path: Path) -> bytes:
    """Return what a secret's file holds, without the white space around it.

    Raises:
        ConfigError: ``secret``: the file cannot be used.
    """
    try:
        if path.stat().st_mode & OTHERS_READ:
            raise ConfigError("secret", field=str(path), bound="not readable by others (0640)")
        if path.stat().st_size > SECRET_BYTES_MAX:
            raise ConfigError("secret", field=str(path), bound=f"{SECRET_BYTES_MAX} bytes")
        found = path.read_bytes().strip()
    except OSError as err:
        raise ConfigError("secret", field=str(path), bound=err.strerror) from err
    if len(found) < SECRET_BYTES_MIN:
        raise ConfigError("secret", field=str(path), bound=f"at least {SECRET_BYTES_MIN} bytes")
    return found


def is_loopback(host: str) -> bool:
    """Whether only this machine is at an address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _noc_broker(at: "_Section") -> NocBrokerConfig:
    at.only("host", "port", "readers")
    default = NocBrokerConfig()
    readers: list[object] = at.get("readers", list[object](default.readers))
    names = [each if isinstance(each, str) else "" for each in readers]
    if not all(NAME.fullmatch(name) for name in names) or len(set(names)) != len(names):
        at.fault("readers", "is a list of different names of 1 to 32 of a-z 0-9 -")
    if len(names) > READERS_MAX:
        at.fault("readers", f"there are {len(names)}, at most {READERS_MAX}")
    host = at.get("host", default.host)
    if not is_loopback(host):
        at.fault("host", f"{host!r} is not a loopback address: a TLS proxy stands before it")
    return NocBrokerConfig(host=host, port=at.port(default.port), readers=tuple(names))


def _snmp_user(at: "_Section") -> SnmpUser:
    version = at.get("version", "3")
    if version not in {"2c", "3"}:
        at.fault("version", f"{version!r} is neither 2c nor 3")
    user = SnmpUser(
        version=version,
        community_file=at.file("community_file", needed=version == "2c"),
        user=at.get("user", ""),
        auth=at.get("auth", "sha256"),
        auth_file=at.file("auth_file", needed=version == "3"),
        priv_file=at.file("priv_file", needed=version == "3"),
    )
    if version == "3" and not 1 <= len(user.user) <= 32:  # noqa: PLR2004 - RFC 3414's usmUserName
        at.fault("user", "SNMPv3 needs a user name of 1 to 32 characters")
    if user.auth not in {"sha", "sha256"}:
        at.fault("auth", f"{user.auth!r} is neither sha nor sha256")
    return user


_USER_KEYS: Final = ("version", "community_file", "user", "auth", "auth_file", "priv_file")


def _snmp(at: "_Section") -> SnmpConfig:
    at.only("name", "host", "port", "kind", "profile", "rate", "burst", *_USER_KEYS)
    kind = at.get("kind", "inform")
    if kind not in {"inform", "trap"}:
        at.fault("kind", f"{kind!r} is neither inform nor trap")
    profile = at.get("profile", SNMP_PROFILES[0])
    if profile not in SNMP_PROFILES:
        at.fault("profile", f"{profile!r} is not one of {', '.join(SNMP_PROFILES)}")
    rate, burst = at.get("rate", 50), at.get("burst", 100)
    if not (1 <= rate <= RATE_MAX and 1 <= burst <= 10 * RATE_MAX):
        at.fault("rate", f"rate is 1 to {RATE_MAX} a second, burst 1 to {10 * RATE_MAX}")
    return SnmpConfig(
        name=at.name(),
        host=at.needed("host"),
        port=at.port(162),
        who=_snmp_user(at),
        profile=profile,
        confirmed=kind == "inform",
        rate=rate,
        burst=burst,
    )


def _snmp_agent(at: "_Section") -> SnmpAgentConfig:
    at.only("host", "port", *_USER_KEYS)
    agent = SnmpAgentConfig(
        host=at.get("host", "127.0.0.1"), port=at.port(1161), who=_snmp_user(at)
    )
    if agent.who.version != "3" and not is_loopback(agent.host):
        at.fault("host", f"{agent.host!r} is not a loopback address: a community crosses in clear")
    return agent


def _webhook(at: "_Section") -> WebhookConfig:
    at.only("name", "url", "secret_file", "old_secret_file", "allow_private")
    allow_private = at.get("allow_private", default=False)
    return WebhookConfig(
        name=at.name(),
        url=at.url(allow_private=allow_private),
        secret_file=at.file("secret_file", needed=True) or Path(),
        old_secret_file=at.file("old_secret_file"),
        allow_private=allow_private,
    )


def _alertmanager(at: "_Section") -> AlertmanagerConfig:
    at.only("name", "url", "token_file", "allow_private")
    allow_private = at.get("allow_private", default=False)
    return AlertmanagerConfig(
        name=at.name(),
        url=at.url(allow_private=allow_private),
        token_file=at.file("token_file"),
        allow_private=allow_private,
    )


class _Section:
    """One table, read by key; what is wrong is told under its full name."""

    def __init__(self, table: Table, prefix: str, fault: Fault) -> None:
        self._table = table
        self._prefix = prefix
        self._fault = fault

    def fault(self, key: str, what: str) -> None:
        """Tell what is wrong."""
        self._fault(f"{self._prefix}{key}", what)

    def only(self, *known: str) -> None:
        """Refuse other keys."""
        for name in self._table:
            if name not in known:
                suggestion = closest(name, known)
                hint = f": did you mean {self._prefix}{suggestion}?" if suggestion else ""
                self.fault(name, f"is not known{hint}")

    def get(self, key: str, default: T) -> T:
        """Return a value of the default's type."""
        value = self._table.get(key, default)
        if type(value) is not type(default):
            kinds = {str: "a text", int: "a number", bool: "true or false", list: "a list"}
            self.fault(key, f"{value!r} is not {kinds.get(type(default), 'a table')}")
            return default
        return value

    def needed(self, key: str) -> str:
        """Return a text that must be there."""
        text = self.get(key, "")
        if not text:
            self.fault(key, "is missing")
        return text

    def name(self) -> str:
        """Return the target's name."""
        name = self.needed("name")
        if name and not NAME.fullmatch(name):
            self.fault("name", f"{name!r}: a name has 1 to 32 of a-z 0-9 -")
        return name

    def port(self, default: int) -> int:
        """Return a port."""
        port = self.get("port", default)
        if not 0 < port <= PORT_MAX:
            self.fault("port", f"{port} is not between 1 and {PORT_MAX}")
        return port

    def file(self, key: str, *, needed: bool = False) -> Path | None:
        """Return the file of a secret, looked at already now."""
        text = self.needed(key) if needed else self.get(key, "")
        if not text:
            return None
        try:
            secret(Path(text))
        except ConfigError as err:
            self.fault(key, f"{text!r} cannot be used: {err.bound}")
        return Path(text)

    def url(self, *, allow_private: bool) -> str:
        """Return an address of HTTP: in the clear only where private ranges are allowed."""
        text = self.needed("url")
        try:
            parts = urlsplit(text)
            is_address = bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            is_address = False
            parts = urlsplit("")
        if text and (not is_address or parts.scheme not in {"http", "https"} or parts.username):
            self.fault("url", "is not https://HOST[:PORT]/PATH without a user")
        elif parts.scheme == "http" and not allow_private:
            self.fault("url", "is in the clear: use https, or allow_private for your own network")
        return text

    def section(self, key: str) -> "_Section | None":
        """Return a table, None where it is not there."""
        table = self._table.get(key)
        if table is None:
            return None
        if not isinstance(table, dict):
            self.fault(key, f"is written as [{self._prefix}{key}]")
            return None
        return _Section(cast("Table", table), f"{self._prefix}{key}.", self._fault)

    def sections(self, key: str) -> "list[_Section]":
        """Return the tables of a list."""
        tables = self._table.get(key, [])
        if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
            self.fault(key, f"is written as [[{self._prefix}{key}]]")
            return []
        return [_Section(each, f"{self._prefix}{key}.", self._fault) for each in tables]
