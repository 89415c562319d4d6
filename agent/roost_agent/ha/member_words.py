"""What membership noticed, in sentences for people."""

from collections.abc import Callable
from typing import Final, assert_never

from roost_agent.ha.membership_events import (
    Action,
    MemberChanged,
    PathChanged,
    RedundancyChanged,
)
from roost_agent.ha.redundancy import RedundancyState, Standing
from roost_protocol.explain import Explain

_STATES: Final = {  # of this node's connections
    RedundancyState.NORMAL: "every path to each voter that is there carries again",
    RedundancyState.FAIL_PENDING: "a path to a voter was lost",
    RedundancyState.FAILED: "this host is the worse connected one: it gives way until all is whole",
    RedundancyState.SURVIVED: "this host is the better connected one: it stays until all is whole",
}


def explained(
    action: Action, name_of: Callable[[int], str], title_of: Callable[[int], str]
) -> Explain:
    """Return the sentence of a change, with its evidence.

    Args:
        action: of membership.
        name_of: a node's name by its index.
        title_of: a path's name by its number.
    """
    match action:
        case MemberChanged(node, old, new, why):
            name = name_of(node)
            told = {"node": name, "old": str(old), "new": str(new)}
            return Explain(f"{name}: {old} -> {new}: {why}", told)
        case PathChanged(node, path, old, new):
            name = name_of(node)
            return Explain(
                f"path {title_of(path)} to {name}: {old} -> {new}",
                {"node": name, "path": path, "old": str(old), "new": str(new)},
            )
        case RedundancyChanged(state, mine, other):
            told = {"state": str(state), "mine": _standing(mine)}
            if other is not None:
                told["other"] = _standing(other)
            hears = f" ({_standing(mine)}, the best other {_standing(other)})" if other else ""
            return Explain(f"connections {state}: {_STATES[state]}{hears}", told)
        case _:
            assert_never(action)


def _standing(standing: Standing) -> str:
    voters, score = standing
    return f"hears {voters} voters, path score {score}"
