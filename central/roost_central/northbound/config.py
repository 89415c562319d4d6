"""What northbound is told: where the NOC's tools are. Secrets stand in files, never here.

``read`` takes the ``[northbound]`` table of the configuration and collects every fault. A secret's
file must not be readable by others; what is in it is read when it is used, so that it can change.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from roost_central.alarms.flat import LABELS_MAX
from roost_central.config_section import Fault, Section, Table, is_loopback
from roost_central.fleet.query import QueryError
from roost_central.northbound.noc_tenants import Tenancy
from roost_central.northbound.noc_tree import VALUES

NOC_PORT: Final = 8884
NOC_NAME: Final = "noc"  # of the certificate of its broker
TARGETS_MAX: Final = 32  # each has a task, and a cursor that is written each second
READERS_MAX: Final = 64
TENANTS_MAX: Final = 16  # each is a tree of its own that each change of its sites is told in
HOOK_FORMATS: Final = ("standard", "servicenow")
SNMP_PROFILES: Final = ("roost", "wrs", "rfc3877")
RATE_MAX: Final = 150  # informs a second that one target is sent at most (faults.md section 7)


@dataclass(frozen=True, slots=True)
class TenantConfig:
    """Who reads the tree of some sites only, and the query that selects them."""

    name: str
    query: str
    readers: tuple[str, ...]
    collapse: bool = False


@dataclass(frozen=True, slots=True)
class NocBrokerConfig:
    """The NOC's broker: a Mosquitto of its own, with accounts that only read.

    Attributes:
        domain: of the fleet, whose server CA gives the listener its certificate; empty: it is on
            loopback, in clear text.
        readers: of the whole tree.
        collapsed_readers: of the tree without the members of incidents.
        values: numbers of each site that are told as topics of their own, of noc_tree.VALUES.
    """

    host: str = "127.0.0.1"
    port: int = NOC_PORT
    readers: tuple[str, ...] = ("noc",)
    collapsed_readers: tuple[str, ...] = ()
    tenants: tuple[TenantConfig, ...] = ()
    values: tuple[str, ...] = ()
    domain: str = ""

    @property
    def server_name(self) -> str:
        """The name in its certificate."""
        return f"{NOC_NAME}.svc.{self.domain}"

    @property
    def url(self) -> str:
        """Where it listens, for people."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt{'s' if self.domain else ''}://{shown}:{self.port}"

    @property
    def near(self) -> str:
        """The address by which this machine reaches it."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104

    @property
    def accounts(self) -> tuple[str, ...]:
        """Everybody who reads something."""
        of_tenants = (reader for tenant in self.tenants for reader in tenant.readers)
        return (*self.readers, *self.collapsed_readers, *of_tenants)


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
    """One receiver of webhooks; two secrets are valid while one is changed for another.

    Attributes:
        format: of the body: ``standard``, or ``servicenow`` for its em/jsonv2.
        authorization_file: the whole value of an Authorization header, such as ``Basic ...``.
    """

    name: str
    url: str
    secret_file: Path | None = None
    old_secret_file: Path | None = None
    allow_private: bool = False
    format: str = "standard"
    authorization_file: Path | None = None


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


def read(table: Table, fault: Fault, fleet_domain: str = "") -> NorthboundConfig:
    """Return the configuration of a ``[northbound]`` table; ``fault`` hears what is wrong."""
    top = Section(table, "northbound.", fault)
    known = ("mqtt", "snmp", "snmp_agent", "webhook", "alertmanager", "site_metrics", "labels")
    top.only(*known)
    config = NorthboundConfig(
        mqtt=_noc_broker(section, fleet_domain) if (section := top.section("mqtt")) else None,
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


def _labels(at: Section) -> tuple[str, ...]:
    given: list[object] = at.get("labels", list[object]())
    names = tuple(each for each in given if isinstance(each, str))
    if len(names) != len(given) or len(names) > LABELS_MAX:
        at.fault("labels", f"is a list of at most {LABELS_MAX} names of labels")
    return names


def _noc_broker(at: Section, fleet_domain: str) -> NocBrokerConfig:
    at.only("host", "port", "readers", "collapsed_readers", "tenant", "site_values")
    default = NocBrokerConfig()
    host = at.get("host", default.host)
    has_tls = not is_loopback(host)
    if has_tls and not fleet_domain:
        at.fault(
            "host",
            f"{host!r} is not a loopback address, and passwords must not cross a network in the "
            f"clear: set fleet.domain, whose signer gives it a certificate, or set host = "
            f'"{default.host}" and put a TLS proxy before it',
        )
    config = NocBrokerConfig(
        host=host,
        domain=fleet_domain if has_tls else "",
        port=at.port(default.port),
        readers=at.names("readers", default.readers),
        collapsed_readers=at.names("collapsed_readers", ()),
        tenants=tuple(_tenant(each) for each in at.sections("tenant")),
        values=_values(at),
    )
    accounts, tenants = config.accounts, [tenant.name for tenant in config.tenants]
    for name in sorted({each for each in accounts if accounts.count(each) > 1}):
        at.fault("readers", f"{name!r} stands twice: an account reads one tree")
    for name in sorted({each for each in tenants if tenants.count(each) > 1}):
        at.fault("tenant", f"{name!r} stands twice")
    if len(accounts) > READERS_MAX:
        at.fault("readers", f"there are {len(accounts)} of all trees, at most {READERS_MAX}")
    if len(tenants) > TENANTS_MAX:
        at.fault("tenant", f"there are {len(tenants)}, at most {TENANTS_MAX}")
    return config


def _tenant(at: Section) -> TenantConfig:
    at.only("name", "query", "readers", "collapse")
    query = at.needed("query")
    if query:
        try:
            Tenancy(query)
        except QueryError as err:
            at.fault("query", f"{query!r}: {err.message}")
    return TenantConfig(
        name=at.name(),
        query=query,
        readers=at.names("readers", ()),
        collapse=at.get("collapse", default=False),
    )


def _values(at: Section) -> tuple[str, ...]:
    names: list[object] = at.get("site_values", list[object]())
    values = tuple(each for each in VALUES if each in names)
    if len(values) != len(names):
        at.fault("site_values", f"is a list of different names of {', '.join(VALUES)}")
    return values


def _snmp_user(at: Section) -> SnmpUser:
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


def _snmp(at: Section) -> SnmpConfig:
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


def _snmp_agent(at: Section) -> SnmpAgentConfig:
    at.only("host", "port", *_USER_KEYS)
    agent = SnmpAgentConfig(
        host=at.get("host", "127.0.0.1"), port=at.port(1161), who=_snmp_user(at)
    )
    if agent.who.version != "3" and not is_loopback(agent.host):
        at.fault("host", f"{agent.host!r} is not a loopback address: a community crosses in clear")
    return agent


def _webhook(at: Section) -> WebhookConfig:
    files = ("secret_file", "old_secret_file", "authorization_file")
    at.only("name", "url", "format", "allow_private", *files)
    allow_private = at.get("allow_private", default=False)
    form = at.get("format", HOOK_FORMATS[0])
    if form not in HOOK_FORMATS:
        at.fault("format", f"{form!r} is not one of {', '.join(HOOK_FORMATS)}")
    is_standard = form == HOOK_FORMATS[0]
    return WebhookConfig(
        name=at.name(),
        url=at.url(allow_private=allow_private),
        secret_file=at.file("secret_file", needed=is_standard),
        old_secret_file=at.file("old_secret_file"),
        allow_private=allow_private,
        format=form,
        authorization_file=at.file("authorization_file", needed=not is_standard),
    )


def _alertmanager(at: Section) -> AlertmanagerConfig:
    at.only("name", "url", "token_file", "allow_private")
    allow_private = at.get("allow_private", default=False)
    return AlertmanagerConfig(
        name=at.name(),
        url=at.url(allow_private=allow_private),
        token_file=at.file("token_file"),
        allow_private=allow_private,
    )
