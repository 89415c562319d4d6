"""What a node's local HA tells the centre, gathered from its parts: a state, and what stands. Pure.

Leaves to others: when it is told (upward), what the centre makes of it.
"""

from typing import TYPE_CHECKING, Final

from roost_agent.ha import bite
from roost_agent.ha.clear_text import clear_text
from roost_agent.ha.config import SITE_LEASE, Group, Way
from roost_agent.ha.core import Core
from roost_agent.ha.decisions import Roles
from roost_agent.ha.fitness import unfit
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.peer_path import CARRIES
from roost_agent.ha.standing import Facts, GroupFacts, PeerFacts
from roost_agent.ha.witness import SILENT
from roost_protocol.catalogue import cut
from roost_protocol.codec import VERSION
from roost_protocol.ha_report import HaGroup, HaPeer, HaReport, HaRole, HaWay
from roost_protocol.host import Admin
from roost_protocol.host_word import unpack

if TYPE_CHECKING:
    from roost_agent.ha.runtime import Runtime
    from roost_agent.ha.workload import Workload

FAULTS_MAX: Final = 8
WHY_NOT: Final = {  # a voter's words, for people
    "unlike": "the nodes of the site have not all told it the same ha.toml",
    "boot-wait": "it started a moment ago",
    "blank": "it knows nothing of before, and not every node has told it what it holds",
    "stale": "what it is asked comes late",
    "": SILENT,
}
STANDBYS: Final = 1  # that a group of model 2N wants


def roles(core: Core) -> Roles:
    """Return what this node is for each lease, and the latest epoch that it knows of."""
    return {name: (_role(core, name), lease.epoch) for name, lease in core.leases.items()}


def report(runtime: "Runtime", wall_ms: int) -> HaReport:
    """Return this node's view of its site.

    Args:
        runtime: of this node.
        wall_ms: UTC, for times that the boot clock counts.
    """
    core, now_ms = runtime.core, runtime.now_ms()
    config = core.config
    reached = sum(core.is_there(voter, now_ms) for voter in core.electorate.voters)
    return HaReport(
        v=VERSION,
        profile=config.profile,
        nodes=[each.name for each in sorted(config.nodes, key=lambda node: node.index)],
        voters=[core.name_of(voter) for voter in core.electorate.voters],
        cfgver=config.cfgver,
        sticky=core.electorate.sticky,
        has_quorum=core.electorate.sticky or reached >= core.electorate.needed,
        health=core.members.lhm,
        redundancy=str(core.members.redundancy),
        groups=[
            *(_lease(runtime, name) for name in core.leases),
            *(_everywhere(runtime, group) for group in config.groups if not group.has_lease),
        ],
        ways=[_way(runtime, number, way) for number, way in enumerate(config.paths)],
        peers=[
            HaPeer(
                core.name_of(node),
                str(core.members.state(node)),
                max(wall_ms - (now_ms - core.members.since_ms(node)), 0),
                {str(path): str(state) for path, state in core.members.paths(node).items()},
            )
            for node in core.fresh.peers
        ],
        faults=[cut(fault) for fault in faults(runtime)][:FAULTS_MAX],
        services=[*(each.name for each in config.services), *config.off],
    )


def facts(runtime: "Runtime") -> Facts:
    """Return what the alarms are judged by."""
    core, workload = runtime.core, runtime.shells.workload
    config = core.config
    held = [name for name, (role, _) in roles(core).items() if role is HaRole.ACTIVE]
    return Facts(
        peers=tuple(_peer(core, node) for node in core.fresh.peers),
        groups=tuple(
            GroupFacts(
                name, _standbys(core, name), STANDBYS, is_ordered=_is_spared_by_order(core, name)
            )
            for name in held
            if name != SITE_LEASE
        ),
        guard="it does not answer" if _has_lost_guard(runtime) else core.candidacy.guard.fault,
        held_back={} if workload is None else workload.held_back(),
        conflict="" if workload is None else workload.conflict(),
        warnings=config.warnings if config.single_network == "accepted" else (),
        fences={} if runtime.shells.fencing is None else runtime.shells.fencing.faults(),
        witness=witness_word(core, runtime.now_ms()),
        clear_text=clear_text(config, has_identity=runtime.shells.lan is not None),
        untested=untested(runtime),
    )


def untested(runtime: "Runtime") -> str:
    """Return why the watchdog behind this site's hard groups is not known to bite here."""
    bites = runtime.shells.bites
    known = {} if bites is None else bites.known
    return bite.untested(runtime.config, runtime.guard_report, known)


def refused(runtime: "Runtime") -> dict[str, int]:
    """Return what came in and was not believed, by reason; from no member's address: stranger."""
    strangers = sum(path.strangers for path in runtime.shells.paths)
    return runtime.shells.peers.refused | ({"stranger": strangers} if strangers else {})


def dropped(runtime: "Runtime") -> dict[str, int]:
    """Return what was a member's and as good as never sent, by reason."""
    return {str(why): count for why, count in runtime.core.fresh.dropped.items() if count}


def witness_word(core: Core, now_ms: int) -> str:
    """Return why the witness at the centre would not vote, empty where it would."""
    witness = core.witness
    if witness is None or witness.is_there(now_ms):
        return ""
    return WHY_NOT.get(witness.why, witness.why)


def faults(runtime: "Runtime") -> list[str]:
    """Return what is wrong on this node, in sentences."""
    shells = runtime.shells
    found = []
    if shells.store.fault:
        found.append(shells.store.fault)
    if _has_lost_guard(runtime):
        found.append("the guard does not answer")
    elif word := runtime.core.candidacy.guard.fault:
        found.append(word)
    if word := witness_word(runtime.core, runtime.now_ms()):
        found.append(f"witness at the centre: {word}")
    if names := ", ".join(map(runtime.core.name_of, runtime.core.members.strangers())):
        found.append(f"{names}: other groups or services in its ha.toml than here")
    if shells.broker is not None and shells.broker.fault:
        found.append(f"site broker: {shells.broker.fault}")
    return found


def _has_lost_guard(runtime: "Runtime") -> bool:
    guard = runtime.shells.guard
    return guard is not None and guard.lost.is_set()


def _role(core: Core, name: str) -> HaRole:
    if core.who.node not in core.hosts[name]:
        return HaRole.VOTER
    lease = core.leases[name]
    if lease.is_held:
        return HaRole.ACTIVE if lease.phase == Phase.HOLDING else HaRole.STOPPING
    return HaRole.BARRED if core.bar(name) else HaRole.STANDBY


def _lease(runtime: "Runtime", name: str) -> HaGroup:
    core, now_ms = runtime.core, runtime.now_ms()
    lease = core.leases[name]
    belief = lease.belief(now_ms)
    is_built_in = name == SITE_LEASE
    state, services = _services(runtime.shells.workload, name)
    return HaGroup(
        name=name,
        model="site" if is_built_in else core.config.group(name).model,
        hosts=[core.name_of(node) for node in core.hosts[name]],
        role=_role(core, name),
        epoch=lease.epoch if lease.is_held else belief.epoch,  # rivals may have tried higher ones
        holder="" if belief.holder is None else core.name_of(belief.holder),
        bar=cut(core.bar(name)),
        state=state,
        services=services,
    )


def _everywhere(runtime: "Runtime", group: Group) -> HaGroup:
    """Return a group of model N: each host runs its own, nobody needs a right to."""
    core = runtime.core
    state, services = _services(runtime.shells.workload, group.name)
    is_host = core.name_of(core.who.node) in group.hosts
    runs = state in {"active", "enabling"}
    return HaGroup(
        name=group.name,
        model=group.model,
        hosts=list(group.hosts),
        role=HaRole.VOTER if not is_host else HaRole.ACTIVE if runs else HaRole.BARRED,
        bar=cut(core.candidacy.host_bar) if is_host and not runs else "",
        state=state,
        services=services,
    )


def _services(workload: "Workload | None", name: str) -> tuple[str, dict[str, str]]:
    told = {} if workload is None else workload.status().get(name, {})
    return str(told.get("state", "")), {
        service: str(state) for service, state in told.get("services", {}).items()
    }


def _way(runtime: "Runtime", number: int, way: Way) -> HaWay:
    path = next((each for each in runtime.shells.paths if each.number == number), None)
    fault = "this node is not on its network" if path is None else path.fault
    return HaWay(way.title, way.network, way.driver, way.broker or "", cut(fault))


def _peer(core: Core, node: int) -> PeerFacts:
    ways = core.config.paths
    silent = [
        ways[path].title
        for path, state in sorted(core.members.paths(node).items())
        if state not in CARRIES
    ]
    is_there = core.members.is_there(node) and len(silent) < len(core.members.paths(node))
    return PeerFacts(core.name_of(node), is_there, tuple(silent))


def _standbys(core: Core, name: str) -> int:
    others = [node for node in core.hosts[name] if node != core.who.node]
    return sum(not unfit(core.members, node, name) for node in others)


def _is_spared_by_order(core: Core, name: str) -> bool:
    """Say whether a standby of a group was locked when it was heard last: it is out by an order.

    So is one that an update, or a person, has boot: it is locked before, and unlocked after.
    """
    told = [core.members.report(node) for node in core.hosts[name] if node != core.who.node]
    states = [unpack(each.host).state for each in told if each is not None]
    return any(state is not None and state[0] is Admin.LOCKED for state in states)
