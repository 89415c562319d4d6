"""What must hold between the parts of an HA configuration (ha.md 2), all faults at once.

Leaves to others: types and bounds of single fields (config.py), timing (timing.py), single points
of failure (fault_graph.py), and what only the node can say, such as whether a unit is enabled.
"""

import ipaddress
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from roost_agent.ha.config import SITE_LEASE, Group, HaFile, Network, Node, Service, Slot
from roost_agent.ha.config_fence import fence_faults
from roost_agent.ha.config_slots import lease_faults, slot_faults
from roost_agent.ha.config_witness import witness_faults
from roost_agent.ha.dependency import acyclic, cycles, longest_ms
from roost_agent.ha.rung import ladder

VOTER_COUNTS: Final = (1, 2, 3, 5)
PASSIVE: Final = ("pidfd", "systemd", "cgroup-empty")
_STRENGTH: Final = ("none", "soft", "hard")
PAIR: Final = 2


def faults_of(said: HaFile) -> list[str]:
    """Return everything that is wrong, each naming field, value and what it must be."""
    return [
        *_names(said),
        *_addresses(said),
        *_peer_groups(said),
        *_gateways(said),
        *_paths(said),
        *_voters(said),
        *_sticky(said),
        *(fault for group in said.groups for fault in _group(said, group)),
        *(fault for service in said.services for fault in _service(said, service)),
        *lease_faults(said),
        *_vips(said),
        *fence_faults(said.fences, _known(said, "node")),
        *_cycles(said),
        *_shared(said),
    ]


def notes_of(said: HaFile) -> list[str]:
    """Return what holds, and is perhaps not what was meant."""
    return [
        f"service[{each.name}].active: an answer may take {each.active.timeout_s:g} s (timeout_s),"
        f" so it is asked less often than each {each.active.interval_s:g} s (interval_s)"
        for each in said.services
        if each.active is not None and each.active.timeout_s > each.active.interval_s
    ]


def exclusive_of(said: HaFile, group: Group) -> str:
    """Return ``none``, ``soft`` or ``hard``: a group takes its strongest service."""
    family = group.family if isinstance(group, Slot) else group.name
    own = [_exclusive(group, each) for each in said.services if each.group == family]
    lowest = "soft" if group.has_lease else "none"
    return max([lowest, *own], key=_STRENGTH.index)


def is_watched(said: HaFile, group: Group) -> bool:
    """Return whether a watchdog must stand behind a group: it is hard, and not by fencing."""
    return exclusive_of(said, group) == "hard" and group.hard_by == "watchdog"


def stop_chain(said: HaFile) -> tuple[int, tuple[str, ...]]:
    """Return the stop time S of the longest chain of any group with a lease, and the chain."""
    leased = {
        group.family if isinstance(group, Slot) else group.name
        for group in said.groups
        if group.has_lease
    }
    services = [each for each in said.services if each.group in leased]
    needs = acyclic({each.name: each.depends for each in services})
    return longest_ms(needs, {each.name: each.budget.stop_ms for each in services})


def is_sticky(said: HaFile) -> bool:
    """Return whether an owner's right has no end: every voter must grant (ha.md 6)."""
    return len(said.voters) <= PAIR


def _exclusive(group: Group, service: Service) -> str:
    return service.exclusive or ("soft" if group.has_lease else "none")


def _names(said: HaFile) -> Iterator[str]:
    for key, names in (
        ("networks", [each.name for each in said.networks]),
        ("node", [each.name for each in said.nodes]),
        ("node.index", [each.index for each in said.nodes]),
        ("group", [each.name for each in said.groups]),
        ("service", [each.name for each in said.services]),
        ("voters", list(said.voters)),
    ):
        yield from (f"{key}: {name!r} stands there twice" for name in _twice(names))
    if any(group.name == SITE_LEASE for group in said.groups):
        yield f"group[{SITE_LEASE}].name: is the name of the built-in lease"


def _twice(names: Sequence[object]) -> list[object]:
    return [name for name, times in Counter(names).items() if times > 1]


def _known(said: HaFile, key: str) -> list[str] | None:
    """Return the names in the tables of a key, of those that do not hold too; None: not known."""
    if not said.is_whole(key) and not said.lost(key):
        return None
    tables: dict[str, Sequence[Network | Node | Group]] = {
        "networks": said.networks,
        "node": said.nodes,
        "group": said.groups,
    }
    return [*(each.name for each in tables[key]), *said.lost(key)]


def _unknown(
    where: str, what: str, names: Iterable[str], known: Collection[str] | None
) -> Iterator[str]:
    for name in names:
        if known is not None and name not in known:
            yield f"{where}: {name!r} is no {what}; there are {', '.join(known) or 'none'}"


def _addresses(said: HaFile) -> Iterator[str]:
    networks = _known(said, "networks")
    seen: dict[object, str] = {}
    for node in said.nodes:
        where = f"node[{node.name}].address"
        yield from _unknown(where, "network", node.address, networks)
        for network, text in node.address.items():
            try:
                address = ipaddress.ip_address(text)
            except ValueError:
                yield f"{where}.{network}: {text!r}: must be an IP address"
                continue
            if address in seen:
                yield f"{where}.{network}: {text!r} is {seen[address]}'s too"
            seen[address] = node.name


def _peer_groups(said: HaFile) -> Iterator[str]:
    for node in said.nodes:
        if node.peer_group is not None and node.role != "storage":
            where = f"node[{node.name}].peer_group"
            yield f'{where}: {node.peer_group!r}: only a node of role = "storage" has it'


def _gateways(said: HaFile) -> Iterator[str]:
    for network in said.networks:
        try:
            ipaddress.ip_address(network.gateway or "::")
        except ValueError:
            where = f"networks[{network.name}].gateway"
            yield f"{where}: {network.gateway!r}: must be an IP address"


def _paths(said: HaFile) -> Iterator[str]:
    networks = _known(said, "networks")
    nodes = {each.name: each for each in said.nodes}
    for place, way in enumerate(said.paths):
        where = f"paths[{place}]"
        yield from _unknown(f"{where}.network", "network", [way.network], networks)
        if way.driver == "udp":
            if way.broker is not None:
                yield f'{where}.broker: {way.broker!r}: driver = "udp" has no broker'
        elif way.broker is None:
            yield f'{where}.broker: missing; driver = "mqtt" needs the node that runs the broker'
        elif way.broker not in nodes:
            known = _known(said, "node")
            yield from _unknown(f"{where}.broker", "node", [way.broker], known)
        elif way.network in (networks or ()) and way.network not in nodes[way.broker].address:
            yield (
                f"{where}.network: the broker on {way.broker} has no address on {way.network}:"
                f" node[{way.broker}].address.{way.network}"
            )
    same = [(way.driver, way.broker, way.network) for way in said.paths]
    for driver, broker, network in dict.fromkeys(each for each in same if same.count(each) > 1):
        by = f" by {broker}" if broker else ""
        yield f"paths: {driver} over {network}{by} stands there twice"


def _voters(said: HaFile) -> Iterator[str]:
    if not said.is_whole("voters"):
        return
    yield from _unknown("voters", "node", said.voters, _known(said, "node"))
    if len(said.voters) not in VOTER_COUNTS:
        yield f"voters: {len(said.voters)} voters: must be 1, 3 or 5, or two as a sticky pair"
    hosts = {host for group in said.groups for host in group.hosts}
    if said.witness == "central":
        yield from witness_faults(said)
    elif said.witness == "node" and hosts.issuperset(said.voters):
        yield 'witness: "node": every voter hosts a group, and a witness hosts nothing'


def _sticky(said: HaFile) -> Iterator[str]:
    if said.on_full_cut == "fence_incumbent":
        yield from _lacking(said, "on_full_cut", said.voters)
    if said.cold_start_alone == "last_holder" and said.fences:
        yield (
            'cold_start_alone: "last_holder" takes no proof that a node is off, so a [[fence]] is'
            ' of no use: "wait", or no [[fence]]'
        )
    if said.cold_start_alone == "last_holder" and said.witness == "central":
        yield 'cold_start_alone: "last_holder" is of a pair alone: witness = "central" is a third'
    for key in ("on_full_cut", "cold_start_alone"):
        if getattr(said, key) is not None and len(said.voters) > PAIR:
            yield f"{key}: only a sticky pair uses it, and there are {len(said.voters)} voters"


def _lacking(said: HaFile, where: str, nodes: Iterable[str]) -> Iterator[str]:
    """Yield the nodes that something would fence and nothing could."""
    if not said.is_whole("fence"):
        return
    fenced = {fence.node for fence in said.fences}
    if lacking := [node for node in nodes if node not in fenced]:
        yield f"{where}: {', '.join(lacking)}: has no [[fence]]"


def _group(said: HaFile, group: Group) -> Iterator[str]:
    where = f"group[{group.name}]"
    yield from _unknown(f"{where}.hosts", "node", group.hosts, _known(said, "node"))
    yield from (f"{where}.hosts: {name!r} stands there twice" for name in _twice(group.hosts))
    required = group.requires_active
    yield from _unknown(f"{where}.requires_active", "group", required, _known(said, "group"))
    yield from _requires(said, group, where)
    is_empty = not any(each.group == group.name for each in said.services)
    if is_empty and not group.vip and said.is_whole("service"):
        yield f"{where}: has neither a service nor a vip"
    for key in ("active", "standby"):
        if getattr(group, key) is not None and group.model != "N+M":
            yield f'{where}.{key}: only model "N+M" has it'
    yield from _no_quorum(said, group, where)
    if group.preempt != "never" and not group.has_lease:
        yield f'{where}.preempt: {group.preempt}: model "N" is active on every host: "never"'
    match group.model:
        case "N":
            yield from _n(group, where)
        case "N+M":
            yield from slot_faults(said, group)
        case "2N":
            yield from _two_n(said, group, where)


def _requires(said: HaFile, group: Group, where: str) -> Iterator[str]:
    """Yield the requirements that could not be waited for."""
    if group.requires_active and not group.has_lease:
        yield f'{where}.requires_active: model "N" is active from the start, and waits for no group'
        return
    for other in said.groups:
        if other.name not in group.requires_active or other.has_lease:
            continue
        if missing := [host for host in group.hosts if host not in other.hosts]:
            yield f"{where}.requires_active: {other.name!r} does not run on {', '.join(missing)}"


def _no_quorum(said: HaFile, group: Group, where: str) -> Iterator[str]:
    does = ("stop", "reboot") if group.has_lease else ("continue",)
    if group.without_quorum not in does:
        known = " or ".join(f'"{each}"' for each in does)
        yield f"{where}.on_no_quorum: {group.on_no_quorum!r} is not in this version: {known}"
    elif group.without_quorum == "reboot" and said.is_whole("voters") and is_sticky(said):
        yield f'{where}.on_no_quorum: "reboot": the owner of a pair goes on when it is cut off'


def _two_n(said: HaFile, group: Group, where: str) -> Iterator[str]:
    if len(group.hosts) < PAIR:
        yield f'{where}.hosts: {len(group.hosts)} host: model "2N" needs 2 or more'
    strangers = [host for host in group.hosts if host not in said.voters]
    if strangers and said.is_whole("voters"):
        yield f"{where}.hosts: {', '.join(strangers)}: only a voter may host a 2N group"
    if group.hard_by == "fence":
        yield from _lacking(said, f"{where}.hard_by", group.hosts)
        if said.is_whole("service") and exclusive_of(said, group) != "hard":
            yield f'{where}.hard_by: "fence": no service of it has exclusive = "hard"'


def _n(group: Group, where: str) -> Iterator[str]:
    if group.hard_by == "fence":
        yield f'{where}.hard_by: "fence": model "N" is active everywhere'
    if group.vip:
        yield f'{where}.vip: model "N" is active everywhere, an address must not be: "2N"'


def _service(said: HaFile, service: Service) -> Iterator[str]:
    where = f"service[{service.name}]"
    groups = {each.name: each for each in said.groups}
    yield from _unknown(f"{where}.group", "group", [service.group], _known(said, "group"))
    yield from _depends(said, service, where)
    yield from _run(service, where)
    yield from _watches(service, where)
    group = groups.get(service.group)
    try:
        steps = ladder(service.ladder or ()).steps
    except ValueError as err:
        yield f"{where}.ladder: {err}"
        steps = ()
    if group is not None and group.model == "N":
        if service.exclusive in {"soft", "hard"}:
            yield f'{where}.exclusive: {service.exclusive!r}: model "N" has "none"'
        if service.eligible:
            yield f'{where}.eligible: {service.eligible[0]!r}: model "N" chooses nobody'
        if "failover" in steps:
            yield f'{where}.ladder: "failover": model "N" is active everywhere'
        return
    for key in ("systemd", "container"):
        if group is not None and group.model == "N+M" and getattr(service.run, key) is not None:
            yield (
                f"{where}.run.{key}: it has one place to run, and each slot of a group has its own:"
                f' model "N+M" takes start or ocf'
            )
    if group is not None and service.exclusive == "none":
        yield f'{where}.exclusive: "none": model "{group.model}" needs "soft" or "hard"'


def _depends(said: HaFile, service: Service, where: str) -> Iterator[str]:
    if not said.is_whole("service") and not said.lost("service"):
        return
    mates = [each.name for each in said.services if each.group == service.group]
    what = f"service of group {service.group}"
    known = [*mates, *said.lost("service")]
    yield from _unknown(f"{where}.depends", what, service.depends, known)


def _run(service: Service, where: str) -> Iterator[str]:
    kinds = service.run.kinds
    if len(kinds) != 1:
        given = " and ".join(kinds) or "nothing"
        yield f"{where}.run: {given}: must be one of systemd, start, ocf, container"
    if service.run.stop is not None and service.run.start is None:
        yield f"{where}.run.stop: only a start command has a stop command"
    for key, words in (
        ("run.start", service.run.start),
        ("run.stop", service.run.stop),
        ("eligible", service.eligible),
        ("active.probe", service.active.probe if service.active else None),
    ):
        if words and not words[0].startswith("/"):
            yield f"{where}.{key}: {words[0]!r}: a program is named by its absolute path"


def _watches(service: Service, where: str) -> Iterator[str]:
    for each in service.passive or ():
        if each.startswith("log:"):
            yield f"{where}.passive: {each!r}: no log is watched in this version: an active probe"
        elif each not in PASSIVE:
            yield f"{where}.passive: {each!r}: must be one of {', '.join(PASSIVE)}"
    if "systemd" in (service.passive or ()) and service.run.systemd is None:
        yield f'{where}.passive: "systemd": it runs no systemd unit'
    if "pidfd" in (service.passive or ()) and service.run.start is None:
        yield f'{where}.passive: "pidfd": only a start command is a process of the agent'
    if (service.run.ocf or service.run.container) and service.active is None:
        return  # their own monitor is the probe
    if service.passive == () and service.active is None:
        yield f"{where}.passive: nothing watches it: a passive watch or an active probe"


def _vips(said: HaFile) -> Iterator[str]:
    networks = {each.name: each for each in said.networks}
    seen: dict[object, str] = {}
    for group in said.groups:
        for vip in group.vip:
            where = f"group[{group.name}].vip"
            known = _known(said, "networks")
            yield from _unknown(f"{where}.network", "network", [vip.network], known)
            if vip.network in networks and networks[vip.network].interface is None:
                yield f"networks[{vip.network}].interface: missing; {where} goes there"
            try:
                address = ipaddress.ip_interface(vip.address).ip
            except ValueError:
                yield f"{where}.address: {vip.address!r}: must be ADDRESS/LENGTH"
                continue
            if "/" not in vip.address:
                yield f"{where}.address: {vip.address!r}: must be ADDRESS/LENGTH"
            if address in seen:
                yield f"{where}.address: {vip.address!r} is {seen[address]}'s too"
            seen[address] = f"group {group.name}"
            for node in said.nodes:
                if str(address) in node.address.values():
                    yield f"{where}.address: {vip.address!r} is node {node.name}'s own address"


def _shared(said: HaFile) -> Iterator[str]:
    """Yield the units and containers that are two services, of which a lease may run one."""
    seen: dict[tuple[str, str], str] = {}
    for service in said.services:
        for key in ("systemd", "container"):
            if (name := getattr(service.run, key)) is None:
                continue
            if (key, name) in seen:
                where = f"service[{service.name}].run.{key}"
                yield f"{where}: {name!r} is service[{seen[key, name]}]'s too"
            seen.setdefault((key, name), service.name)


def _cycles(said: HaFile) -> Iterator[str]:
    for found in cycles({each.name: each.depends for each in said.services}):
        yield f"service.depends: a cycle: {' -> '.join(found)}"
    for found in cycles({each.name: each.requires_active for each in said.groups}):
        yield f"group.requires_active: a cycle: {' -> '.join(found)}"
