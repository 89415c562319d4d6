"""What a section is to those who apply settings and look for drift.

``read`` looks at the machine below a root; all else is pure. Nothing is verified by what was
written: after the steps the section is read anew, and every wanted setting must have its value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from roost_agent.config_apply.machine import Machine
from roost_agent.config_apply.step import Step
from roost_protocol.profile.check import Tree
from roost_protocol.profile.field import Path
from roost_protocol.profile.kinds import Value

Originals: TypeAlias = Mapping[str, bytes | None]
Values: TypeAlias = dict[Path, Value | None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What brings a section from what was found to what is wanted.

    Attributes:
        originals: what was there before roost set it, by a name of the section's own; it is put
            back when no profile sets it any more.
        is_tried: the agent goes by it before it counts, and says whether the node is reached; of a
            section that the agent itself reads, so there is no step.
    """

    steps: tuple[Step, ...] = ()
    originals: Originals = field(default_factory=dict)
    is_tried: bool = False


class Section(Protocol):
    """One section of the schema. Trees are of the section alone, without its name."""

    @property
    def name(self) -> str:
        """Its name in the schema."""

    @property
    def needs_confirm(self) -> bool:
        """Whether it can cut the node off: it is kept only when the agent says that it did not."""

    def read(self, wanted: Tree, before: Tree, machine: Machine) -> Any:  # noqa: ANN401
        """Return what ``wanted`` and ``before`` are about, as it is now.

        Raises:
            OSError: the machine cannot be read.
        """

    def refusals(self, wanted: Tree, found: Any) -> list[str]:  # noqa: ANN401
        """Return why this machine cannot be that, in sentences; nothing was changed yet."""

    def plan(self, wanted: Tree, before: Tree, found: Any, originals: Originals) -> Plan:  # noqa: ANN401
        """Return the steps from ``found`` to ``wanted``; no step where all is well.

        Args:
            wanted: settings, empty where the section is gone from the document.
            before: those that were applied.
            found: of ``read``.
            originals: kept since earlier plans.
        """

    def values(self, wanted: Tree, found: Any) -> Values:  # noqa: ANN401
        """Return what each wanted setting is, by its path below the section."""

    def pending(self, wanted: Tree, found: Any) -> frozenset[Path]:  # noqa: ANN401
        """Return the settings whose value is in place for the next boot, and not in effect."""
