"""What the centre's own child saw of a board, as changes of alarms. Pure.

Invariants: what nobody knows stays as it is; what is so already is not raised again; what is not
told of any more is over.
"""

from collections.abc import Collection, Iterable, Mapping

from roost_central.alarms.facts import OwnCleared, OwnRaised
from roost_central.fleet.entity import entity_of
from roost_protocol.board_lines import Found
from roost_protocol.severity import Severity
from roost_protocol.topics import split_node_id

Key = tuple[str, str]  # type, whole entity


def changes(
    node: str, found: Iterable[Found], known: Collection[Key], open_: Mapping[Key, Severity]
) -> list[OwnRaised | OwnCleared]:
    """Return what the alarms of a board are to be told.

    Args:
        node: whose machine it controls.
        found: all conditions of it.
        known: what was raised of it before.
        open_: the severity of those of all these that stand now.
    """
    site, _ = split_node_id(node)
    told: list[OwnRaised | OwnCleared] = []
    seen: set[Key] = set()
    for each in found:
        key = (each.type, entity_of(site, node, each.entity))
        seen.add(key)
        if each.severity is None or each.severity == open_.get(key, Severity.CLEARED):
            continue
        if each.severity == Severity.CLEARED:
            told.append(OwnCleared(*key))
        else:
            severity = Severity(each.severity)
            told.append(OwnRaised(*key, severity, each.params, site=site, node=node))
    return told + over(key for key in known if key not in seen and key in open_)


def over(keys: Iterable[Key], reason: str = "gone") -> list[OwnCleared]:
    """Return the ends of alarms."""
    return [OwnCleared(type_, entity, reason) for type_, entity in sorted(keys)]
