"""In which groups a change reaches its sites. Pure.

A site is never cut: its nodes are in one group, and the delivery takes one of them at a time.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final
from zlib import crc32

from roost_protocol.errors import ProtocolError

GROUPS_USUAL: Final = "1,10%,rest"
GROUPS_MAX: Final = 16
SITES_MAX: Final = 100_000
REST: Final = "rest"

_SIZE: Final = re.compile(r"([1-9][0-9]{0,5})(%?)", re.ASCII)
_BOUND: Final = f"at most {GROUPS_MAX} sizes with commas: sites (5), percent (10%), {REST}"


def sizes_of(text: str, sites: int) -> list[int]:
    """Return how many sites each group has; together they are all, and none is empty.

    Args:
        text: such as ``1,10%,rest``; percent are of all sites, rounded up; what is left over is
            the last group, said or not.
        sites: how many there are.

    Raises:
        ProtocolError: ``groups``.
    """
    words = [word.strip() for word in text.split(",")]
    if len(words) > GROUPS_MAX:
        raise ProtocolError("groups", field="groups", got=len(words), bound=_BOUND)
    sizes: list[int] = []
    left = sites
    for number, word in enumerate(words, start=1):
        size = _size(word, sites, left, is_last=number == len(words))
        if left:
            sizes.append(min(size, left))
            left -= sizes[-1]
    return [*sizes, left] if left else sizes


def _size(word: str, sites: int, left: int, *, is_last: bool) -> int:
    if word == REST and is_last:
        return left
    found = _SIZE.fullmatch(word)
    if found is None or (found[2] and int(found[1]) > 100):  # noqa: PLR2004 - percent
        raise ProtocolError("groups", field="groups", got=word, bound=_BOUND)
    return -(-sites * int(found[1]) // 100) if found[2] else int(found[1])


def stages_of(sites: Iterable[str], sizes: Sequence[int]) -> dict[str, int]:
    """Return the group of each site, from 0: scattered, so that no group is one region."""
    ordered = sorted(sites, key=lambda site: (crc32(site.encode()), site))
    found: dict[str, int] = {}
    begin = 0
    for stage, size in enumerate(sizes):
        found |= dict.fromkeys(ordered[begin : begin + size], stage)
        begin += size
    return found
