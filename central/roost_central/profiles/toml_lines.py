"""Finds the line of a setting in a TOML file that was read: the library does not tell. Pure.

Good for a complaint, not for reading: of a text that tomllib took it finds headers and keys; a key
that is written in a way it does not see is told by the line of its table.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

_KEY: Final = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_KEYS: Final = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_HEADER: Final = re.compile(rf"[ \t]*\[\[?[ \t]*({_KEYS})[ \t]*\]")
_ASSIGNED: Final = re.compile(rf"[ \t]*({_KEYS})[ \t]*=")
_INSIDE: Final = re.compile(rf"[{{,][ \t]*({_KEYS})[ \t]*=")  # of an inline table on the line
_TEXT: Final = re.compile(r""""(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_BRACKETS: Final = re.compile(r"[\[\]{}]")
_ONE: Final = re.compile(_KEY)


def line_of(source: str, path: Sequence[str]) -> int:
    """Return the number, from 1, of the line that says most of a path; 1 where none does."""
    best, best_length = 1, 0
    for number, there in _places(source):
        shared = _shared(there, path)
        if shared > best_length and shared == min(len(there), len(path)):
            best, best_length = number, shared
    return best


def _places(source: str) -> Iterator[tuple[int, list[str]]]:
    table: list[str] = []
    for number, line in enumerate(source.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _keys(header[1])
            yield number, table
        elif assigned := _ASSIGNED.match(line):
            outer = [*table, *_keys(assigned[1])]
            yield number, outer
            for inner in _INSIDE.finditer(line, assigned.end()):
                yield number, [*outer, *_keys(inner[1])]


def _keys(text: str) -> list[str]:
    return [key.strip("\"'") for key in _ONE.findall(text)]


def _shared(there: Sequence[str], path: Sequence[str]) -> int:
    count = 0
    for one, other in zip(there, path, strict=False):
        if one != other:
            break
        count += 1
    return count


def too_deep(source: str, most: int) -> int:
    """Return the number, from 1, of the line where more brackets are open; 0 where none has.

    What quotes hold, and what follows a ``#``, does not count; texts of several lines do.
    """
    depth = 0
    for number, line in enumerate(source.splitlines(), start=1):
        for bracket in _BRACKETS.findall(_TEXT.sub("", line).partition("#")[0]):
            depth = depth + 1 if bracket in "[{" else max(depth - 1, 0)
            if depth > most:
                return number
    return 0
