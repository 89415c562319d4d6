"""Sections that the agent itself reads: root changes nothing for them, nobody else can."""

from dataclasses import dataclass

from roost_agent.config_apply.machine import Machine
from roost_agent.config_apply.section import Originals, Plan, Values
from roost_protocol.profile.check import Tree, leaves
from roost_protocol.profile.field import Path


@dataclass(frozen=True, slots=True)
class Own:
    """See Section."""

    name: str
    needs_confirm: bool = False

    def read(self, wanted: Tree, before: Tree, machine: Machine) -> None:
        """See Section."""

    def refusals(self, wanted: Tree, found: None) -> list[str]:  # noqa: ARG002
        """See Section."""
        return []

    def plan(self, wanted: Tree, before: Tree, found: None, originals: Originals) -> Plan:  # noqa: ARG002
        """See Section."""
        return Plan()

    def values(self, wanted: Tree, found: None) -> Values:  # noqa: ARG002
        """See Section."""
        return dict(leaves(wanted))

    def pending(self, wanted: Tree, found: None) -> frozenset[Path]:  # noqa: ARG002
        """See Section."""
        return frozenset()
