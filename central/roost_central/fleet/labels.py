"""A change of labels: some are set, some are taken away. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

LABELS_MAX: Final = 32  # of one site or node


@dataclass(frozen=True, slots=True)
class LabelChange:
    """What is set, and the keys that are taken away; a key is in one of both."""

    put: Mapping[str, str] = field(default_factory=dict)
    remove: frozenset[str] = frozenset()

    def applied(self, labels: Mapping[str, str]) -> dict[str, str]:
        """Return the labels after it."""
        left = {key: value for key, value in labels.items() if key not in self.remove}
        return left | dict(self.put)
