"""One thing that stands in the way of an action on a host."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Blocker:
    """One thing in the way.

    Attributes:
        code: a word for programs.
        text: a sentence that names what it is.
        todo: what to do next.
        can_force: whether force goes past it.
    """

    code: str
    text: str
    todo: str
    can_force: bool = False
