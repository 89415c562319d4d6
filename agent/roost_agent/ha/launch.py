"""Puts local HA of one node together: from its files to a runtime that can run.

Imported only where the agent's configuration names a site file, so that others carry none of it.
"""

import asyncio
import hmac
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from roost_agent.enrolled import Enrolled
from roost_agent.errors import ConfigError
from roost_agent.guard import cgroup
from roost_agent.ha.admission import Admission
from roost_agent.ha.bite_test import BiteTests
from roost_agent.ha.broker_files import Member
from roost_agent.ha.brokers import BrokerPlan, SiteBroker, own_secret
from roost_agent.ha.clear_text import CLEAR_TEXT, clear_text
from roost_agent.ha.condition import ConditionWatch
from roost_agent.ha.config import HaConfig, Way
from roost_agent.ha.config_file import load, read
from roost_agent.ha.config_overlay import checked
from roost_agent.ha.config_rules import stop_chain
from roost_agent.ha.core import Core
from roost_agent.ha.gateway_watch import GatewayWatch
from roost_agent.ha.guard_client import GuardClient, GuardGoneError
from roost_agent.ha.keys import broker_password, load_keys
from roost_agent.ha.lan import LanClient, box_faults, lan_of
from roost_agent.ha.last_rung import LastRung
from roost_agent.ha.link import HaPath
from roost_agent.ha.mqtt import Broker, Login, MqttPath
from roost_agent.ha.peer import Peers
from roost_agent.ha.reboot import Reboot
from roost_agent.ha.roster import Boxes, Roster, boxes_of
from roost_agent.ha.runtime import Runtime
from roost_agent.ha.services.engine import HERE, Host
from roost_agent.ha.shells import Alarming, Shells
from roost_agent.ha.start import Before, Who
from roost_agent.ha.store import Store
from roost_agent.ha.udp import UdpPath
from roost_agent.ha.workload import Workload
from roost_agent.identity import Identity
from roost_agent.ports import Clock, Entropy
from roost_protocol.configuration import WITNESS, WITNESS_NAME

if TYPE_CHECKING:
    from roost_agent.ha.fence.shell import Fencing

GUARD_WAIT_S: Final = 3.0  # for a guard that starts with us; without one: boot wait
GUARD_RETRY_S: Final = 0.1
OWN_LABEL: Final = b"roost ha own broker"

log = logging.getLogger(__name__)


class Launch:
    """A site file that was read, and the keys to it.

    Args:
        file: the site file.
        site: this node's site.
        node: its name there.
        reboot: the command that reboots this node; empty: nothing does.
        enrolled: its identity, None: it has none, and speaks to site brokers in clear text.
        said: what a profile says over the file; where the two fit no more the file counts alone.

    Raises:
        ConfigError: with every fault.
    """

    def __init__(  # noqa: PLR0913 - each is one thing that a site file is read with
        self,
        file: Path,
        site: str,
        node: str,
        reboot: Sequence[str] = (),
        enrolled: Enrolled | None = None,
        *,
        said: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.file = file
        self.reboot = reboot
        self.lan = lan_of(enrolled)
        self.config = _loaded(file, said)
        names = {each.name: each.index for each in self.config.nodes}
        if node not in names:
            raise ConfigError([f"{file}: node: there is no {node!r}, which this node is called"])
        if self.lan is not None and (faults := box_faults(self.config, self.lan)):
            raise ConfigError([f"{file}: {each}" for each in faults])
        if why := clear_text(self.config, has_identity=self.lan is not None):
            log.warning("ha: %s%s", CLEAR_TEXT, why)
        self.site = site
        self.node = node
        self.me = names[node]
        if self.config.has_wan_witness:
            names |= {WITNESS_NAME: WITNESS}
        self.keys = load_keys(Path(self.config.key_file), node, names)

    @property
    def connections(self) -> int:
        """How many paths connect to a broker, each in a thread of the executor."""
        return sum(way.driver == "mqtt" for way in self.config.paths)

    async def runtime(
        self,
        identity: Identity,
        folder: Path,
        *,
        clock: Clock,
        entropy: Entropy,
        alarms: Alarming | None = None,
    ) -> Runtime:
        """Return what runs it; asks the guard first, for what it holds.

        Args:
            identity: this start of the agent; its incarnation must be on disk.
            folder: for what HA keeps.
            clock: the boot clock.
            entropy: for identifiers and jitter.
            alarms: takes conditions.

        Raises:
            StorageError: what was kept makes no sense.
            ConfigError: the incarnation is not on disk.
        """
        if identity.fault:
            raise ConfigError(
                [f"ha: {identity.fault}: a node that forgets its starts takes no part"]
            )
        store = Store(folder)
        guard = None
        if any(group.has_lease for group in self.config.groups):
            guard = GuardClient(self.config.guard_socket, clock)
        state = None if guard is None else await _state(guard)
        who = Who(self.site, self.me, identity.boot_id, identity.incarnation)
        before = Before(store.voter(entropy), store.redundancy(), _holds(guard, state))
        core = Core(who, self.config, before, clock.boot_ms())
        peers = Peers(self.site, self.me, self.keys, entropy=entropy)
        passwords = self._passwords(own_secret(folder, entropy)) if self.lan is None else {}
        roster = Roster(self.file, self.node, boxes_of(self.config))
        login = partial(self._login, passwords=passwords, roster=roster)
        peers.paths = self._paths(peers, login, entropy)
        workload = self._workload(folder, state, clock, entropy)
        gateways = GatewayWatch(self.config, self.node, clock)
        broker = self._broker(folder / "broker", passwords, clock, entropy)
        condition = ConditionWatch(
            folder, lambda: store.fault, workload.failures, clock, lacks_gateway=gateways.is_silent
        )
        members = partial(self._members, passwords=passwords)
        shells = Shells(
            peers=peers,
            paths=peers.paths,
            store=store,
            broker=broker,
            guard=guard,
            workload=workload,
            alarms=alarms,
            condition=condition,
            gateways=gateways,
            bites=None if guard is None else BiteTests(store, identity.boot_id, clock),
            lan=self.lan,
            admission=Admission(roster, self.config, peers, broker, members),
        )
        if self.config.fences:
            shells.fencing = _fencing(core, store, gateways, clock, entropy)
        return _joined(core, shells, workload, clock, entropy)

    def _workload(
        self, folder: Path, state: dict[str, Any] | None, clock: Clock, entropy: Entropy
    ) -> Workload:
        """Return what runs the services, with its last rung."""
        root, host = _cgroup_root(state), _host(state)
        workload = Workload(self.config, self.node, root, clock=clock, entropy=entropy, host=host)
        wait_s = (stop_chain(self.config)[0] + self.config.timing.lease_ms) / 1000
        node_reboot = Reboot(folder, clock, self.reboot)
        workload.last_rung = LastRung(node_reboot, workload.is_at_rest, wait_s)
        return workload

    def _passwords(self, secret: bytes) -> dict[tuple[str, str], str]:
        """Return the passwords that this node knows: (member, broker's node) to password."""
        names = {each.index: each.name for each in self.config.nodes}
        pairs = {index: key for index, key in self.keys.items() if index in names}
        own = hmac.digest(secret, OWN_LABEL, "sha256").hex()
        found = {(self.node, self.node): own}
        for index, key in pairs.items():
            found[self.node, names[index]] = broker_password(key, names[index])
            found[names[index], self.node] = broker_password(key, self.node)
        return found

    def _broker(
        self,
        folder: Path,
        passwords: Mapping[tuple[str, str], str],
        clock: Clock,
        entropy: Entropy,
    ) -> SiteBroker | None:
        ways = [way for way in self.config.paths if way.broker == self.node]
        if not ways:
            return None
        address = self.config.node(self.node).address
        plan = BrokerPlan(
            tuple(dict.fromkeys(address[way.network] for way in ways)),
            self.config.broker_port(has_tls=self.lan is not None),
            self._members(boxes_of(self.config), passwords),
            None if self.lan is None else self.lan.broker_files,
        )
        return SiteBroker(folder, plan, clock, entropy)

    def _members(
        self, boxes: Boxes, passwords: Mapping[tuple[str, str], str]
    ) -> tuple[Member, ...]:
        """Return who may speak at this node's broker; without a password, in clear text, nobody."""
        if self.lan is not None:
            return tuple(
                Member(f"{self.site}.{node}", self.lan.user(node, box))
                for node, box in boxes.items()
            )
        return tuple(
            Member(f"{self.site}.{node}", f"{self.site}.{node}", passwords[node, self.node])
            for node in boxes
            if (node, self.node) in passwords
        )

    def _paths(self, peers: Peers, login: Callable[[str], Login], entropy: Entropy) -> list[HaPath]:
        """Return the shells of the paths that this node is on."""
        found = [
            self._path(number, way, peers, login, entropy)
            for number, way in enumerate(self.config.paths)
        ]
        return [path for path in found if path is not None]

    def _path(
        self,
        number: int,
        way: Way,
        peers: Peers,
        login: Callable[[str], Login],
        entropy: Entropy,
    ) -> HaPath | None:
        """Return a path's shell; None where this node is not on its network."""
        config, mine = self.config, self.config.node(self.node).address
        if way.network not in mine:
            return None
        if way.broker is None:
            others = {
                each.index: each.address[way.network]
                for each in config.nodes
                if each.name != self.node and way.network in each.address
            }
            return UdpPath(
                number, mine[way.network], config.udp_port, peers=others, hear=peers.came
            )
        broker = Broker(
            host=config.node(way.broker).address[way.network],
            port=config.broker_port(has_tls=self.lan is not None),
            bind=mine[way.network],
            node=f"{self.site}.{self.node}",
            login=login(way.broker),
        )
        nodes = {each.index: f"{self.site}.{each.name}" for each in config.nodes}
        return MqttPath(number, broker, nodes=nodes, hear=peers.came, entropy=entropy)

    def _login(
        self, broker: str, passwords: Mapping[tuple[str, str], str], roster: Roster
    ) -> Login:
        """Return how this node shows a broker who it is."""
        lan = self.lan
        if lan is None:
            return passwords[self.node, broker]

        def expected() -> str | None:
            box = roster.boxes.get(broker)
            return None if box is None else lan.user(broker, box)

        return LanClient(lan.context(broker), expected)


def _joined(
    core: Core, shells: Shells, workload: Workload, clock: Clock, entropy: Entropy
) -> Runtime:
    """Return the runtime, with the shells that tell it things joined to it."""
    runtime = Runtime(core, shells, clock, entropy)
    shells.peers.hear = runtime.hear
    workload.tell = runtime.tell
    workload.lhm = lambda: core.members.lhm
    workload.is_sole = core.is_sole
    return runtime


def _fencing(
    core: Core, store: Store, gateways: GatewayWatch, clock: Clock, entropy: Entropy
) -> "Fencing":
    from roost_agent.ha.fence.shell import (  # noqa: PLC0415 - 0.4 MiB, for sites that fence
        Doors,
        Fencing,
    )

    doors = Doors(gateways=gateways.said)
    return Fencing(core, store, clock=clock, entropy=entropy, doors=doors)


def _cgroup_root(state: dict[str, Any] | None) -> Path:
    """Return our folder of cgroup v2: the guard's word, else where the hierarchy is mounted.

    Without cgroup v2 nothing can be made there, and the groups say why they do not run.
    """
    if state is not None:
        return Path(state["root"]).parent
    return Path(cgroup.mount_point() or "/sys/fs/cgroup") / cgroup.FOLDER


def _host(state: dict[str, Any] | None) -> Host:
    """Return where units and containers run: what the guard guards, else what one would."""
    mount = Path(cgroup.mount_point() or HERE.mount)
    guarded = str(mount / cgroup.SLICES) if state is None else state.get("slices")
    return Host(mount, Path(guarded) if guarded else None)


def _loaded(file: Path, said: Mapping[str, Any]) -> HaConfig:
    """Return what a site file says, with what a profile says over it.

    Raises:
        ConfigError: with every fault of the file.
    """
    if said:
        table, faults = read(file)
        try:
            if not faults:
                return checked(table, said)
        except ConfigError as err:
            log.warning("ha: by the file alone, what the profiles say does not fit it: %s", err)
    return load(file)


async def _state(guard: GuardClient) -> dict[str, Any] | None:
    """Return what the guard says of itself, None where none answers."""
    try:
        async with asyncio.timeout(GUARD_WAIT_S):
            while True:
                try:
                    return await guard.state()
                except GuardGoneError:
                    await asyncio.sleep(GUARD_RETRY_S)
    except TimeoutError:
        log.warning("ha: no guard answers; this voter waits until all promises have run out")
        return None


def _holds(
    guard: GuardClient | None, state: dict[str, Any] | None
) -> dict[str, tuple[int, int | None]] | None:
    """Return what is armed: nothing where no group needs a guard, None where none answered."""
    if guard is None:
        return {}
    if state is None:
        return None
    return {each["lease"]: (each["epoch"], each["d3_ms"]) for each in state["holds"]}
