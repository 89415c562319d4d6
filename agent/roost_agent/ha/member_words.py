"""What membership noticed, in sentences for people."""

from collections.abc import Callable
from typing import assert_never

from roost_agent.ha.membership_events import (
    Action,
    MemberChanged,
    PathChanged,
    RedundancyChanged,
)
from roost_protocol.explain import Explain


def explained(action: Action, name_of: Callable[[int], str]) -> Explain:
    """Return the sentence of a change, with its evidence.

    Args:
        action: of membership.
        name_of: a node's name by its index.
    """
    match action:
        case MemberChanged(node, old, new, why):
            name = name_of(node)
            told = {"node": name, "old": str(old), "new": str(new)}
            return Explain(f"{name}: {old} -> {new}: {why}", told)
        case PathChanged(node, path, old, new):
            name = name_of(node)
            return Explain(
                f"path {path} to {name}: {old} -> {new}",
                {"node": name, "path": path, "old": str(old), "new": str(new)},
            )
        case RedundancyChanged(state):
            return Explain(f"redundancy: {state}", {"state": str(state)})
        case _:
            assert_never(action)
