"""The steps from a network as it is to one as it should be, and back. Pure.

Invariants:

- a step is only where the two differ, or where an earlier step takes away what is to stay;
- what is below is made, sized and up before what is on it, addresses before the routes that need
  them, and routes go before what they need;
- the same steps again after all were done are none.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from roost_agent.config_apply.network.state import MADE, Interface, Route, State, above
from roost_agent.config_apply.network.steps import (
    AddAddress,
    Make,
    PutRoute,
    RemoveAddress,
    RemoveRoute,
    SetMaster,
    SetMiimon,
    SetMtu,
    SetUp,
    Step,
    Unmake,
    after,
)


def toward(goal: State, other: State, now: State) -> tuple[Step, ...]:
    """Return the steps to one of two networks, from wherever the way between them was left.

    What is the same in both is left alone, whatever it is now.
    """
    return difference(now, _blend(goal, other, now))


def ends(one: State, other: State) -> tuple[State, State]:
    """Return two networks without what ``toward`` leaves alone between them."""
    names = _concerned(one, other)
    keys = _keys(one, other, names)
    return _only(one, names, keys), _only(other, names, keys)


def difference(found: State, aimed: State) -> tuple[Step, ...]:
    """Return the steps from one network to another."""
    way = _Way(found, aimed)
    for phase in _PHASES:
        for step in list(phase(way.now, aimed)):
            way.take(step)
    return tuple(way.steps)


class _Way:
    """The steps so far, and what the network is after them."""

    def __init__(self, found: State, aimed: State) -> None:
        self.now = found
        self.aimed = aimed
        self.steps: list[Step] = []

    def take(self, step: Step) -> None:
        self.steps.append(step)
        self.now = after(self.now, step)


def _blend(goal: State, other: State, now: State) -> State:
    names = _concerned(goal, other)
    interfaces = dict(now.interfaces)
    for name in names:
        aim, there = goal.interfaces.get(name), now.interfaces.get(name)
        if aim is not None and (there is not None or aim.kind in MADE):
            interfaces[name] = replace(aim, leased=frozenset() if there is None else there.leased)
        elif aim is None and name in other.interfaces and other.interfaces[name].kind in MADE:
            interfaces.pop(name, None)
    for name in names & interfaces.keys():
        each, there = interfaces[name], now.interfaces.get(name)
        if each.master and each.master not in interfaces:  # not made yet, by whoever makes it
            interfaces[name] = replace(each, master="" if there is None else there.master)
    routes = dict(now.routes)
    for key in _keys(goal, other, names):
        routes.pop(key, None)
        if (route := goal.routes.get(key)) is not None:
            routes[key] = route
    left = {key: each for key, each in routes.items() if each.interface in interfaces}
    return State(interfaces, left, now.several)


def _concerned(one: State, other: State) -> set[str]:
    """Return the interfaces that differ, with all that is built on them."""
    names = {
        name
        for name in {*one.interfaces, *other.interfaces}
        if one.interfaces.get(name) != other.interfaces.get(name)
    }
    return above(names, one.interfaces) | above(names, other.interfaces)


def _keys(one: State, other: State, names: set[str]) -> set[str]:
    """Return the routes that differ, or that end when one of these interfaces goes down."""
    return {
        key
        for key in {*one.routes, *other.routes}
        if (mine := one.routes.get(key)) != (its := other.routes.get(key))
        or (mine is not None and mine.interface in names)
        or (its is not None and its.interface in names)
    }


def _only(network: State, names: set[str], keys: set[str]) -> State:
    return State(
        {name: each for name, each in network.interfaces.items() if name in names},
        {key: each for key, each in network.routes.items() if key in keys},
        network.several,
    )


def _routes_that_go(now: State, aimed: State) -> Iterator[Step]:
    for key, route in now.routes.items():
        if key not in aimed.routes:
            yield RemoveRoute(route)


def _unmade(now: State, aimed: State) -> Iterator[Step]:
    for name in reversed(_from_below(now)):
        old, new = now.interfaces[name], aimed.interfaces.get(name)
        if new is None or (old.kind in MADE and old.identity != new.identity):
            yield Unmake(name)


def _made(now: State, aimed: State) -> Iterator[Step]:
    for name in _from_below(aimed):
        if name not in now.interfaces:
            yield Make(aimed.interfaces[name])


def _members(now: State, aimed: State) -> Iterator[Step]:
    for name, each in now.interfaces.items():
        if each.master and each.master != aimed.interfaces[name].master:
            yield SetMaster(name, "")
    for name, new in aimed.interfaces.items():
        if new.master and new.master != now.interfaces[name].master:
            is_bond = aimed.interfaces[new.master].kind == "bond"
            if is_bond and now.interfaces[name].is_up:
                yield SetUp(name, is_up=False)
            yield SetMaster(name, new.master)


def _sizes(now: State, aimed: State) -> Iterator[Step]:
    for name in _from_below(aimed):
        new, old = aimed.interfaces[name], now.interfaces[name]
        if new.miimon_ms != old.miimon_ms:
            yield SetMiimon(name, new.miimon_ms)
        if new.mtu is not None and new.mtu != old.mtu:
            yield SetMtu(name, new.mtu)


def _ups(now: State, aimed: State) -> Iterator[Step]:
    for name in _from_below(aimed):
        new = aimed.interfaces[name]
        if new.is_up != now.interfaces[name].is_up:
            yield SetUp(name, new.is_up)


def _addresses_that_go(now: State, aimed: State) -> Iterator[Step]:
    for name, old in now.interfaces.items():
        for address in sorted(old.addresses - aimed.interfaces[name].addresses):
            yield RemoveAddress(name, address)


def _addresses(now: State, aimed: State) -> Iterator[Step]:
    for name, new in aimed.interfaces.items():
        for address in sorted(new.addresses - now.interfaces[name].addresses):
            yield AddAddress(name, address)


def _routes(now: State, aimed: State) -> Iterator[Step]:
    lacking = [each for key, each in aimed.routes.items() if now.routes.get(key) != each]
    for route in sorted(lacking, key=_is_behind_a_gateway):
        yield PutRoute(route)


def _is_behind_a_gateway(route: Route) -> tuple[bool, str]:
    return bool(route.via), route.key


def _from_below(network: State) -> list[str]:
    """Return the interfaces, each behind those that it is made of."""
    ordered: list[str] = []
    left = dict(network.interfaces)
    while left:
        ready = [name for name, each in left.items() if not _below(each, network) & set(left)]
        for name in ready or list(left):  # a circle cannot be: in none may this go on for ever
            ordered.append(name)
            del left[name]
    return ordered


def _below(each: Interface, network: State) -> set[str]:
    members = {other.name for other in network.interfaces.values() if other.master == each.name}
    return (members | {each.parent}) - {each.name}


# Each looks at the network as it is after the phases before it: what one took away with what it
# ended (a member's routes, a VLAN's addresses) a later one puts back.
_Phase = Callable[[State, State], Iterator[Step]]
_PHASES: tuple[_Phase, ...] = (
    _routes_that_go,
    _unmade,
    _made,
    _addresses_that_go,
    _members,
    _sizes,
    _ups,
    _sizes,
    _ups,
    _addresses,
    _routes,
)
