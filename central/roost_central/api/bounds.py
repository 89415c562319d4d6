"""Which rule a value broke, in words: msgspec names it in the terms of its types."""

import re
from typing import Final

_LIMIT: Final = re.compile(r"^Expected `(\w+)` (of length )?(>=|<=|>|<) (-?[\d.]+)$")
_TYPES: Final = re.compile(r"^Expected `([^`]+)`(?:, got `([^`]+)`)?$")
_PATTERN: Final = re.compile(r"^Expected `str` matching regex (.*)$", re.DOTALL)
_BLANK: Final = r"'\\S'"
_WORDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}
_MOST: Final = {"<=": "at most", "<": "less than", ">=": "at least", ">": "more than"}
_SPANS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"))


def in_words(field: str, said: str) -> str:
    """Return msgspec's sentence as one for people, as it is where its form is not known.

    Args:
        field: the name, whose end says the unit (``for_s``: seconds).
        said: what msgspec says, without the place.
    """
    if found := _LIMIT.match(said):
        kind, of_length, sign, number = found.groups()
        return _length(kind, sign, number) if of_length else _size(field, sign, number)
    if found := _TYPES.match(said):
        wanted, got = found.groups()
        return f"must be {_type(wanted)}" + (f", not {_type(got)}" if got else "")
    if found := _PATTERN.match(said):
        return "must not be blank" if found[1] == _BLANK else f"must match {found[1]}"
    return said


def _length(kind: str, sign: str, number: str) -> str:
    if (sign, number) == (">=", "1"):
        return "must not be empty"
    return (
        f"must have {_MOST[sign]} {_grouped(number)} {'characters' if kind == 'str' else 'entries'}"
    )


def _size(field: str, sign: str, number: str) -> str:
    if not field.endswith("_s") or "." in number:
        return f"must be {_MOST[sign]} {_grouped(number)}"
    whole = int(number)
    span = next((f"{whole // s} {unit}" for s, unit in _SPANS if whole >= s and not whole % s), "")
    seconds = f"{whole:,} s"
    return f"must be {_MOST[sign]} {f'{span} ({seconds})' if span else seconds}"


def _grouped(number: str) -> str:
    return number if "." in number else f"{int(number):,}"


def _type(names: str) -> str:
    return " or ".join(_WORDS.get(name, name) for name in names.split(" | "))
