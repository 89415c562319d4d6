"""What a field of ``ha.toml`` may be, as an operator reads it: a type in words, with its bounds."""

import types
from collections.abc import Iterable
from typing import Any, Final, Literal, Union, get_args, get_origin

from msgspec import Meta, Struct

_PLAIN: Final = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    dict: "a table",
}


def expected(kind: Any) -> str:  # noqa: ANN401 - of any field
    """Return what a value must be, such as ``a whole number from 0 to 31``."""
    base, metas = (kind.__origin__, kind.__metadata__) if _is_annotated(kind) else (kind, ())
    for meta in metas:
        if meta.description is not None:
            return str(meta.description)
    origin = get_origin(base)
    if origin is Literal:
        words = [str(each) for each in get_args(base)]
        return f"one of {', '.join(words)}" if len(words) > 1 else f'"{words[0]}"'
    if origin in (Union, types.UnionType):
        given = (each for each in get_args(base) if each is not type(None))
        return " or ".join(map(expected, given))
    if origin is tuple:
        return f"a list{_lengths(metas, 'of {} to {} ' + _things(get_args(base)[0]))}"
    plain = _PLAIN.get(origin or base, "a table")
    return f"{plain}{_bounds(metas)}{_lengths(metas, 'of {} to {} characters')}"


def _things(kind: Any) -> str:  # noqa: ANN401 - as above
    return "tables" if isinstance(kind, type) and issubclass(kind, Struct) else "texts"


def _is_annotated(kind: Any) -> bool:  # noqa: ANN401 - as above
    return hasattr(kind, "__metadata__")


def _bounds(metas: Iterable[Meta]) -> str:
    for meta in metas:
        high = meta.le if meta.lt is None else meta.lt - 1  # only of whole numbers
        if meta.ge is not None and high is not None:
            return f" from {meta.ge:,} to {high:,}"
    return ""


def _lengths(metas: Iterable[Meta], words: str) -> str:
    for meta in metas:
        if meta.max_length is not None:
            return " " + words.format(meta.min_length or 0, meta.max_length)
    return ""
