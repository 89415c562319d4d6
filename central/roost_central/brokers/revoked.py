"""Who may do nothing any more, and which certificates count no more: of what the identities say.

Pure. Invariants: a slot with a live identity is never denied, for its name is the new box's too; of
a renewal the old certificate is not revoked: its key is gone from the node, its report key counts
no more, and a list of each renewal of a fleet would grow past its bound.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from roost_central.enrol.states import State


@dataclass(frozen=True, slots=True)
class Ended:
    """One generation that may not speak any more; ``serial`` in hexadecimal."""

    node: str
    box: int
    serial: str
    state: State
    changed_ms: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What the fleet's brokers must know.

    Attributes:
        denied: node ids.
        revoked: serial to second since when.
    """

    denied: frozenset[str]
    revoked: Mapping[str, int]


def standing(ended: Iterable[Ended], boxes: Mapping[str, int]) -> Standing:
    """Return who is out.

    Args:
        ended: every generation that has ended after it was handed out.
        boxes: of each slot with a live identity, the number of its present box.
    """
    denied: set[str] = set()
    revoked: dict[str, int] = {}
    for row in ended:
        box = boxes.get(row.node)
        if box is None:
            denied.add(row.node)
        if row.state is not State.REPLACED or row.box != box:
            revoked[row.serial] = row.changed_ms // 1000
    return Standing(frozenset(denied), revoked)
