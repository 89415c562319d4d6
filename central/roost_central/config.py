"""Central's configuration: a TOML file, flags over it, all faults told at once.

What can be set is the frozen dataclasses below; an unknown key is a fault with a suggestion.
Leaves opening what is named to app.py, except that it looks whether TLS files are there.
"""

import re
import ssl
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeVar, cast, get_args
from urllib.parse import urlsplit

from roost_central.brokers import config as brokers_config
from roost_central.brokers.config import BROKER_KEYS, FleetBrokerConfig, FleetConfig
from roost_central.config_section import Section, is_loopback
from roost_central.enrol import config as enrol_config
from roost_central.enrol.config import EnrolConfig
from roost_central.errors import ConfigError
from roost_central.fleet.query_suggest import closest
from roost_central.ingest.config import Admission, BrokerAddress
from roost_central.northbound import config as northbound_config
from roost_central.northbound.config import NorthboundConfig
from roost_central.oidc import config as oidc_config
from roost_central.oidc.config import OidcConfig
from roost_central.storage.retention import BOUNDS, Retention
from roost_protocol.limits import SHARDS

DEFAULT_FILE: Final = Path("/etc/roost/central.toml")
DEFAULT_DATA_DIR: Final = Path("/var/lib/roost-central")
TLS_FOLDER: Final = "tls"  # of the data directory
DEFAULT_PORT: Final = 8470
FILE_BYTES_MAX: Final = 1 << 20
BROKERS_MAX: Final = 16  # one client each; a fleet has two or three
CATALOGUES_MAX: Final = 64  # files of alarm types: one a product, and room
URL_CHARS_MAX: Final = 256  # of the console's address: it stands in every message that goes out
PORTS: Final = range(1 << 16)  # 0: the kernel chooses
SETTLES_S: Final = range(
    10, 601
)  # shorter than a reconnect; longer, and a real outage stays untold
OPERATORS: Final = range(1, 101)
_SHARDS: Final = re.compile(r"([0-9]{1,2})(?:-([0-9]{1,2}))?", re.ASCII)
_KEYS: Final = (
    "data_dir", "database", "http", "broker", "shards", "admit", "catalogues", "northbound",
    "retention", "settle_s", "operators", "fleet", "signer", "fleet_broker", "enrol",
    "witness", "oidc",
)  # fmt: skip
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)

T = TypeVar("T")
Table = Mapping[str, object]


class ConfigFaultsError(ConfigError):
    """A configuration with faults; each is a sentence that names the key and what to do."""

    def __init__(self, faults: Iterable[str]) -> None:
        super().__init__("config")
        self.faults = tuple(faults)

    def __str__(self) -> str:
        return "\n".join(self.faults)


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """Where the API and the dashboard are served; with ``cert`` and ``key`` over TLS.

    ``public_url`` is how operators reach it, for links in what leaves the house; empty: no links.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    public_url: str = ""
    cert: Path | None = None
    key: Path | None = None

    @property
    def is_secure(self) -> bool:
        """Whether it is served over TLS."""
        return self.cert is not None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return is_loopback(self.host)

    def tls_context(self) -> ssl.SSLContext | None:
        """Return what to serve with, None for plain HTTP.

        Raises:
            ConfigFaultsError: the files cannot be read or do not belong together.
        """
        if self.cert is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.cert, self.key)
        except OSError as err:  # ssl.SSLError is one
            fault = f"http.cert, http.key: cannot be used ({err}); check both files"
            raise ConfigFaultsError([fault]) from err
        return context


@dataclass(frozen=True, slots=True)
class CentralConfig:
    """All of it.

    Attributes:
        data_dir: holds the database and the admin token.
        database: where storage is; ``""`` is ``roost.db`` in ``data_dir``.
        catalogues: files of alarm types beside the shipped ones.
        brokers: none is allowed: central then serves what it knows and hears nobody.
        retention: how much history is kept.
        settle_s: how long silence proves nothing after a start, after a broker or our own message
            through it came back, and how long most of the fleet is taken for our own fault.
        operators: who share the alarms, so that a flood is one for them.
        fleet_broker: what ``roost-central broker`` runs; it is one of ``brokers`` then.
        enrol: where boxes are let in; None: nowhere.
        oidc: who logs operators in beside us; None: nobody.
        witness_keys: folder of the keys of sites that this centre is a witness of; None: of none.
    """

    data_dir: Path = DEFAULT_DATA_DIR
    database: str = ""
    http: HttpConfig = HttpConfig()
    brokers: tuple[BrokerAddress, ...] = ()
    shards: tuple[int, ...] = tuple(range(SHARDS))
    admit: Admission = "registered"
    catalogues: tuple[Path, ...] = ()
    northbound: NorthboundConfig = field(default_factory=NorthboundConfig)
    retention: Retention = field(default_factory=Retention)
    settle_s: int = 120
    operators: int = 1
    fleet: FleetConfig = field(default_factory=FleetConfig)
    fleet_broker: FleetBrokerConfig | None = None
    enrol: EnrolConfig | None = None
    witness_keys: Path | None = None
    oidc: OidcConfig | None = None

    @property
    def tls_folder(self) -> Path:
        """Where the certificates are that the signer gives this centre."""
        return self.data_dir / TLS_FOLDER

    @property
    def database_url(self) -> str:
        """The URL to open."""
        return self.database or f"sqlite+aiosqlite:///{self.data_dir / 'roost.db'}"


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says over the file; None where it says nothing."""

    data_dir: Path | None = None
    host: str | None = None
    port: int | None = None
    database: str | None = None
    brokers: tuple[str, ...] = ()


def load(path: Path | None, flags: Flags = Flags()) -> CentralConfig:
    """Return the configuration of a file and flags.

    Without a path, the default file is read where it is there.

    Raises:
        ConfigFaultsError: with every fault.
    """
    if path is None and not DEFAULT_FILE.exists():
        return check({}, flags)
    return check(_read(path or DEFAULT_FILE), flags)


def check(table: Table, flags: Flags = Flags()) -> CentralConfig:
    """Return the configuration in a table and flags.

    Raises:
        ConfigFaultsError: with every fault.
    """
    reader = _Reader()
    config = reader.central(table, flags)
    if reader.faults:
        raise ConfigFaultsError(reader.faults)
    return config


def _read(path: Path) -> Table:
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise ConfigFaultsError([f"{path}: larger than {FILE_BYTES_MAX} bytes"])
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as err:
        fault = f"{path}: {err.strerror}; name the file with --config"
        raise ConfigFaultsError([fault]) from err
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise ConfigFaultsError([f"{path}: not TOML: {err}"]) from err


class _Reader:
    """Reads tables and collects what is wrong with them."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def central(self, table: Table, flags: Flags) -> CentralConfig:
        """Read the whole."""
        self._unknown(table, _KEYS, "")
        default = CentralConfig()
        data_dir = self._get(table, "data_dir", str(default.data_dir))
        admit = self._get(table, "admit", str(default.admit))
        if admit not in get_args(Admission):
            self._fault("admit", f"{admit!r} is neither of {' and '.join(get_args(Admission))}")
        folder = flags.data_dir or Path(data_dir)
        fleet = brokers_config.fleet(self._section(table, "fleet"), self._section(table, "signer"))
        own = None
        if "fleet_broker" in table:
            own = brokers_config.fleet_broker(self._section(table, "fleet_broker"), fleet.domain)
        config = CentralConfig(
            data_dir=folder,
            database=flags.database or self._get(table, "database", ""),
            http=self._http(self._get(table, "http", cast("Table", {})), flags),
            fleet=fleet,
            fleet_broker=own,
            witness_keys=self._witness(self._section(table, "witness")),
            brokers=self._brokers(table, flags, fleet.domain, folder / TLS_FOLDER, own),
            shards=self._shards(self._get(table, "shards", f"0-{SHARDS - 1}")),
            admit=cast("Admission", admit),
            catalogues=self._paths(table, "catalogues"),
            retention=self._retention(self._get(table, "retention", cast("Table", {}))),
            settle_s=self._within(table, "settle_s", default.settle_s, SETTLES_S),
            operators=self._within(table, "operators", default.operators, OPERATORS),
            enrol=(
                enrol_config.read(self._section(table, "enrol"), fleet.domain)
                if "enrol" in table
                else None
            ),
            northbound=northbound_config.read(
                self._get(table, "northbound", cast("Table", {})), self._fault, fleet.domain
            ),
        )
        if "oidc" not in table:
            return config
        oidc = oidc_config.read(self._section(table, "oidc"), config.http.public_url)
        return replace(config, oidc=oidc)

    def _section(self, table: Table, name: str) -> Section:
        return Section(self._get(table, name, cast("Table", {})), f"{name}.", self._fault)

    def _witness(self, at: Section) -> Path | None:
        at.only("keys")
        folder = at.get("keys", "")
        if folder and not Path(folder).is_dir():
            self._fault("witness.keys", f"there is no folder {folder!r}")
        return Path(folder) if folder else None

    def _within(self, table: Table, name: str, default: int, bounds: range) -> int:
        value = self._get(table, name, default)
        if value not in bounds:
            self._fault(name, f"{value} is not between {bounds[0]} and {bounds[-1]}")
        return value

    def _retention(self, table: Table) -> Retention:
        self._unknown(table, tuple(BOUNDS), "retention.")
        found = {}
        for name, bounds in BOUNDS.items():
            value = self._get(table, name, getattr(Retention(), name), "retention.")
            if value not in bounds:
                span = f"{bounds[0]:,} and {bounds[-1]:,}"
                self._fault(f"retention.{name}", f"{value} is not between {span}")
            found[name] = value
        return Retention(**found)

    def _paths(self, table: Table, name: str) -> tuple[Path, ...]:
        texts = self._get(table, name, cast("list[object]", []))
        if len(texts) > CATALOGUES_MAX:
            self._fault(name, f"there are {len(texts)}, at most {CATALOGUES_MAX} are read")
        for text in texts:
            if not isinstance(text, str):
                self._fault(name, f"{text!r} is not a path")
        return tuple(Path(text) for text in texts if isinstance(text, str))

    def _http(self, table: Table, flags: Flags) -> HttpConfig:
        self._unknown(table, ("host", "port", "cert", "key", "public_url"), "http.")
        http = HttpConfig(
            host=flags.host or self._get(table, "host", HttpConfig().host, "http."),
            port=self._get(table, "port", DEFAULT_PORT, "http."),
            public_url=self._public_url(table),
            cert=self._file(table, "cert"),
            key=self._file(table, "key"),
        )
        if flags.port is not None:
            http = replace(http, port=flags.port)
        if http.port not in PORTS:
            self._fault("http.port", f"{http.port} is not between 0 and {PORTS[-1]}")
        if (http.cert is None) is not (http.key is None):
            missing = "http.cert" if http.cert is None else "http.key"
            self._fault(missing, "is missing: TLS needs both http.cert and http.key")
        if not http.is_loopback and http.cert is None:
            self._fault(
                "http.host",
                f"{http.host!r} is not a loopback address, and tokens must not cross a network "
                'in the clear: set http.cert and http.key, or set host = "127.0.0.1" and put a '
                "TLS proxy before it",
            )
        return http

    def _public_url(self, table: Table) -> str:
        """Return the address without the slash at its end; links are made by adding a path."""
        text = self._get(table, "public_url", "", "http.")
        if text and not _is_public_url(text):
            self._fault(
                "http.public_url",
                f"{text[:URL_CHARS_MAX]!r} is not like https://roost.example, or "
                f"http://127.0.0.1:{DEFAULT_PORT} on loopback, without a path and in at most "
                f"{URL_CHARS_MAX} characters",
            )
            return ""
        return text.rstrip("/")

    def _brokers(
        self,
        table: Table,
        flags: Flags,
        fleet_domain: str,
        tls_folder: Path,
        own: FleetBrokerConfig | None,
    ) -> tuple[BrokerAddress, ...]:
        if flags.brokers:
            entries: list[object] = [{"url": url} for url in flags.brokers]
        else:
            entries = self._get(table, "broker", cast("list[object]", []))
        found: dict[str, BrokerAddress] = {}
        if own is not None:
            found[own.name] = own.address(fleet_domain, tls_folder)
        if len(entries) + len(found) > BROKERS_MAX:
            self._fault("broker", f"there are {len(entries)}, at most {BROKERS_MAX} are served")
        for number, entry in enumerate(entries, start=1):
            if not isinstance(entry, dict):
                self._fault("broker", "is written as [[broker]] with name and url")
                continue
            at = Section(entry, "broker.", self._fault)
            at.only(*BROKER_KEYS)
            name = at.get("name", f"b{number}")
            if not _NAME.fullmatch(name):
                self._fault(f"broker {name!r}", "a name has 1 to 32 of a-z 0-9 -")
            if name in found:
                self._fault(f"broker {name!r}", "the name stands twice")
            address = self._address(at, name, fleet_domain, tls_folder)
            if address is not None:
                found[name] = address
        return tuple(found.values())

    def _address(
        self, at: Section, name: str, fleet_domain: str, tls_folder: Path
    ) -> BrokerAddress | None:
        url = at.get("url", "")
        tls = brokers_config.broker_tls(at, name, fleet_domain, tls_folder)
        try:
            address = BrokerAddress.parse(name, url, tls)
        except ConfigError as err:
            self._fault(f"broker {name!r}", f"{url!r} is not {err.bound}")
            return None
        if tls is None and not address.is_loopback:
            self._fault(
                f"broker {name!r}",
                f"{url!r} is not on loopback, and what nodes say must not cross a network in the "
                "clear: use mqtts://",
            )
        return address

    def _shards(self, text: str) -> tuple[int, ...]:
        shards: set[int] = set()
        for part in text.split(","):
            found = _SHARDS.fullmatch(part.strip())
            first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
            if not first <= last < SHARDS:
                self._fault("shards", f"{part!r} is not like 0-{SHARDS - 1} or 0-15,32")
            shards.update(range(first, last + 1))
        return tuple(sorted(shards))

    def _file(self, table: Table, name: str) -> Path | None:
        text = self._get(table, name, "", "http.")
        if not text:
            return None
        path = Path(text)
        if not path.is_file():
            self._fault(f"http.{name}", f"there is no file {text!r}")
        return path

    def _get(self, table: Table, name: str, default: T, prefix: str = "") -> T:
        """Return a value of the default's type, the default where it is another."""
        value = table.get(name, default)
        if type(value) is not type(default):
            kind = {str: "a text", int: "a number", dict: "a table"}.get(type(default), "a list")
            self._fault(f"{prefix}{name}", f"{value!r} is not {kind}")
            return default
        return value

    def _unknown(self, table: Table, known: tuple[str, ...], prefix: str) -> None:
        for name in table:
            if name not in known:
                suggestion = closest(name, known)
                hint = f": did you mean {prefix}{suggestion}?" if suggestion else ""
                self._fault(f"{prefix}{name}", f"is not known{hint}")

    def _fault(self, key: str, what: str) -> None:
        self.faults.append(f"{key}: {what}")


def _is_public_url(text: str) -> bool:
    """Whether links may begin with a text: the root of a host, no secret, no query, no spaces.

    In the clear on loopback only: who follows a link logs in there.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    is_plain = text.isascii() and text.isprintable() and not any(c in text for c in ' <>"\\@?#')
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    is_whole = bool(host) and port != 0 and parts.path in {"", "/"}
    return is_plain and is_safe and is_whole and len(text) <= URL_CHARS_MAX
