"""Finds the word that was probably meant: a small bounded edit distance.

Written out rather than taken from difflib, because query.js must give the same answer.
"""

from collections.abc import Iterable
from typing import Final

from roost_central.fleet.query_glob import fold

SHORT_WORD: Final = 4  # up to here one edit may separate word and choice, above it two
PREFIX_MIN: Final = 3  # a shorter common beginning says nothing


def closest(word: str, choices: Iterable[str]) -> str:
    """Return the choice nearest to the word, the first among equals, or the empty string.

    A choice that begins the word or is begun by it (``severity``, ``sev``) counts when no choice
    is within the edit limit.
    """
    word, choices = fold(word), list(choices)
    limit = 1 if len(word) <= SHORT_WORD else 2
    best, best_distance = "", limit + 1
    for choice in choices:
        distance = edit_distance(word, choice, limit=best_distance)
        if distance < best_distance:
            best, best_distance = choice, distance
    return best or next((choice for choice in choices if _shares_start(word, choice)), "")


def hint(word: str, choices: Iterable[str]) -> str:
    """Return what is put after a sentence about a word that is none of the choices, or nothing."""
    meant = closest(word, choices)
    return f"; did you mean {meant}?" if meant else ""


def edit_distance(left: str, right: str, *, limit: int) -> int:
    """Return the insertions, deletions, changes and swaps of neighbours from left to right.

    Anything at or above ``limit`` is returned as ``limit``.
    """
    if abs(len(left) - len(right)) >= limit:
        return limit
    before: list[int] = []
    last = list(range(len(right) + 1))
    for row, char in enumerate(left, start=1):
        current = [row]
        for column, other in enumerate(right, start=1):
            cost = min(
                last[column] + 1, current[column - 1] + 1, last[column - 1] + (char != other)
            )
            if row > 1 and column > 1 and char == right[column - 2] and left[row - 2] == other:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, last = last, current
    return min(last[-1], limit)


def _shares_start(word: str, choice: str) -> bool:
    """Whether one of the two begins with the other, long enough to mean something."""
    short, long = sorted((word, choice), key=len)
    return len(short) >= PREFIX_MIN and long.startswith(short)
