"""Globs: ``*`` is any text, ``?`` one character; ASCII letters match in either case.

No regular expression is built from what a user wrote. Time is linear in the value: a glob without
``?`` is a chain of substring searches, one with ``?`` runs as a bit-parallel automaton (one integer
holds every place of the pattern that the value may have reached).
"""

from collections.abc import Callable
from typing import Final, TypeAlias

Glob: TypeAlias = Callable[[str], bool]

_TO_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def fold(text: str) -> str:
    """Return the text with ASCII capitals as small letters and nothing else changed."""
    return text.lower() if text.isascii() else text.translate(_TO_LOWER)


def compile_glob(pattern: str) -> Glob:
    """Return the test whether a whole value fits the pattern."""
    pattern = fold(pattern)
    if "?" in pattern:
        return _automaton(pattern)
    head, *rest = pattern.split("*")
    if not rest:
        return lambda value: fold(value) == pattern
    *middle, tail = rest
    parts = [part for part in middle if part]
    if not head and not tail and len(parts) == 1:
        needle = parts[0]
        return lambda value: needle in fold(value)
    if not parts and not tail:
        return lambda value: fold(value).startswith(head)
    return _chain(head, parts, tail)


def _chain(head: str, parts: list[str], tail: str) -> Glob:
    """Match a fixed head and tail with the parts between them, each at its leftmost place."""

    def matches(value: str) -> bool:
        value = fold(value)
        if not value.startswith(head):
            return False
        at = len(head)
        for part in parts:
            at = value.find(part, at)
            if at < 0:
                return False
            at += len(part)
        return len(value) - len(tail) >= at and value.endswith(tail)

    return matches


def _automaton(pattern: str) -> Glob:
    """Match with one bit for each place in the pattern; bit 0 is before its first character."""
    steps = pattern.replace("*", "")
    stays = reached = 0  # places before a star are not left by any character
    any_step = 0  # places entered by any character
    step_on: dict[str, int] = {}
    for char in pattern:
        if char == "*":
            stays |= 1 << reached
            continue
        reached += 1
        if char == "?":
            any_step |= 1 << reached
        else:
            step_on[char] = step_on.get(char, 0) | 1 << reached
    step_on = {char: places | any_step for char, places in step_on.items()}
    goal = 1 << len(steps)

    def matches(value: str) -> bool:
        places = 1
        for char in fold(value):
            places = ((places << 1) & step_on.get(char, any_step)) | (places & stays)
            if not places:
                return False
        return bool(places & goal)

    return matches
