"""What is wrong with a profile, for whoever wrote it: file, line, setting, nodes, bound."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

NODES_SHOWN_MAX: Final = 5  # of those concerned: enough to look at


@dataclass(frozen=True, slots=True)
class ProfileFault:
    """One thing that is wrong.

    Attributes:
        file, line: where it is said; line 0: of the file as a whole.
        where: the setting, as TOML writes it.
        code: ``toml``, ``profile``, ``selector``, ``section``, ``later``, ``field``, ``value``,
            ``together``, ``conflict``, ``impossible``, ``matches-all``, ``matches-none``.
        detail: a sentence, with the bound.
        nodes: how many nodes are concerned; 0: it is no question of nodes.
        examples: the first of them.
        offset, length: the place within a selector.
    """

    file: str
    line: int
    where: str
    code: str
    detail: str
    nodes: int = 0
    examples: Sequence[str] = ()
    offset: int | None = None
    length: int | None = None
