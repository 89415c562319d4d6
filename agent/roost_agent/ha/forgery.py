"""Whether frames come that no member made, or old ones again: judged once a minute.

Some come where nothing is wrong, as after a restart; many in one minute are another key file,
another site on the same network, or somebody who tries. None of them is believed either way.
"""

from collections.abc import Mapping
from typing import Final

MINUTE_MS: Final = 60_000
FRAMES_MAX: Final = 30  # in a minute: a member with another key sends 60 and more a path
WORDS: Final = {
    "mac": "made with another key",
    "member": "of no member",
    "site": "of another site",
    "malformed": "that make no sense",
    "oversize": "too long",
    "stranger": "from no member's address",
    "replayed": "that had come before",
}


class Forgery:
    """The judgement of one node.

    Args:
        now_ms: the boot clock.
    """

    def __init__(self, now_ms: int) -> None:
        self._began_ms = now_ms
        self._counted: dict[str, int] = {}
        self._reason = ""

    def look(self, counts: Mapping[str, int], now_ms: int) -> str:
        """Return of which kinds the last whole minute brought too many; empty: of none.

        Args:
            counts: all that was refused since the start, by reason; only the known ones count.
            now_ms: the boot clock.
        """
        if now_ms - self._began_ms >= MINUTE_MS:
            new = {why: counts.get(why, 0) - self._counted.get(why, 0) for why in WORDS}
            is_too_many = sum(new.values()) > FRAMES_MAX
            found = [words for why, words in WORDS.items() if new[why] > 0]
            self._reason = ", ".join(found) if is_too_many else ""
            self._counted = {why: counts.get(why, 0) for why in WORDS}
            self._began_ms = now_ms
        return self._reason
