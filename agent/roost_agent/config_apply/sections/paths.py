"""``paths``: the agent goes by it; root says whether the interfaces are there.

Another source of connections can cut the node off: the agent tries it before it counts.
"""

from roost_agent.config_apply.machine import Machine
from roost_agent.config_apply.section import Originals, Plan, Values
from roost_protocol.profile.check import Tree, leaves
from roost_protocol.profile.field import Path

INTERFACES = "sys/class/net"


class Paths:
    """See Section. What is read: the names of interfaces."""

    name: str = "paths"
    needs_confirm: bool = True

    def read(self, wanted: Tree, before: Tree, machine: Machine) -> frozenset[str]:  # noqa: ARG002
        """See Section."""
        return frozenset(machine.names(INTERFACES))

    def refusals(self, wanted: Tree, found: frozenset[str]) -> list[str]:
        """See Section."""
        return [
            f"wan.{path}.interface: there is no {name}"
            for path, name in _sources(wanted).items()
            if name not in found
        ]

    def plan(
        self,
        wanted: Tree,
        before: Tree,
        found: frozenset[str],  # noqa: ARG002
        originals: Originals,  # noqa: ARG002
    ) -> Plan:
        """See Section."""
        return Plan(is_tried=_sources(wanted) != _sources(before))

    def values(self, wanted: Tree, found: frozenset[str]) -> Values:  # noqa: ARG002
        """See Section."""
        return dict(leaves(wanted))

    def pending(self, wanted: Tree, found: frozenset[str]) -> frozenset[Path]:  # noqa: ARG002
        """See Section."""
        return frozenset()


def _sources(tree: Tree) -> dict[str, str]:
    """Return the interface that each path's connections come from, where one is said."""
    said = tree.get("wan", {}).items()
    return {path: own["interface"] for path, own in said if "interface" in own}
