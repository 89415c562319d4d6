"""Tells when this node's voter abstains for its disk, and when it votes again: 400.807. Pure."""

from collections.abc import Callable
from typing import Final

from roost_agent.ha import core_events as ev
from roost_protocol.voter_rules import BLANK

ABSTAINS: Final = "400.807"
REFUSES: Final = "its disk takes nothing"
OLDER: Final = "its disk is older than what its peers heard of it"


class Abstaining:
    """The alarm of a voter whose disk is at fault.

    An older disk knows nothing that counts until every node of the site said what it holds; after
    that it is as good as any.

    Args:
        lacks: why the voter would grant nobody anything at a time.

    Attributes:
        is_disk_bad: its last write failed.
    """

    def __init__(self, lacks: Callable[[int], str]) -> None:
        self.is_disk_bad = False
        self._lacks = lacks
        self._is_older = False
        self._told = ""

    def rolled_back(self) -> None:
        """Take in that the disk is older than this node."""
        self._is_older = True

    def look(self, now_ms: int) -> ev.Raise | ev.Clear | None:
        """Return what is to be raised or cleared now; boot clock."""
        self._is_older = self._is_older and self._lacks(now_ms) == BLANK
        reason = REFUSES if self.is_disk_bad else OLDER if self._is_older else ""
        if reason == self._told:
            return None
        self._told = reason
        return ev.Raise(ABSTAINS, {"reason": reason}) if reason else ev.Clear(ABSTAINS)
