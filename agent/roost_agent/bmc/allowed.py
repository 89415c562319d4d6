"""Whether an order may act on a host's power by its board controller. Pure."""

from collections.abc import Mapping
from typing import Any, Final

SERVES: Final = "unlocked/enabled/"
POWER_ON: Final = "power-on"


def sensors_refuse(report: Mapping[str, Any], node: str, held_back: str, *, wall_ms: int) -> str:
    """Return why a host is not reset or switched off for what its sensors say; empty: it may be.

    Args:
        report: as below.
        node: whose power.
        held_back: why nothing is done about silent hosts of the site now.
        wall_ms: UTC.
    """
    hosts = {each["node"]: each for each in report["hosts"]}
    if report["is_mnfa"] or held_back:
        return held_back or "several hosts are silent together"
    host = hosts.get(node)
    if host is None:
        return f"nobody here knows how {node} stands"
    if host["maintenance_until_ms"] > wall_ms:
        return f"{node} is in maintenance"
    serving = {name for name, each in hosts.items() if each["state"].startswith(SERVES)}
    return f"{node} is the last that serves: the alarm alone" if serving == {node} else ""


def boards_refuse(
    report: Mapping[str, Any], node: str, verb: str, *, expect: str, force: bool
) -> str:
    """Return why not; empty: it may (hosts.md section 3).

    Args:
        report: of the host that acts: its own state and those of the others.
        node: whose power.
        verb: ``reset``, ``power-on``, ``power-off`` or ``power-cycle``.
        expect: the state that it was decided on; empty: any.
        force: also a host that serves, or whose state nobody knows.
    """
    states = {each["node"]: each["state"] for each in report["hosts"]}
    state = states.get(node, "")
    if expect and state != expect:
        return f"it was decided on {expect}, and {node} is {state or 'unknown'}: look again"
    if report["is_mnfa"]:
        return "several hosts are silent together: the network is to blame, not their machines"
    if verb == POWER_ON or force:
        return ""
    if not state:
        return f"nobody here knows how {node} stands: say force"
    if state.startswith(SERVES):
        return f"{node} serves ({state}): lock it first, or say force"
    return ""
