"""Tells when no majority of the voters is heard, and when one is again."""

from collections.abc import Callable
from typing import Final

from roost_agent.ha import core_events as ev
from roost_protocol.electorate import Electorate

NO_QUORUM: Final = "400.801"


class QuorumWatch:
    """The alarm of a lost majority.

    Args:
        electorate: of the site.
        is_there: whether a voter is heard at a time.
        settled_ms: before this there was no time to hear anybody.
    """

    def __init__(
        self, electorate: Electorate, is_there: Callable[[int, int], bool], settled_ms: int
    ) -> None:
        self.electorate = electorate
        self._is_there = is_there
        self._settled_ms = settled_ms
        self._has_quorum = True

    def look(self, now_ms: int) -> ev.Raise | ev.Clear | None:
        """Return what is to be raised or cleared now."""
        electorate = self.electorate
        reached = sum(self._is_there(voter, now_ms) for voter in electorate.voters)
        has_quorum = electorate.sticky or reached >= electorate.needed
        is_settled = now_ms > self._settled_ms
        if has_quorum == self._has_quorum or not (has_quorum or is_settled):
            return None
        self._has_quorum = has_quorum
        if has_quorum:
            return ev.Clear(NO_QUORUM)
        reason = f"{reached} of {len(electorate.voters)} voters are heard"
        return ev.Raise(NO_QUORUM, {"reason": reason})
