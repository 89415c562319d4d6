"""Whether a host may be installed anew by this node now. Pure."""

from collections.abc import Mapping
from typing import Any, Final

_STATES: Final = ("locked/disabled/online", "locked/disabled/power-off")


def refusal(report: Mapping[str, Any], node: str, own: str, expect: str) -> str:
    """Return why not; empty: it may (hosts.md section 3).

    Args:
        report: of the host that acts: how the hosts of its site stand.
        node: who is to be installed anew.
        own: who acts.
        expect: the state that it was decided on; empty: any.
    """
    if node == own:
        return f"{node} is this node, which would not see the end of it: another one does it"
    if report["is_mnfa"]:
        return "several hosts are silent together: the network is to blame, not their machines"
    state = {each["node"]: each["state"] for each in report["hosts"]}.get(node, "")
    if expect and state != expect:
        return f"it was decided on {expect}, and {node} is {state or 'unknown'}: look again"
    if state not in _STATES:
        return f"{node} is {state or 'unknown'}, not one of {', '.join(_STATES)}: lock it first"
    return ""


def is_back(states: list[str]) -> bool:
    """Say whether a host was away and speaks again, by its states since its power was switched."""
    return bool(states) and states[-1].endswith("/online") and len(set(states)) > 1
