"""A count with its word, for a person."""


def counted(count: int, word: str) -> str:
    """Return ``1 node`` or ``1,200 nodes``: the word as it is of one."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
