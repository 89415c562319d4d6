"""Which parts of a long command are run: bench, prove."""

from collections.abc import Sequence


def chosen(parts: Sequence[str], word: str) -> list[str]:
    """Return the part of exactly this name, else all with the word in theirs."""
    return [word] if word in parts else [part for part in parts if word in part]
