"""Whether a drill may begin, and why not: a drill on top of a fault would be an outage. Pure."""

import msgspec

from roost_agent.control.message import HaDrill
from roost_agent.ha.core import Core
from roost_agent.ha.peer_path import CARRIES


class Plan(msgspec.Struct, frozen=True):
    """What a drill does.

    Attributes:
        cut: numbers of paths whose frames this node drops.
        stops_broker: whether the broker of this node is stopped.
        what: for people, such as ``lan-a/n1 cut``.
    """

    cut: frozenset[int]
    stops_broker: bool
    seconds: int
    what: str


class DrillRefusedError(Exception):
    """The drill does not begin; says why."""


def planned(core: Core, request: HaDrill, *, has_broker: bool) -> Plan:
    """Return what is to be done.

    Args:
        core: of this node.
        request: paths by name, by network or by number; or the broker.
        has_broker: whether this node runs one.

    Raises:
        DrillRefusedError: with the reason.
    """
    cut = {number for name in request.cut for number in _paths(core, name)}
    if not cut and not request.stop_broker:
        raise DrillRefusedError("say what: a path to cut, or the broker to stop")
    if request.stop_broker and not has_broker:
        raise DrillRefusedError("this node runs no site broker")
    _check_voters(core)
    me = core.name_of(core.who.node)
    silent = cut | {
        number
        for number, way in enumerate(core.config.paths)
        if request.stop_broker and way.broker == me
    }
    _check_rest(core, silent)
    names = sorted(core.config.paths[number].title for number in cut)
    what = [f"{', '.join(names)} cut"] if names else []
    what += [f"broker of {me} stopped"] if request.stop_broker else []
    return Plan(frozenset(cut), request.stop_broker, request.seconds, " and ".join(what))


def _paths(core: Core, name: str) -> list[int]:
    ways = core.config.paths
    found = [
        number for number, way in enumerate(ways) if name in {str(number), way.network, way.title}
    ]
    if not found:
        known = ", ".join(way.title for way in ways)
        raise DrillRefusedError(f"no path {name!r}; there are {known}, or a network's name")
    return found


def _check_voters(core: Core) -> None:
    for voter in core.electorate.local:
        if not core.members.is_there(voter):
            state = core.members.state(voter)
            raise DrillRefusedError(
                f"{core.name_of(voter)} is {state}: a drill on top of a fault would be an outage"
            )


def _check_rest(core: Core, silent: set[int]) -> None:
    """Check that every voter is still heard by some path."""
    for voter in core.electorate.local:
        if voter == core.who.node:
            continue
        rest = [state for path, state in core.members.paths(voter).items() if path not in silent]
        if not any(state in CARRIES for state in rest):
            raise DrillRefusedError(f"it would leave no path that carries to {core.name_of(voter)}")
