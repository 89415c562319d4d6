"""A site's HA configuration (``ha.toml``): what there is to set, with its bounds.

The same file lies on every node of the site. Reading it is config_file.py's matter, what must hold
between its parts config_rules.py's; this page is the list. Times are written in seconds and used
in ms.
"""

import zlib
from hashlib import blake2b
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, field

from roost_agent.ha.config_fence import Fence
from roost_agent.ha.config_kinds import (
    Absolute,
    Container,
    Interface,
    Name,
    Port,
    Seconds,
    Unit,
    Words,
)
from roost_agent.ha.rung import Ladder, ladder
from roost_agent.ha.timing import Timing
from roost_protocol import configuration
from roost_protocol.certificate import BOX_MAX

NODES_MAX: Final = 32  # an index fits the 32 bits of a path bitmap, and an epoch's modulus
LEASES_MAX: Final = 16  # of a site, the built-in one included
NETWORKS_MAX: Final = 8
PATHS_MAX: Final = 16
SERVICES_MAX: Final = 64
TLS_PORT: Final = 8_883  # IANA: secure-mqtt
RESTARTS: Final = "restart:3/600"  # where the file says nothing: three in ten minutes
CLEAR_PORT: Final = 1_884  # not MQTT's own 1883: another broker of the node may have that
SITE_LEASE: Final = (
    configuration.SITE_LEASE
)  # the built-in lease: its holder coordinates, it runs nothing


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """A network of the site; ``weight`` counts in a node's path score."""

    name: Name
    interface: Interface | None = None  # where virtual addresses go
    gateway: str | None = None  # asked whether this node is cut off; None: the default routes'
    weight: Annotated[int, Meta(ge=0, le=100)] = 1


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A node of the site: its number in frames, its address on each network it is on.

    Attributes:
        box: which box of the fleet stands for it; an earlier one is mute at the site's brokers.
        role: what it is for, where a software update asks; None: a controller where it is a host of
            a group, else a worker. No right depends on it.
        peer_group: of storage nodes that hold copies of the same data; StarlingX's word. None: what
            it holds a copy of is not said, so that it is updated beside no other storage node.
    """

    name: Name
    index: Annotated[int, Meta(ge=0, lt=NODES_MAX)]
    address: dict[str, str]
    box: Annotated[int, Meta(ge=1, le=BOX_MAX)] = 1
    role: Literal["controller", "storage", "worker"] | None = None
    peer_group: Name | None = None


class WanWitness(msgspec.Struct, frozen=True, kw_only=True):
    """When a witness at the centre counts as there; no right depends on it.

    Attributes:
        probe_s: between two questions to it.
        gone_s: without an answer for so long it is to vote no more.
        back_s: answering for so long it is to vote again.
        lost_s: a node that neither its peer nor the witness heard for so long is to vote no more.
    """

    probe_s: Annotated[float, Meta(ge=1, le=60)] = 20
    gone_s: Annotated[float, Meta(ge=3, le=3_600)] = 60
    back_s: Annotated[float, Meta(ge=5, le=86_400)] = 600
    lost_s: Annotated[float, Meta(ge=10, le=86_400)] = 600

    @property
    def probe_ms(self) -> int:
        """See above."""
        return round(self.probe_s * 1000)

    @property
    def gone_ms(self) -> int:
        """See above."""
        return round(self.gone_s * 1000)

    @property
    def back_ms(self) -> int:
        """See above."""
        return round(self.back_s * 1000)

    @property
    def lost_ms(self) -> int:
        """See above."""
        return round(self.lost_s * 1000)


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """One path: a driver over a network, with the node whose broker it uses."""

    driver: Literal["mqtt", "udp"]
    network: str
    broker: str | None = None

    @property
    def title(self) -> str:
        """Its name for people, such as ``cluster/c0`` or ``cluster/udp``."""
        return f"{self.network}/{self.broker or self.driver}"


class Vip(msgspec.Struct, frozen=True, kw_only=True):
    """A virtual address ``ADDRESS/LENGTH`` that follows its group."""

    address: str
    network: str


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Services that fail over together."""

    name: Name
    model: Literal["N", "N+M", "2N"]
    hosts: Annotated[tuple[str, ...], Meta(min_length=1, max_length=NODES_MAX)]
    on_no_quorum: Literal["stop", "reboot", "continue", "freeze"] | None = None
    preempt: Literal["never"] | Annotated[int, Meta(ge=1, le=86_400)] = "never"
    requires_active: tuple[str, ...] = ()
    hard_by: Literal["watchdog", "fence"] = "watchdog"
    vip: Annotated[tuple[Vip, ...], Meta(max_length=8)] = ()
    active: Annotated[int, Meta(ge=1, le=LEASES_MAX - 1)] | None = None
    standby: Annotated[int, Meta(ge=0, le=NODES_MAX)] | None = None

    @property
    def spares(self) -> int:
        """How many hosts of an N+M group are to have nothing to do."""
        return 1 if self.standby is None else self.standby

    @property
    def has_lease(self) -> bool:
        """Whether one node at a time may run it."""
        return self.model != "N"

    @property
    def without_quorum(self) -> Literal["stop", "reboot", "continue", "freeze"]:
        """What happens to it on a node that is cut off."""
        return self.on_no_quorum or ("stop" if self.has_lease else "continue")


class Slot(Group, frozen=True, kw_only=True):
    """One of the active members of an N+M group, as a group with a lease of its own.

    Attributes:
        family: the group's name in the file, which its services have.
    """

    family: str


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """How a service is started and stopped: exactly one of the four."""

    systemd: Unit | None = None
    start: Words | None = None
    stop: Words | None = None
    ocf: Absolute | None = None
    container: Container | None = None

    @property
    def kinds(self) -> list[str]:
        """The ways that are given."""
        given = {
            "systemd": self.systemd,
            "start": self.start,
            "ocf": self.ocf,
            "container": self.container,
        }
        return [kind for kind, value in given.items() if value is not None]


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """How long a service may take to start and to stop."""

    start_s: Seconds = 20.0
    stop_s: Seconds = 1.5

    @property
    def start_ms(self) -> int:
        """See above."""
        return round(self.start_s * 1000)

    @property
    def stop_ms(self) -> int:
        """See above."""
        return round(self.stop_s * 1000)


class Active(msgspec.Struct, frozen=True, kw_only=True):
    """A probe that is run at an interval; ``fail`` bad ones in a row are a failure."""

    probe: Words
    interval_s: Seconds = 5.0
    timeout_s: Seconds = 2.0
    fail: Annotated[int, Meta(ge=1, le=100)] = 3
    pass_: Annotated[int, Meta(ge=1, le=100)] = field(default=2, name="pass")


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to keep running."""

    name: Name
    group: str
    run: Run
    exclusive: Literal["none", "soft", "hard"] | None = None
    eligible: Words | None = None
    budget: Budget = Budget()
    depends: tuple[str, ...] = ()
    impact: Literal["none", "minor", "major", "critical"] = "critical"
    ladder: Annotated[tuple[str, ...], Meta(max_length=4)] | None = None
    passive: Annotated[tuple[str, ...], Meta(max_length=4)] | None = None
    active: Active | None = None

    def rungs(self, group: Group) -> Ladder:
        """Return what is tried when it fails, in its group: by default another node in the end."""
        if self.ladder is not None:
            return ladder(self.ladder)
        return ladder((RESTARTS, "failover") if group.has_lease else (RESTARTS,))

    @property
    def watches(self) -> tuple[str, ...]:
        """How its death is noticed at once."""
        if self.passive is not None:
            return self.passive
        return ("systemd",) if self.run.systemd else ("pidfd",) if self.run.start else ()


class HaFile(msgspec.Struct, frozen=True, kw_only=True):
    """All that ``ha.toml`` may say."""

    profile: Literal["default", "fast", "lossy"] = "default"
    constants: dict[str, int] = field(default_factory=dict, name="timing")
    voters: tuple[str, ...]
    witness: Literal["node", "central", "none"] | None = None
    wan_witness: WanWitness = WanWitness()
    single_network: Literal["refused", "accepted"] = "refused"
    on_full_cut: Literal["keep_incumbent", "fence_incumbent"] | None = None
    cold_start_alone: Literal["wait", "last_holder"] | None = None
    watchdog_test: Literal["advised", "required"] = "advised"
    networks: Annotated[tuple[Network, ...], Meta(min_length=1, max_length=NETWORKS_MAX)]
    paths: Annotated[tuple[Way, ...], Meta(max_length=PATHS_MAX)] = ()
    nodes: Annotated[tuple[Node, ...], Meta(min_length=1, max_length=NODES_MAX)] = field(
        name="node"
    )
    groups: Annotated[tuple[Group, ...], Meta(max_length=LEASES_MAX - 1)] = field(
        default=(), name="group"
    )
    services: Annotated[tuple[Service, ...], Meta(max_length=SERVICES_MAX)] = field(
        default=(), name="service"
    )
    fences: Annotated[tuple[Fence, ...], Meta(max_length=NODES_MAX)] = field(
        default=(), name="fence"
    )
    key_file: Absolute = "/etc/roost/ha.keys"
    guard_socket: Absolute = "/run/roost-guard/guard.sock"
    mqtt_port: Port | None = None
    udp_port: Port = 4_884

    def lost(self, key: str) -> tuple[str, ...]:  # noqa: ARG002 - of a file that holds
        """Return the names in the tables of a key that do not hold by themselves."""
        return ()

    def is_whole(self, *keys: str) -> bool:  # noqa: ARG002 - as above
        """Whether all that the file says under these keys holds by itself."""
        return True


class HaPart(HaFile, frozen=True, kw_only=True):
    """What holds of a file with faults, so that it can be asked for those between its parts.

    Attributes:
        left_out: by key, the names of the tables that are not in it; a key whose value is not in it
            has none.
    """

    left_out: dict[str, tuple[str, ...]] = {}

    def lost(self, key: str) -> tuple[str, ...]:
        """See HaFile."""
        return self.left_out.get(key, ())

    def is_whole(self, *keys: str) -> bool:
        """See HaFile."""
        return self.left_out.keys().isdisjoint(keys)


class HaConfig(HaFile, frozen=True, kw_only=True):
    """The file, once all of it holds.

    Attributes:
        timing: the profile's constants with the file's own.
        warnings: what holds, and should not stay so.
        notes: what holds, and is perhaps not what was meant.
        off: services that a profile has turned off.
    """

    timing: Timing = field(name="resolved_timing")  # the file says ``timing`` of its own
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    off: tuple[str, ...] = ()

    @property
    def is_sticky(self) -> bool:
        """Whether an owner's right has no end: every voter must grant (ha.md 6)."""
        return len(self.voters) <= 2  # noqa: PLR2004 - a pair, or one alone

    @property
    def has_wan_witness(self) -> bool:
        """Whether the centre is to vote as well, while it answers."""
        return self.witness == "central"

    @property
    def starts_alone(self) -> bool:
        """Whether a pair's last holder starts without the other, and no proof moves anything."""
        return self.cold_start_alone == "last_holder"  # which a pair alone may say

    @property
    def cfgver(self) -> int:
        """Digest of voters, mode, timing, what needs proof: who differs never grants the other.

        Below it there is room for the number of the changes made since.
        """
        said: list[object] = [
            self.voter_indices(), self.is_sticky, msgspec.to_builtins(self.timing)
        ]  # fmt: skip
        if by_proof := self.by_proof():  # these are granted by another rule
            said.append(by_proof)
        if self.has_wan_witness:
            said.append(self.witness)
        if self.starts_alone:
            said.append(self.cold_start_alone)
        return zlib.crc32(msgspec.json.encode(said)) << configuration.GENERATION_BITS

    @property
    def defs(self) -> bytes:
        """8 bytes that differ where groups or services do; no right depends on them."""
        said = msgspec.json.encode((self.groups, self.services))
        return blake2b(said, digest_size=8).digest()

    def broker_port(self, *, has_tls: bool) -> int:
        """Return where site brokers listen."""
        return self.mqtt_port or (TLS_PORT if has_tls else CLEAR_PORT)

    def node(self, name: str) -> Node:
        """Return a node by its name; KeyError when there is none."""
        return {each.name: each for each in self.nodes}[name]

    def network(self, name: str) -> Network:
        """Return a network by its name; KeyError when there is none."""
        return {each.name: each for each in self.networks}[name]

    def group(self, name: str) -> Group:
        """Return a group by its name; KeyError when there is none."""
        return {each.name: each for each in self.groups}[name]

    def services_of(self, group: str) -> tuple[Service, ...]:
        """Return the services of a group or a slot, in the file's order."""
        found = self.group(group)
        name = found.family if isinstance(found, Slot) else group
        return tuple(each for each in self.services if each.group == name)

    def voter_indices(self) -> tuple[int, ...]:
        """Return the voters' numbers, in order."""
        return tuple(sorted(self.node(name).index for name in self.voters))

    def by_proof(self) -> tuple[str, ...]:
        """Return the leases that nobody takes over without a proof, whatever ran out."""
        return tuple(sorted(each.name for each in self.groups if each.hard_by == "fence"))

    def brokers(self) -> tuple[str, ...]:
        """Return the nodes that run a broker, each once."""
        return tuple(dict.fromkeys(way.broker for way in self.paths if way.broker))

    def lease_names(self) -> tuple[str, ...]:
        """Return the leases of the site."""
        return (SITE_LEASE, *(group.name for group in self.groups if group.has_lease))
