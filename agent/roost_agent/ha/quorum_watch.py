"""Tells when no majority of the voters is heard, and when one is again."""

from typing import Final

from roost_agent.ha import core_events as ev
from roost_agent.ha.membership import Membership
from roost_protocol.electorate import Electorate

NO_QUORUM: Final = "400.801"


class QuorumWatch:
    """The alarm of a lost majority.

    Args:
        electorate: of the site.
        members: of this node.
        settled_ms: before this there was no time to hear anybody.
    """

    def __init__(self, electorate: Electorate, members: Membership, settled_ms: int) -> None:
        self.electorate = electorate
        self._members = members
        self._settled_ms = settled_ms
        self._has_quorum = True

    def look(self, now_ms: int) -> ev.Raise | ev.Clear | None:
        """Return what is to be raised or cleared now."""
        electorate = self.electorate
        reached = sum(self._members.is_there(voter) for voter in electorate.voters)
        has_quorum = electorate.sticky or reached >= electorate.needed
        is_settled = now_ms > self._settled_ms
        if has_quorum == self._has_quorum or not (has_quorum or is_settled):
            return None
        self._has_quorum = has_quorum
        if has_quorum:
            return ev.Clear(NO_QUORUM)
        reason = f"{reached} of {len(electorate.voters)} voters are heard"
        return ev.Raise(NO_QUORUM, {"reason": reason})
