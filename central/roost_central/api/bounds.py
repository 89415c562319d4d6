"""Which rule a value broke, in words: msgspec names it in the terms of its types."""

import ast
import re
from typing import Final

import msgspec

from roost_central.choices import choices, one_of

_LIMIT: Final = re.compile(r"^Expected `(\w+)` (of length )?(>=|<=|>|<) (-?[\d.]+)$")
_TYPES: Final = re.compile(r"^Expected `([^`]+)`(?:, got `([^`]+)`)?$")
_PATTERN: Final = re.compile(r"^Expected `str` matching regex ('(?:[^'\\]|\\.)*')(.*)$", re.DOTALL)
_ENUM: Final = re.compile(r"^Invalid enum value (.*)$", re.DOTALL)
_ANCHORS: Final = re.compile(r"^(?:\\A|\^)|(?:\\Z|\$)(?:\(\?!\\n\))?$")
_PATTERNS: Final = {  # without what holds them at both ends
    r"\S": "must not be blank",
    r"[^\x00-\x1f\x7f]*": "must not have control characters or line ends",
    r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]*": "must not have control characters or line ends",
    "[a-z0-9][a-z0-9._@-]{0,63}": (
        "must have 1 to 64 of a-z 0-9 . _ @ -, the first a letter or a digit"
    ),
    "([0-9a-f]{64})?": "must have 64 digits of 0-9 a-f",
    "([a-z_]+(,[a-z_]+)*)?": "must be names with commas between them, as cpu,nic",
    "(roles|all)": "must be roles or all",
    "[ -~]*": "must be of plain ASCII",
    "[A-Za-z0-9_-]{1,31}": "must have 1 to 31 of A-Z a-z 0-9 _ -",
    "[A-Za-z0-9_-]{12}": "must be a claim, 12 of A-Z a-z 0-9 _ -",
    r"/(?![/\\])": "must be a path of this centre, as /sites",
    "fleet": "must be fleet",
    "[0-9A-Za-z.:_-]+": "must be a name or an address, of A-Z a-z 0-9 . : _ -",
    r"[^\s:]*": "must have neither blanks nor colons",
    r"(/redfish/[^?#\s]+)?": "must be a path of Redfish, as /redfish/v1/Systems/1",
    "([0-9a-fA-F]{64})?": "must have 64 hexadecimal digits",
}
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


def in_words(field: str, said: str, of: type[msgspec.Struct] | None = None) -> str:
    """Return msgspec's sentence as one for people, as it is where its form is not known.

    Args:
        field: the name, whose end says the unit (``for_s``: seconds).
        said: what msgspec says, without the place.
        of: the type that has the field, for the words that it may be.
    """
    if found := _LIMIT.match(said):
        kind, of_length, sign, number = found.groups()
        return _length(kind, sign, number) if of_length else _size(field, sign, number)
    if found := _TYPES.match(said):
        wanted, got = found.groups()
        return f"must be {_type(wanted)}" + (f", not {_type(got)}" if got else "")
    if found := _PATTERN.match(said):
        core = _ANCHORS.sub("", str(ast.literal_eval(found[1])))
        return _PATTERNS.get(core, f"must match {found[1]}") + found[2]  # of a key: where it is
    if found := _ENUM.match(said):
        words = [] if of is None else choices(of, field)
        return f"must be {one_of(words)}, not {found[1]}" if words else f"may not be {found[1]}"
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
