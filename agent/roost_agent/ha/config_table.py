"""Makes records of tables: every fault is told, where msgspec alone would stop at the first."""

import types
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, Union, get_args, get_origin

import msgspec

from roost_agent.config_alarms import hint
from roost_agent.ha.config_words import expected

VALUE_CHARS_MAX: Final = 80  # of what is quoted in a fault

Fault = Callable[[str, str], None]  # where, what is wrong with it


def record(kind: type[msgspec.Struct], table: object, where: str, fault: Fault) -> Any:  # noqa: ANN401 - the caller names the kind
    """Return ``table`` as a ``kind``; None where it is none, and then every fault was told."""
    if not isinstance(table, Mapping):
        fault(where, f"{_shown(table)}: must be a table")
        return None
    fields = _fields(kind)
    is_whole = True
    for key in table:
        if key not in fields:
            fault(_inside(where, str(key)), f"unknown key, {hint(str(key), fields)}")
            is_whole = False
    found: dict[str, Any] = {}
    for key, each in fields.items():
        if key in table:
            found[each.name] = _value(each.type, table[key], _inside(where, key), fault)
            is_whole = is_whole and found[each.name] is not _WRONG
        elif each.required:
            fault(_inside(where, key), "missing")
            is_whole = False
    return kind(**found) if is_whole else None


def part(
    kind: type[msgspec.Struct], table: Mapping[str, object]
) -> tuple[dict[str, Any], dict[str, tuple[str, ...]]]:
    """Return what holds of a table of which something does not: fields of a ``kind``, and the rest.

    Of a list of tables those that hold are kept. The rest is by key: the names of its tables that
    are left out; none where they are not known. A list that must be there and is not is empty.
    """
    found: dict[str, Any] = {}
    left_out: dict[str, tuple[str, ...]] = {}
    for key, each in _fields(kind).items():
        if key not in table and not each.required:
            continue
        value = _value(each.type, table.get(key), key, _untold)
        if value is _WRONG:
            value, left_out[key] = _whole_ones(each.type, table.get(key))
        if value is not _WRONG:
            found[each.name] = value
        elif each.required:
            found[each.name] = ()
    return found, left_out


def _whole_ones(kind: Any, value: object) -> tuple[Any, tuple[str, ...]]:  # noqa: ANN401 - as below
    if get_origin(kind) is dict and isinstance(value, dict):
        each = get_args(kind)[1]
        made = {key: _value(each, one, "", _untold) for key, one in value.items()}
        return {key: one for key, one in made.items() if one is not _WRONG}, ()
    inner = _record_in(kind)
    if inner is None or not _is_many(kind) or not isinstance(value, list):
        return _WRONG, ()
    tables = [record(inner, table, "", _untold) for table in value]
    bad = [_name(value[place]) for place, table in enumerate(tables) if table is None]
    whole = tuple(table for table in tables if table is not None)
    return whole, tuple(filter(None, bad)) if all(bad) else ()


def _untold(_where: str, _what: str) -> None:
    """Take a fault that was told before."""


@cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    return {each.encode_name: each for each in msgspec.structs.fields(kind)}


class _Wrong:
    """What a value is that could not be taken; None is a value."""


_WRONG: Final = _Wrong()


def _value(kind: Any, value: object, where: str, fault: Fault) -> Any:  # noqa: ANN401 - of any field
    if get_origin(kind) is dict and isinstance(value, dict):
        of = get_args(kind)[1]
        made = {key: _value(of, each, f"{where}.{key}", fault) for key, each in value.items()}
        return _WRONG if _WRONG in made.values() else made
    inner = _record_in(kind)
    if inner is not None and _is_many(kind) and isinstance(value, list):
        return _values(kind, inner, value, where, fault)
    if inner is not None and not _is_many(kind):
        made = record(inner, value, where, fault)
        return _WRONG if made is None else made
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        fault(where, f"{_shown(value)}: must be {expected(kind)}")
        return _WRONG


def _values(
    kind: Any,  # noqa: ANN401 - as above
    inner: type[msgspec.Struct],
    tables: list[object],
    where: str,
    fault: Fault,
) -> Any:  # noqa: ANN401 - as above
    made = [
        record(inner, table, f"{where}[{_label(table, place)}]", fault)
        for place, table in enumerate(tables)
    ]
    low, high = _lengths(kind)
    if not low <= len(made) <= high:
        fault(where, f"{len(made)} tables: bound {low}..{high}")
        return _WRONG
    return _WRONG if None in made else tuple(made)


def _record_in(kind: Any) -> type[msgspec.Struct] | None:  # noqa: ANN401 - as above
    """Return the record that a type holds: itself, a tuple of it, or it or None."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    if _is_many(kind) or get_origin(kind) in (Union, types.UnionType) or _is_annotated(kind):
        return next((found for each in get_args(kind) if (found := _record_in(each))), None)
    return None


def _is_annotated(kind: Any) -> bool:  # noqa: ANN401 - as above
    return hasattr(kind, "__metadata__")


def _is_many(kind: Any) -> bool:  # noqa: ANN401 - as above
    if _is_annotated(kind):
        return _is_many(get_args(kind)[0])
    return get_origin(kind) is tuple


def _lengths(kind: Any) -> tuple[int, float]:  # noqa: ANN401 - as above
    for meta in getattr(kind, "__metadata__", ()):
        high = meta.max_length
        return meta.min_length or 0, float("inf") if high is None else high
    return 0, float("inf")


def _label(table: object, place: int) -> str:
    return _name(table) or str(place)


def _name(table: object) -> str:
    name = table.get("name") if isinstance(table, Mapping) else None
    return name if isinstance(name, str) else ""


def _inside(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= VALUE_CHARS_MAX else f"{text[:VALUE_CHARS_MAX]}..."
