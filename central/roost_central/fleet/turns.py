"""Who was active of what, from when to when: the turns in a site's changes of role. Pure.

A turn begins with the word of the node that became active. It ends with that node's word, or with
the begin of the next turn of the group where the node could say no more: a dead node tells no end.
Times are of the clocks of the nodes that spoke.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from roost_protocol.ha_report import HA_ROLE, HaRole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roost_central.storage.events import EventRecord


@dataclass(frozen=True, slots=True)
class Turn:
    """One node's turn of one group.

    Attributes:
        node: its name in the site.
        end_ms: None while no end is known.
        why: the sentence of its begin.
        is_told: the node itself said that it ended.
    """

    group: str
    node: str
    epoch: int
    begin_ms: int
    end_ms: int | None
    why: str
    is_told: bool = False


def turns_of(said: "Iterable[EventRecord]") -> list[Turn]:
    """Return the turns, by their begin.

    Args:
        said: events of one site in the order they were received; others than changes of role are
            passed over. An end whose begin is not among them makes no turn.
    """
    found: dict[tuple[str, int], Turn] = {}
    for event in said:
        group, role, epoch = (event.params.get(name) for name in ("group", "role", "epoch"))
        if event.type != HA_ROLE or not isinstance(group, str) or not isinstance(epoch, int):
            continue
        key = (group, epoch)
        turn = found.get(key)
        if role == HaRole.ACTIVE and turn is None:
            node = (event.node or "").partition(".")[2]
            found[key] = Turn(group, node, epoch, event.at_ms, None, event.text)
        elif role == HaRole.ACTIVE and turn is not None:
            found[key] = replace(turn, end_ms=None, is_told=False)  # an agent that restarted
        elif turn is not None:
            found[key] = replace(turn, end_ms=max(event.at_ms, turn.begin_ms), is_told=True)
    return sorted(_ended(list(found.values())), key=lambda turn: (turn.begin_ms, turn.group))


def _ended(turns: list[Turn]) -> list[Turn]:
    """End the turns of which nobody told the end where the next one begins."""
    ended = []
    for turn in turns:
        later = [
            other.begin_ms
            for other in turns
            if other.group == turn.group and other.epoch > turn.epoch
        ]
        if turn.end_ms is None and later:
            turn = replace(turn, end_ms=max(min(later), turn.begin_ms))  # noqa: PLW2901 - ended
        ended.append(turn)
    return ended
