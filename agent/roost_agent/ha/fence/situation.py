"""What a node's core knows, as fencing must know it before it acts. Pure: it only reads.

A case is made of a node that a lease waits for: in a pair of the other voter, whoever holds what,
since its vote is needed; elsewhere of the owner. Where this node's promise to it has an end, a
proof only comes sooner, so its power is read and nothing more.
"""

from collections.abc import Iterator
from typing import Final

from roost_agent.ha.config import SITE_LEASE
from roost_agent.ha.core import Core
from roost_agent.ha.fence.event import Case, Situation
from roost_agent.ha.gateway import Gateways
from roost_agent.ha.member import MemberState
from roost_protocol.ha import LEAVING, MAINTENANCE
from roost_protocol.voter_state import NO_BOOT

UNHEARD_MS: Final = 10_000  # a node that this start of the agent never heard has so long to speak
_PRESENT: Final = frozenset({MemberState.JOINING, MemberState.ALIVE, MemberState.SUSPECT})


def situation(
    core: Core, now_ms: int, *, has_carrier: bool, gateways: Gateways | None = None
) -> Situation:
    """Return how things stand.

    Args:
        core: of this node.
        now_ms: the boot clock.
        has_carrier: whether any of its own networks has one.
        gateways: of this node, where they are watched.
    """
    members, electorate = core.members, core.electorate
    peers = core.fresh.peers
    known = {node: core.fresh.incarnation(node) for node in peers}
    groups = [lease for name, lease in core.leases.items() if name != SITE_LEASE]
    reached = sum(core.is_there(voter, now_ms) for voter in electorate.voters)
    view = members.view((core.who.node,), now_ms)
    cases = tuple(_cases(core, now_ms))
    return Situation(
        cases=cases,
        present=frozenset(node for node in peers if members.state(node) in _PRESENT),
        spared=frozenset(node for node in peers if _is_spared(core, node)),
        boots={node: each[1] for node, each in known.items() if each is not None},
        holders={name: lease.holder for name, lease in core.leases.items()},
        has_majority=reached >= electorate.needed,
        is_sticky=electorate.sticky,
        is_owner=any(lease.is_held for lease in groups),
        is_isolated=view.isolated or not has_carrier,
        unsure=frozenset(
            case.node
            for case in cases
            if gateways is not None
            and gateways.fell_silent_with(members.evidence(case.node, now_ms).silent_ms, now_ms)
        ),
    )


def _is_spared(core: Core, node: int) -> bool:
    report = core.members.report(node)
    told = 0 if report is None else report.standing & (LEAVING | MAINTENANCE)
    return bool(told) or core.members.state(node) is MemberState.LEFT


def _cases(core: Core, now_ms: int) -> Iterator[Case]:
    for name, lease in core.leases.items():
        is_wanted = name != SITE_LEASE and core.me_hosts(name) and not core.bar(name)
        if lease.is_held or not is_wanted:
            continue
        promise = core.voter.promise(name, now_ms)
        owner = promise.owner if promise is not None else lease.holder
        waits_for: tuple[int | None, ...] = (owner,)
        if core.electorate.sticky:
            waits_for = core.electorate.voters
        for node in waits_for:
            if node is not None and node != core.who.node and _is_gone(core, node, now_ms):
                yield _case(core, name, node, now_ms, is_owner=node in {owner, lease.holder})


def _is_gone(core: Core, node: int, now_ms: int) -> bool:
    state = core.members.state(node)
    if state is MemberState.UNKNOWN:
        return core.members.evidence(node, now_ms).silent_ms > UNHEARD_MS
    return state not in _PRESENT


def _case(core: Core, name: str, node: int, now_ms: int, *, is_owner: bool) -> Case:
    known = core.fresh.incarnation(node)
    promise = core.voter.promise(name, now_ms)
    if known is not None:
        boot = known[1]
    elif promise is not None and promise.owner == node:
        boot = promise.boot
    else:
        boot = NO_BOOT
    is_sticky = core.electorate.sticky
    is_needed = is_sticky or name in core.config.by_proof()
    may_off = is_needed and (not is_sticky or core.config.on_full_cut == "fence_incumbent")
    return Case(
        name, node, core.leases[name].belief(now_ms).epoch, boot,
        is_heard=known is not None, may_off=may_off and is_owner,
        wait_ms=core.members.rank(core.hosts[name], now_ms) * core.config.timing.rank_ms,
        is_needed=is_needed,
    )  # fmt: skip
