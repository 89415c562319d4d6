"""A profile: settings for the nodes that it is for, and where it stands among others. Pure.

Order of precedence: the fleet's, then profiles by selector, then a site's, then a node's; within
one layer by priority, the greater later. What comes later wins.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

SOURCE_BYTES_MAX: Final = 64 * 1024  # of a file
PRIORITY_USUAL: Final = 100
PRIORITY_MAX: Final = 1_000
PROFILES_MAX: Final = 500  # of the fleet: each selector is asked of each site or node


class Layer(IntEnum):
    """Whom a profile is for; the greater wins."""

    FLEET = 0
    SELECT = 1
    SITE = 2
    NODE = 3

    @property
    def word(self) -> str:
        """The word of files and answers."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Profile:
    """A reviewed file of settings.

    Attributes:
        target: the selector, the site or the node; empty for the fleet.
        everything, nothing: it may be for all nodes, or for none.
        sections: settings, all within the schema.
        source: the file's text as it was reviewed.
        file: its name, for complaints.
        revision: +1 each time that another text of this name is applied; 0: not applied yet.
    """

    name: str
    layer: Layer
    target: str
    sections: Mapping[str, Any]
    source: str
    file: str
    text: str = ""
    priority: int = PRIORITY_USUAL
    everything: bool = False
    nothing: bool = False
    revision: int = 0

    @property
    def rank(self) -> tuple[Layer, int]:
        """What decides whose value counts; of equals none does."""
        return self.layer, self.priority


@dataclass(frozen=True, slots=True)
class ProfileRecord:
    """A profile as it counts now, and who applied it."""

    name: str
    revision: int
    file: str
    source: str
    by: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """One text of a profile; ``source`` None: it was removed."""

    name: str
    revision: int
    source: str | None
    by: str
    at_ms: int
    reason: str
