"""``processes``: the agent goes by it at once; root says whether its catalogue has the services."""

import tomllib
from typing import Final

from roost_agent.config_apply.machine import Machine
from roost_agent.config_apply.section import Originals, Plan, Values
from roost_protocol.profile.check import Tree, leaves
from roost_protocol.profile.field import Path

CATALOGUE: Final = "etc/roost/units.toml"  # as the helper's: root's own


class Processes:
    """See Section. What is read: the names of the catalogue."""

    name: str = "processes"
    needs_confirm: bool = False

    def read(self, wanted: Tree, before: Tree, machine: Machine) -> frozenset[str]:  # noqa: ARG002
        """See Section. A catalogue that cannot be read has no name: the helper takes none of it."""
        try:
            said = tomllib.loads((machine.read(CATALOGUE) or b"").decode())
        except (ValueError, RecursionError):
            return frozenset()
        units = said.get("unit")
        return frozenset(units if isinstance(units, dict) else ())

    def refusals(self, wanted: Tree, found: frozenset[str]) -> list[str]:
        """See Section."""
        return [
            f"watch.{name}.service: {service!r} is no name in /{CATALOGUE}"
            for name, said in wanted.get("watch", {}).items()
            if (service := said.get("service")) is not None and service not in found
        ]

    def plan(
        self,
        wanted: Tree,  # noqa: ARG002
        before: Tree,  # noqa: ARG002
        found: frozenset[str],  # noqa: ARG002
        originals: Originals,  # noqa: ARG002
    ) -> Plan:
        """See Section."""
        return Plan()

    def values(self, wanted: Tree, found: frozenset[str]) -> Values:  # noqa: ARG002
        """See Section."""
        return dict(leaves(wanted))

    def pending(self, wanted: Tree, found: frozenset[str]) -> frozenset[Path]:  # noqa: ARG002
        """See Section."""
        return frozenset()
