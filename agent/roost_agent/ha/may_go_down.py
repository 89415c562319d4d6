"""Whether this node may go down now, asked before somebody takes its power or reboots it. Pure.

It looks at the site as it would be without this node: who could take what runs here, and whether
those who are left could still decide anything. It promises nothing for a minute later.

Leaves to others: to give away what runs here (leaving, orders), to go down.
"""

from collections.abc import Mapping

import msgspec

from roost_agent.control.message import GoDown
from roost_agent.ha.config import SITE_LEASE
from roost_agent.ha.core import Core
from roost_agent.ha.fitness import unfit
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.leaving import Leaving


class GoingDown(msgspec.Struct, frozen=True):
    """What it would mean.

    Attributes:
        sentence: why, for people.
        moves: group to the node that would take it.
    """

    verdict: GoDown
    sentence: str
    moves: Mapping[str, str]


def may_go_down(core: Core, now_ms: int) -> GoingDown:
    """Return whether a node may go down.

    No: a group has nobody who could take it, or moves just now; the voters that are left are no
    majority, or another of them is out already, so that one more fault would stop the site. In a
    pair the other goes on without end with what it has, so its standby may go (ha.md 8).

    Args:
        core: of the node.
        now_ms: CLOCK_BOOTTIME.
    """
    if not core.leases:
        return _no("local HA only starts here, so what this node holds is not known yet")
    held = [name for name, lease in core.leases.items() if lease.is_held and name != SITE_LEASE]
    why = _ending(core, held) or _missed(core, now_ms)
    if why:
        return _no(why)
    moves: dict[str, str] = {}
    leaving = Leaving(core.members, core.leases, core.hosts)
    for name in held:
        to = leaving.successor(name)
        if to is None:
            return _no(f"{name} runs here and nobody could take it: {_unfits(core, name)}")
        moves[name] = core.name_of(to)
    if moves:
        told = ", ".join(f"{name} to {to}" for name, to in moves.items())
        sentence = f"after transfer: {told} (roost-agent ha switchover GROUP, or stop the agent)"
        return GoingDown(GoDown.AFTER_TRANSFER, sentence, moves)
    return GoingDown(GoDown.YES, "yes: no group that fails over runs here", {})


def _no(why: str) -> GoingDown:
    return GoingDown(GoDown.NO, f"no: {why}", {})


def _ending(core: Core, held: list[str]) -> str:
    """Return what moves just now, empty where nothing does."""
    ending = [name for name in held if core.leases[name].phase != Phase.HOLDING]
    return f"{', '.join(ending)} stops here just now: ask again in a moment" if ending else ""


def _missed(core: Core, now_ms: int) -> str:
    """Return which voters would be missed, empty where enough are left."""
    electorate, me = core.electorate, core.who.node
    if me not in electorate.voters or electorate.sticky:
        return ""  # a pair's owner needs nobody's vote to go on, and what runs here is looked at
    others = [voter for voter in electorate.voters if voter != me]
    out = [core.name_of(voter) for voter in others if not core.is_there(voter, now_ms)]
    left = len(others) - len(out)
    if left < electorate.needed:
        return (
            f"{left} of {len(electorate.voters)} voters would be left, and {electorate.needed} must"
            f" agree{_not_heard(out)}"
        )
    if out:
        return f"another voter is out already{_not_heard(out)}"
    return ""


def _not_heard(out: list[str]) -> str:
    return f"; not heard: {', '.join(out)}" if out else ""


def _unfits(core: Core, name: str) -> str:
    others = [host for host in core.hosts[name] if host != core.who.node]
    return (
        "; ".join(f"{core.name_of(host)}: {unfit(core.members, host, name)}" for host in others)
        or "it has no other host"
    )
