"""``network``: interfaces and routes, by rtnetlink, until the next boot; then they are put again.

No file of the distribution is written: what it sets up at a boot stands until roost puts its own
over it. One step from the network as it is to the one that is wanted; see ``network/``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from roost_agent.config_apply.machine import Machine
from roost_agent.config_apply.network import codec
from roost_agent.config_apply.network.difference import difference, ends
from roost_agent.config_apply.network.names import RefusedError, by_name, names, with_parts
from roost_agent.config_apply.network.state import Route, State
from roost_agent.config_apply.network.target import (
    canonical,
    route_of,
    target,
)
from roost_agent.config_apply.network.ways import cut
from roost_agent.config_apply.section import Originals, Plan, Values
from roost_agent.config_apply.step import PutNetwork
from roost_protocol.profile.check import Tree, leaves
from roost_protocol.profile.field import Path
from roost_protocol.profile.kinds import Scalar, Value

Given = Mapping[str, Any]
_DRIFT: Final = "drift"


@dataclass(frozen=True, slots=True)
class Found:
    """The network, and whom the agent speaks with over it."""

    network: State = field(default_factory=State)
    remotes: frozenset[str] = frozenset()


class Network:
    """See Section."""

    name: str = "network"
    needs_confirm: bool = True

    def read(self, wanted: Tree, before: Tree, machine: Machine) -> Found:  # noqa: ARG002
        """See Section."""
        return Found(machine.network(), machine.remotes())

    def refusals(self, wanted: Tree, found: Found) -> list[str]:
        """See Section."""
        try:
            aimed = target(wanted, found.network)
        except RefusedError as err:
            return [str(err)]
        why = cut(found.network, aimed, found.remotes)
        return [f"interfaces: {why}"] if why else []

    def plan(self, wanted: Tree, before: Tree, found: Found, originals: Originals) -> Plan:  # noqa: ARG002
        """See Section."""
        known = {name: codec.interface(raw) for name, raw in originals.items() if raw is not None}
        aimed = target(wanted, found.network, known)
        kept = {
            name: codec.dump(known.get(name, there))
            for name in with_parts(by_name(wanted, names(wanted, found.network)))
            if (there := found.network.interfaces.get(name)) is not None and not there.is_ours
        }
        if not difference(found.network, aimed):
            return Plan(originals=kept)
        one, other = map(codec.dump, ends(found.network, aimed))
        return Plan((PutNetwork(one, other),), kept)

    def values(self, wanted: Tree, found: Found) -> Values:
        """See Section."""
        try:
            real = names(wanted, found.network)
        except RefusedError:
            return {}  # a card that was pulled
        values: dict[Path, Value | None] = {}
        for name, given in wanted.get("interfaces", {}).items():
            there = _values(found.network, real, real[name])
            values |= {
                ("interfaces", name, *path): _as_given(value, there.get(path))
                for path, value in leaves(given)
            }
        for name, given in wanted.get("routes", {}).items():
            route = route_of(given, real)
            now = _given_of(found.network.routes.get(route.key), route, given)
            values |= {("routes", name, key): now.get(key) for key in given}
        return values

    def pending(self, wanted: Tree, found: Found) -> frozenset[Path]:  # noqa: ARG002
        """See Section."""
        return frozenset()


def _values(network: State, real: Mapping[str, str], name: str) -> dict[Path, Value]:
    """Return an interface as settings, other interfaces by the names that the profile has."""
    there = network.interfaces.get(name)
    if there is None:
        return {}
    alias = {each: given for given, each in real.items()}
    members: list[Scalar] = sorted(
        alias.get(each.name, each.name)
        for each in network.interfaces.values()
        if each.master == name
    )
    found: dict[Path, Value] = {
        ("addresses",): [*sorted(there.addresses)],
        ("mac",): there.permanent_mac,
        ("vlan", "parent"): alias.get(there.parent, there.parent),
        ("vlan", "id"): there.tag,
        ("bond", "mode"): there.mode,
        ("bond", "miimon_ms"): there.miimon_ms,
        ("bond", "members"): members,
        ("bridge", "members"): members,
    }
    return found if there.mtu is None else {**found, ("mtu",): there.mtu}


def _as_given(wanted: Value, now: Value | None) -> Value | None:
    """Return what is wanted where it is the same set: there is no order, and one way to write."""
    if not isinstance(wanted, list) or not isinstance(now, list):
        return now
    return wanted if {canonical(str(each)) for each in wanted} == {*now} else now


def _given_of(now: Route | None, wanted: Route, given: Given) -> dict[str, Value]:
    """Return a route as settings; those that are right as they were given."""
    if now is None:
        return {}
    found: dict[str, Value] = {
        "to": now.to,
        "via": now.via,
        "interface": now.interface,
        "metric": now.metric,
        "table": now.table,
    }
    return {key: given[key] if found[key] == getattr(wanted, key) else found[key] for key in given}
