"""Why another node could not take a lease now, as far as its beats say."""

from roost_agent.ha.health import LHM_UNFIT
from roost_agent.ha.member import THERE
from roost_agent.ha.membership import Membership
from roost_protocol.ha import LEAVING, LEFT


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
        return "it says that it could not (roost-agent ha status on it says why)"
    return ""
