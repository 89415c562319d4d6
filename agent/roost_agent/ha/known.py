"""What one node's core consists of, and what it knows by that.

The parts are made here, and see one another as far as they must; what runs between them is the
exchange's, what follows from an event the core's. Nothing here changes anything.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from roost_agent.ha.candidacy import Candidacy
from roost_agent.ha.config import SITE_LEASE, HaConfig
from roost_agent.ha.electing import Electing
from roost_agent.ha.freshness import Freshness
from roost_agent.ha.lease_plan import lease_hosts, lease_watchdog_ms
from roost_agent.ha.matrix import Way
from roost_agent.ha.membership import Membership, Plan
from roost_agent.ha.moves import Moves
from roost_agent.ha.quorum_watch import QuorumWatch
from roost_agent.ha.requirements import Requirements
from roost_agent.ha.slots import Slots
from roost_agent.ha.start import Before, Who
from roost_agent.ha.witness import Witness
from roost_protocol.configuration import WITNESS, WITNESS_NAME
from roost_protocol.electorate import Electorate
from roost_protocol.voter import Voter
from roost_protocol.voter_state import NO_BOOT

if TYPE_CHECKING:
    from roost_agent.ha.lease import Lease


class Known:
    """See the module.

    Args:
        who: this start.
        config: of the site.
        before: what is known.
        now_ms: CLOCK_BOOTTIME.

    Attributes:
        hosts: of each lease; those of the built-in one are kept to be the voters.
        leases: empty until this start is on disk.
        holds: what the guard had armed before this start.
    """

    def __init__(self, who: Who, config: HaConfig, before: Before, now_ms: int) -> None:
        self.who = who
        self.config = config
        self.hosts = lease_hosts(config)
        self.leases: dict[str, Lease] = {}
        self.holds = dict(before.holds or {})
        self._names = {each.index: each.name for each in config.nodes} | {WITNESS: WITNESS_NAME}
        self.watchdogs = {name: lease_watchdog_ms(config, name) for name in self.hosts}
        self.fresh = _freshness(who, config)
        plan = _plan(config, self.hosts)
        self.members = Membership(self.fresh, plan, now_ms=now_ms, redundancy=before.redundancy)
        self.voter = _voter(who, config, before, self.watchdogs)
        self.witness: Witness | None = None
        if config.has_wan_witness:
            self.witness = Witness(who, config, self.watchdogs, now_ms)
        self.slots = Slots(who.node, config.groups)
        self.moves = Moves()
        self.requirements = Requirements(
            config,
            self.slots.families,
            self.leases,
            hosts=self.hosts,
            me=who.node,
            is_there=self.members.is_there,
        )
        self.candidacy = Candidacy(
            config,
            self.members,
            self.leases,
            slots=self.slots,
            requirements=self.requirements,
        )
        settled_ms = now_ms + config.timing.promise_ms()
        self.quorum = QuorumWatch(self.electorate, self.is_there, settled_ms)
        self.electing = Electing(
            who,
            config,
            hosts=self.hosts,
            voter=self.voter,
            members=self.members,
            quorum=self.quorum,
            witness=self.witness,
            is_there=self.is_there,
        )

    @property
    def electorate(self) -> Electorate:
        """Who votes, as this node knows it."""
        return self.voter.electorate

    @property
    def provable(self) -> frozenset[int]:
        """For whose vote the proof of a boot's end may stand in."""
        return frozenset(
            node for configured in self.electing.told() for node in configured.provable
        )

    def me_hosts(self, name: str) -> bool:
        """Whether this node could hold a lease at all."""
        return self.who.node in self.hosts[name]

    def bar(self, name: str) -> str:
        """Return why this node may not stand for a lease, empty if it may."""
        return self.candidacy.bar(name)

    def is_there(self, voter: int, now_ms: int) -> bool:
        """Whether a voter is heard: a node of the site, or the witness elsewhere."""
        if voter == WITNESS:
            return self.witness is not None and self.witness.is_there(now_ms)
        return self.members.is_there(voter)

    def is_sole(self, name: str) -> bool:
        """Whether no other host of a lease is there."""
        others = (host for host in self.hosts.get(name, ()) if host != self.who.node)
        return not any(map(self.members.is_there, others))

    def boots_of(self, node: int) -> list[bytes]:
        """Return the boots of a node that this one knows of: of its last frame, or of its leases.

        A node that was not heard since this agent's start may own a lease by this node's own disk.
        NO_BOOT alone stands for one of which nothing is known.
        """
        known = self.fresh.incarnation(node)
        if known is not None:
            return [known[1]]
        records = self.voter.state.records.values()
        boots = {each.owner_boot for each in records if each.owner == node}
        return sorted(boots - {NO_BOOT}) or [NO_BOOT]

    def name_of(self, node: int | None) -> str:
        """Return a node's name, for people."""
        return "nobody" if node is None else self._names.get(node, f"node {node}")

    def title_of(self, path: int) -> str:
        """Return a path's name, for people."""
        return self.config.paths[path].title


def _freshness(who: Who, config: HaConfig) -> Freshness:
    return Freshness(
        who.node,
        who.inc,
        peers=[node for node in _nodes(config) if node != who.node],
        echoes=[way.brings_back for way in _ways(config)],
        h_ms=config.timing.beat_ms,
    )


def _plan(config: HaConfig, hosts: Mapping[str, tuple[int, ...]]) -> Plan:
    """Return what membership goes by: rivals are the hosts of any group that fails over."""
    rivals = frozenset(
        host for name, nodes in hosts.items() if name != SITE_LEASE for host in nodes
    )
    return Plan(config.voter_indices(), rivals, _ways(config), config.defs)


def _voter(who: Who, config: HaConfig, before: Before, watchdogs: dict[str, int]) -> Voter:
    voters, nodes = config.voter_indices(), _nodes(config)
    return Voter(
        who.node,
        Electorate(config.cfgver, voters, nodes, sticky=config.is_sticky),
        config.timing.terms,
        watchdogs,
        state=before.state,
        boot=who.boot,
        guarded=before.holds is not None,
        by_proof=frozenset(config.by_proof()),
        life=who.inc,
        takes_proof=not config.starts_alone,
    )


def _nodes(config: HaConfig) -> tuple[int, ...]:
    return tuple(sorted(node.index for node in config.nodes))


def _ways(config: HaConfig) -> tuple[Way, ...]:
    return tuple(
        Way(way.network, config.network(way.network).weight, way.driver == "mqtt")
        for way in config.paths
    )
