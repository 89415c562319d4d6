"""Makes foreign text inert for a terminal and for a spreadsheet."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def plain(text: str, *, keep_newlines: bool = False) -> str:
    """Return ``text`` with control and direction characters shown as their code points.

    A host name must not move the cursor, colour the screen or turn a line around.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or (keep_newlines and char == "\n") else _escaped(char)
        for char in text
    )


def csv_cell(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    shown = plain(text)
    return f"'{shown}" if text.startswith(_FORMULA) and not _is_number(text) else shown


def _escaped(char: str) -> str:
    point = ord(char)
    return f"\\x{point:02x}" if point <= 0xFF else f"\\u{point:04x}"  # noqa: PLR2004 - one byte


def _is_number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdigit()
