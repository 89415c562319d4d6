"""Names for types and records without the typing module, which is 0.8 MiB of the guard's 12.

To a type checker these are typing's own.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, Protocol
    from typing import NamedTuple as Record
else:
    from collections import namedtuple

    Any = Final = None  # only in annotations, which nobody evaluates
    Protocol = object

    class _Kind(type):
        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, object]) -> type:
            """Return a named tuple of the annotated fields, with their defaults."""
            if not bases:
                return super().__new__(cls, name, bases, body)
            fields = list(body.get("__annotations__", ()))
            made = namedtuple(name, fields, defaults=[body[key] for key in fields if key in body])
            made.__doc__ = body["__doc__"]
            return made

    class Record(metaclass=_Kind):
        """A named tuple whose class says its fields."""


__all__ = ["Any", "Final", "Protocol", "Record"]
