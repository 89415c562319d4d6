"""Which single element would cut two voters apart: nodes, brokers and networks between them.

A path between two nodes is the set of elements that it needs, its two ends left out: an MQTT path
its network, the broker and the broker's node; a UDP path its network. What stands in all paths of
two voters is a single point of failure (ha.md 3). A path that enters a broker on one network and
leaves it on another is not counted: paths are what frames are numbered by.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final, NamedTuple

from roost_agent.ha.config import Node, Way

DISJOINT_WANTED: Final = 3  # paths of two voters without a common element


class Element(NamedTuple):
    """Something that can fail alone."""

    kind: str  # node, broker, network
    name: str

    def __str__(self) -> str:
        if self.kind == "broker":
            return f"the broker on {self.name}"
        return f"{self.kind} {self.name}"


Path = frozenset[Element]


def paths_between(
    one: Node, other: Node, ways: Sequence[Way], nodes: Mapping[str, Node]
) -> list[Path]:
    """Return what each path of the site that joins two nodes needs."""
    found = []
    for way in ways:
        broker = nodes.get(way.broker) if way.broker is not None else None
        on_it = [one, other] if broker is None else [one, other, broker]
        if any(way.network not in node.address for node in on_it):
            continue
        elements = {Element("network", way.network)}
        if broker is not None:
            elements.add(Element("broker", broker.name))
            elements |= {
                Element("node", each.name) for each in (broker,) if each not in (one, other)
            }
        found.append(frozenset(elements))
    return found


def in_all(paths: Sequence[Path]) -> list[Element]:
    """Return the elements that every path needs, in a fixed order."""
    return sorted(frozenset.intersection(*paths)) if paths else []


def disjoint(paths: Sequence[Path]) -> int:
    """Return how many paths have no common element, counted up to DISJOINT_WANTED."""
    for count in range(DISJOINT_WANTED, 1, -1):
        for chosen in combinations(paths, count):
            if sum(map(len, chosen)) == len(frozenset.union(*chosen)):
                return count
    return min(len(paths), 1)


class Verdict(NamedTuple):
    """What the graph of a site says: faults refuse it, warnings stand as alarms."""

    faults: list[str]
    warnings: list[str]


def verdict(
    voters: Sequence[Node],
    ways: Sequence[Way],
    nodes: Mapping[str, Node],
    *,
    single_network_accepted: bool,
) -> Verdict:
    """Return what one failure could do between any two voters."""
    found = Verdict([], [])
    for one, other in combinations(voters, 2):
        pair = f"{one.name} and {other.name}"
        paths = paths_between(one, other, ways, nodes)
        if not paths:
            found.faults.append(f"no path joins {pair}: they need a network in common")
            continue
        waived = False
        for element in in_all(paths):
            if element.kind == "network" and single_network_accepted:
                waived = True
                found.warnings.append(f"{element} carries every path between {pair}")
            else:
                found.faults.append(
                    f"{element} is in every path between {pair}: its failure alone would cut"
                    " them apart" + _advice(element)
                )
        count = disjoint(paths)
        if count < DISJOINT_WANTED and not waived:
            found.warnings.append(
                f"only {count} paths between {pair} have no network, broker or node in common,"
                f" {DISJOINT_WANTED} are wanted: {count} failures at once could cut them apart;"
                f" {_third(one, other, paths)}"
            )
    return found


def _third(one: Node, other: Node, paths: Sequence[Path]) -> str:
    """Return what to add so that two nodes have one more path with nothing in common."""
    before = disjoint(paths)
    for name in one.address:
        if name in other.address:
            added = frozenset({Element("network", name)})
            if disjoint([*paths, added]) > before:
                return f'add the path {{driver="udp", network="{name}"}}'
    return "put both on one more network, and add a path over it"


def _advice(element: Element) -> str:
    if element.kind == "network":
        return '; add a network, or say single_network = "accepted"'
    return '; add a path without it, such as driver = "udp"'
