"""The kinds of values that a setting may have: each says what is wrong with one, and its bound.

Whole numbers, texts, yes and no, and lists of these: no floating point, so that two encoders give
the same bytes. Pure.
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, Protocol, TypeAlias

Scalar: TypeAlias = bool | int | str
Value: TypeAlias = Scalar | list[Scalar]

SHOWN_CHARS_MAX: Final = 60  # of a refused value


class Kind(Protocol):
    """What a value must be."""

    @property
    def bound(self) -> str:
        """What there may be, in words."""

    def holds(self, value: object) -> bool:
        """Say whether a value is one."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds, both included."""

    least: int
    most: int
    unit: str = ""

    @property
    def bound(self) -> str:
        """The range."""
        return f"a whole number from {self.least} to {self.most}{f' {self.unit}'.rstrip()}"

    def holds(self, value: object) -> bool:
        """Say whether a value is one; true and false are none."""
        return type(value) is int and self.least <= value <= self.most


@dataclass(frozen=True, slots=True)
class Flag:
    """Yes or no."""

    bound: str = "true or false"

    def holds(self, value: object) -> bool:
        """Say whether a value is one."""
        return type(value) is bool


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a closed list."""

    choices: tuple[str, ...]

    @property
    def bound(self) -> str:
        """The list."""
        return f"one of {', '.join(self.choices)}"

    def holds(self, value: object) -> bool:
        """Say whether a value is one."""
        return type(value) is str and value in self.choices


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a form.

    Attributes:
        pattern: of the whole text, ASCII.
        chars_max: its length.
        form: the pattern in words.
    """

    pattern: str
    chars_max: int
    form: str

    @property
    def bound(self) -> str:
        """The form."""
        return f"{self.form}, at most {self.chars_max} characters"

    def holds(self, value: object) -> bool:
        """Say whether a value is one."""
        return (
            type(value) is str
            and len(value) <= self.chars_max
            and re.fullmatch(self.pattern, value, re.ASCII) is not None
        )


@dataclass(frozen=True, slots=True)
class Address:
    """An IPv4 or IPv6 address, without a zone."""

    bound: str = "an IPv4 or IPv6 address"

    def holds(self, value: object) -> bool:
        """Say whether a value is one."""
        if type(value) is not str or "%" in value:
            return False
        try:
            ip_address(value)
        except ValueError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of different values of one kind; order counts."""

    each: Kind
    most: int
    least: int = 1

    @property
    def bound(self) -> str:
        """Length and kind."""
        count = f"{self.least}" if self.least == self.most else f"{self.least} to {self.most}"
        return f"a list of {count} different values, each {self.each.bound}"

    def holds(self, value: object) -> bool:
        """Say whether a value is one."""
        return (
            type(value) is list
            and self.least <= len(value) <= self.most
            and all(map(self.each.holds, value))
            and len(set(value)) == len(value)
        )


@dataclass(frozen=True, slots=True)
class Rising:
    """A list of whole numbers, none less than the one before."""

    each: Whole
    length: int

    @property
    def bound(self) -> str:
        """Length and range."""
        return f"a list of {self.length} numbers that do not fall, each {self.each.bound}"

    def holds(self, value: object) -> bool:
        """Say whether a value is one."""
        return (
            type(value) is list
            and len(value) == self.length
            and all(map(self.each.holds, value))
            and value == sorted(value)
        )


def shown(value: object) -> str:
    """Return a refused value as a sentence shows it, cut."""
    if isinstance(value, dict):
        return "a table"
    try:
        text = f"{value!r}" if isinstance(value, str | list) else str(value).lower()
    except ValueError:  # hexadecimal digits are read without Python's bound of 4,300 decimal ones
        return "a number too long to show"
    return text if len(text) <= SHOWN_CHARS_MAX else f"{text[:SHOWN_CHARS_MAX]}..."


def host_names() -> Kind:
    """Return the kind of a host name or an address (RFC 1123 section 2.1)."""
    return Text(
        r"(?=.*[A-Za-z0-9])[A-Za-z0-9:]([A-Za-z0-9:.-]*[A-Za-z0-9.:])?",
        253,
        "a host name or address",
    )


def cpu_lists() -> Kind:
    """Return the kind of a list of CPUs as the kernel writes it: ``2-7,10``."""
    one = r"\d{1,4}(-\d{1,4})?"
    return Text(rf"{one}(,{one})*", 128, "CPUs such as 2-7,10")


def of(*choices: str) -> OneOf:
    """Return the kind of one of these words."""
    return OneOf(choices)
