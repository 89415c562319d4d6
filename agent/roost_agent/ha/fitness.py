"""Why another node could not take a lease now, or should not yet, as far as its beats say."""

from roost_agent.ha.health import LHM_UNFIT
from roost_agent.ha.member import THERE
from roost_agent.ha.membership import Membership
from roost_protocol.ha import LEAVING, LEFT, MAINTENANCE


def unfit(members: Membership, node: int, lease: str) -> str:
    """Return why a peer cannot have a lease, empty if it could."""
    state = members.state(node)
    if state not in THERE:
        return f"it is {state}"
    told = members.report(node)
    if told is None:
        return "it told nothing of itself yet"
    if told.standing & (LEAVING | LEFT):
        return "its agent was told to end"
    if told.lhm >= LHM_UNFIT:
        return f"it is unwell (local health multiplier {told.lhm})"
    if lease in told.barred:
        is_kept = "is in maintenance" if told.standing & MAINTENANCE else "says that it could not"
        return f"it {is_kept} (roost-agent ha status on it says why)"
    return ""


def unready(members: Membership, node: int, lease: str, now_ms: int) -> str:
    """Return why a peer is no target of a move that could wait, empty if it is one."""
    if why := unfit(members, node, lease):
        return why
    left_ms = members.joining_ms(node, now_ms)
    return (
        f"it joined a moment ago, and is let be for {-(-left_ms // 1000)} s more" if left_ms else ""
    )
