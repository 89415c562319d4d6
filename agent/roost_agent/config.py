"""The agent's configuration: what there is to set, with its bounds and its reasons.

One TOML file, or a folder with ``agent.toml`` and drop-ins ``conf.d/*.toml`` in name order (a
later key wins, later ``[[path]]`` tables are added). All faults are told at once. Reading it is
config_file.py's matter; this page is the list.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from roost_agent.alarm_types import shipped
from roost_agent.config_settings import SettingsConfig
from roost_agent.config_updates import UpdatesConfig
from roost_agent.enrolled import Enrolled
from roost_protocol.beat import PathKind
from roost_protocol.catalogue import Catalogue
from roost_protocol.limits import PATHS_MAX

HOUR_MS: Final = 3_600_000
UNITS_FILE: Final = "/etc/roost/units.toml"  # of roost-helper, root's
BMC_FILE: Final = "/etc/roost/bmc.toml"
HELPER_SOCKET: Final = "/run/roost-helper.sock"


class Bound(msgspec.Struct, frozen=True):
    """A number that may be set: its unit is in the key, its limits are inclusive."""

    low: int
    high: int
    default: int


# A beat faster than 1 s tells nothing more; slower than 10 min, a dead node stays unnoticed.
BEAT: Final = {"interval_s": Bound(1, 600, 30), "site_interval_s": Bound(1, 600, 10)}
OUTBOX: Final = {
    "bytes_max": Bound(1 << 20, 1 << 34, 32 << 20),  # what waits for central
    "age_max_h": Bound(1, 8_760, 720),  # a WAN can be gone for a month
    "ring_bytes_max": Bound(0, 1 << 34, 16 << 20),  # receipted, for a restored central
    "ring_age_max_h": Bound(0, 8_760, 72),
}
HOSTS: Final = {
    "mnfa_threshold": Bound(2, 100, 2),
    "mnfa_timeout_s": Bound(0, 86_400, 0),  # 0: as long as they are silent
}
FAILURE_ACTIONS: Final = ("fail", "degrade", "alarm", "none")
INVENTORY: Final = {
    "probe_interval_h": Bound(1, 168, 6),
    "stamp_interval_s": Bound(10, 3_600, 60),  # of the cheap look for what moved
}
PRESETS: Final = {  # what changes against the defaults above
    "wan": {},
    "lan": {"interval_s": 10, "site_interval_s": 2},
}


class TlsConfig(msgspec.Struct, frozen=True):
    """Files of a ``mqtts`` path; without ``cert_file`` the node does not prove who it is.

    Attributes:
        server_name: what the broker's certificate must be for; None: the host that is dialled.
    """

    ca_file: str
    cert_file: str | None = None
    key_file: str | None = None
    server_name: str | None = None


class PathConfig(msgspec.Struct, frozen=True):
    """One way to one broker."""

    name: str
    kind: PathKind
    host: str
    port: int
    bind: str = ""
    username: str | None = None
    password_file: str | None = None
    tls: TlsConfig | None = None

    @property
    def broker(self) -> str:
        """The broker as a URL, without credentials."""
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


class BeatConfig(msgspec.Struct, frozen=True):
    """How often the node says that it lives."""

    interval_ms: int
    site_interval_ms: int


class OutboxConfig(msgspec.Struct, frozen=True):
    """What the outbox may hold; a drop policy decides what goes when it is full."""

    bytes_max: int
    age_max_ms: int
    ring_bytes_max: int
    ring_age_max_ms: int


class InventoryConfig(msgspec.Struct, frozen=True):
    """How often the node looks at itself; a change of hardware is looked at when it happens."""

    probe_interval_ms: int
    stamp_interval_ms: int


class PortRole(StrEnum):
    """What a network port is for: its alarms differ by it."""

    WAN = "wan"
    LAN = "lan"
    HA = "ha"


class AlarmsConfig(msgspec.Struct, frozen=True):
    """What is watched, by which limits, and where applications ask.

    Attributes:
        socket: of the local API; empty: none.
        types: what may be raised here, with this node's limits and delays.
        off: types that this node's rules leave alone.
        certificates: PEM files, besides those of the paths.
        processes: names of programs that must run.
        mounts: file systems of servers that are asked how they are.
        ports: role by interface; others count as lan once they had a carrier.
    """

    socket: str = ""
    types: Catalogue = msgspec.field(default_factory=shipped)
    off: frozenset[str] = frozenset()
    certificates: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    ports: Mapping[str, PortRole] = msgspec.field(default_factory=dict)


# Where media are mounted, images keep files, and cloud-init leaves a seed; * is any one name.
CLAIM_DIRS: Final = (
    "/etc/roost",
    "/media/*",
    "/media/*/*",
    "/run/media/*/*",
    "/mnt",
    "/mnt/*",
    "/boot/firmware",
    "/var/lib/cloud/seed/*",
)


class JoinConfig(msgspec.Struct, frozen=True):
    """How a box without an identity finds its centre (docs/enrolment.md).

    Attributes:
        url: of the centre's enrolment listener; empty: a claim file or DNS says it.
        pin: of the fleet's root, in base64url; empty: a token or a claim file says it.
        token_file: holds a token.
        name: the node name that it would like.
        claim_dirs: folders that may hold a roost-claim.json.
        dns: whether ``_roost-enrol._tcp`` is asked for.
        domain: for which; empty: the box's own and its search list.
        resolvers: address and port of DNS servers; empty: as in /etc/resolv.conf.
        key_file: a key that was announced to the centre, PEM; empty: none was.
        factory_cert, factory_key: what the maker put into the box, PEM; empty: nothing.
        tpm: the device of the TPM that vouches for the box; empty: none is asked.
    """

    url: str = ""
    pin: str = ""
    token_file: str = ""
    name: str = ""
    claim_dirs: tuple[str, ...] = CLAIM_DIRS
    dns: bool = True
    domain: str = ""
    resolvers: tuple[tuple[str, int], ...] = ()
    factory_cert: str = ""
    factory_key: str = ""
    tpm: str = ""
    key_file: str = ""


HEALTH_FOLDER: Final = "/etc/roost/health.d"
PROCESS_FOLDERS: Final = ("/etc/roost/processes.d", "/etc/pmon.d")


class ProcessesConfig(msgspec.Struct, frozen=True):
    """Which processes are watched (docs/processes.md).

    Attributes:
        folders: of files that define them: NAME.toml and StarlingX's NAME.conf; an earlier one
            wins.
        roles: of this node, for StarlingX's ``subfunction``.
        units, helper: the catalogue of units and the socket of who restarts them.
        health: the folder of health scripts (docs/health.md).
    """

    folders: tuple[str, ...] = PROCESS_FOLDERS
    roles: tuple[str, ...] = ()
    units: str = UNITS_FILE
    helper: str = HELPER_SOCKET
    health: str = HEALTH_FOLDER


class HostsConfig(msgspec.Struct, frozen=True):
    """What this node does about silent hosts of its site in its turn as coordinator.

    Attributes:
        heartbeat_failure_action: of one: one of FAILURE_ACTIONS.
        mnfa_threshold: so many that are silent together blame the network.
        mnfa_timeout_s: for how long at most; 0: as long as they are silent.
    """

    heartbeat_failure_action: str = FAILURE_ACTIONS[0]
    mnfa_threshold: int = HOSTS["mnfa_threshold"].default
    mnfa_timeout_s: int = HOSTS["mnfa_timeout_s"].default


class Config(msgspec.Struct, frozen=True):
    """All of it. A reload makes a new one."""

    site: str
    node: str
    state_dir: str
    beat: BeatConfig
    outbox: OutboxConfig
    inventory: InventoryConfig
    paths: tuple[PathConfig, ...] = ()
    preset: str = "wan"
    alarms: AlarmsConfig = msgspec.field(default_factory=AlarmsConfig)
    processes: ProcessesConfig = msgspec.field(default_factory=ProcessesConfig)
    settings: SettingsConfig = msgspec.field(default_factory=SettingsConfig)
    updates: UpdatesConfig = msgspec.field(default_factory=UpdatesConfig)
    hosts: HostsConfig = msgspec.field(default_factory=HostsConfig)
    ha_file: str = ""  # the site's HA configuration; empty: this node takes no part in local HA
    bmc_file: str = BMC_FILE  # of board controllers; one that is not there names none
    join: JoinConfig = msgspec.field(default_factory=JoinConfig)  # counts without an identity
    enrolled: Enrolled | None = None  # None: this node has no identity, a broker on loopback only

    @property
    def node_id(self) -> str:
        """``<site>.<node>``."""
        return f"{self.site}.{self.node}"

    def path(self, name: str) -> PathConfig:
        """Return a path by its name; KeyError when there is none."""
        for each in self.paths:
            if each.name == name:
                return each
        raise KeyError(name)


PATHS_BOUND: Final = f"1 to {PATHS_MAX}"
