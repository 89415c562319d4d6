"""The words that a field may be, found in the type that has it. Pure."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import inspect


def one_of(words: Sequence[str]) -> str:
    """Return words as they stand in a sentence; one that is empty (left out) is not named."""
    *first, last = [word for word in words if word] or [""]
    return f"{', '.join(first)} or {last}" if first else last


def choices(of: type[msgspec.Struct], field: str) -> list[str]:
    """Return the words that a field may be, as ``sites[2].state``, or its keys; else none."""
    found: list[inspect.Type] = [inspect.type_info(of)]
    for name in (part.partition("[")[0] for part in field.split(".")):
        fields = [each for at in _flat(found) for each in getattr(at, "fields", ())]
        found = [each.type for each in fields if each.encode_name == name]
    return [str(word) for at in _flat(found) for word in _values(at)]


def _flat(types: list[inspect.Type]) -> list[inspect.Type]:
    """Return types with what they are made of: what a union may be, what a list or a table has."""
    found: list[inspect.Type] = []
    for each in types:
        match each:
            case inspect.UnionType():
                found += _flat(list(each.types))
            case inspect.ListType() | inspect.VarTupleType():
                found += _flat([each.item_type])
            case inspect.DictType():
                found += _flat([each.key_type, each.value_type])
            case inspect.Metadata():
                found += _flat([each.type])
            case _:
                found.append(each)
    return found


def _values(at: inspect.Type) -> tuple[Any, ...]:
    match at:
        case inspect.LiteralType():
            return tuple(at.values)
        case inspect.EnumType():
            return tuple(member.value for member in at.cls)
        case _:
            return ()
