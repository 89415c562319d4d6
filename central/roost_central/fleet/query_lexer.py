"""Cuts query text into words, quoted texts, operators and values.

Leaves the grammar to query_parser. The patterns are fixed ones of our own, each linear in the text;
what a user writes never becomes a pattern. Space is the four ASCII characters, so that Python and
JavaScript agree.
"""

import re
from dataclasses import dataclass
from typing import Final, cast

from roost_central.fleet.query_ast import Op
from roost_central.fleet.query_error import QueryError

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_WORD: Final = re.compile(r'[^ \t\r\n(){},"]*')
_OPERATOR: Final = re.compile(r":?(?:!=|<=|>=|=|<|>)|:")  # sev:>=major reads as sev>=major
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_QUOTED_PREFIX: Final = re.compile(r'"(?:[^"\\]|\\["\\])*')
_ESCAPE: Final = re.compile(r'\\(["\\])')
_BARE_TEXT: Final = re.compile(r'(?!!)(?:[^ \t\r\n(){},":=<>!]|!(?!=))+')
_BARE_VALUE: Final = re.compile(r'(?![=<>]|!=)[^ \t\r\n(){},"]+')

NULL: Final = "null"
KEYWORDS: Final = frozenset({"AND", "OR", "NOT"})  # kept from being searched by mistake


@dataclass(frozen=True, slots=True)
class Token:
    """A stretch of the query; ``text`` is without quotes and escapes."""

    text: str
    start: int
    end: int
    is_quoted: bool = False

    @property
    def span(self) -> tuple[int, int]:
        """Offset and length, as QueryError wants them."""
        return self.start, self.end - self.start

    @property
    def is_null(self) -> bool:
        """Whether this is the word null and not the text "null"."""
        return self.text == NULL and not self.is_quoted


class Scanner:
    """Walks over one query text from left to right."""

    __slots__ = ("pos", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.pos = 0

    def skip_space(self) -> bool:
        """Step over space and say whether there was any."""
        start, self.pos = self.pos, _end(_SPACE, self.text, self.pos)
        return self.pos > start

    def peek(self) -> str:
        """Return the next character, or the empty string at the end."""
        return self.text[self.pos : self.pos + 1]

    def here(self, length: int = 1) -> Token:
        """Return the next characters as a token, without taking them."""
        end = min(self.pos + length, len(self.text))
        return Token(self.text[self.pos : end], self.pos, end)

    def take(self, mark: str) -> bool:
        """Step over the one character ``mark`` if it is next."""
        found = self.peek() == mark
        self.pos += found
        return found

    def word(self) -> Token:
        """Return everything up to space, bracket, comma or quote; may be empty. Takes nothing."""
        end = _end(_WORD, self.text, self.pos)
        return Token(self.text[self.pos : end], self.pos, end)

    def split(self, word: Token) -> Token | None:
        """Return the first operator in a word, as written, or None."""
        found = _OPERATOR.search(self.text, word.start, word.end)
        return None if found is None else Token(found.group(), found.start(), found.end())

    def quoted(self) -> Token:
        """Take a quoted text.

        Raises:
            QueryError: unclosed-quote, or bad-escape for a backslash before anything but ``"``
                and a backslash.
        """
        start = self.pos
        found = _QUOTED.match(self.text, start)
        if found is not None:
            self.pos = found.end()
            return Token(_ESCAPE.sub(r"\1", found.group(1)), start, self.pos, is_quoted=True)
        stop = _end(_QUOTED_PREFIX, self.text, start)
        if stop + 1 < len(self.text):
            raise QueryError(
                "bad-escape", 'inside quotes write \\" for " and \\\\ for \\', span=(stop, 2)
            )
        raise QueryError(
            "unclosed-quote", "this quote is never closed", span=(start, len(self.text) - start)
        )

    def value(self) -> Token:
        """Take one value, quoted or bare.

        Raises:
            QueryError: expected-value, or what ``quoted`` raises.
        """
        if self.peek() == '"':
            return self.quoted()
        word = self.word()
        if not word.text:
            message = "a value must follow, without a space before it"
            raise QueryError("expected-value", message, span=self.here().span)
        if not is_bare_value(word.text):
            message = "a value that starts with an operator must be quoted"
            raise QueryError("expected-value", message, span=word.span)
        self.pos = word.end
        return word


def op_of(written: str) -> Op:
    """Return the operator that a written one means."""
    return cast("Op", written if written == ":" else written.removeprefix(":"))


def is_bare_value(text: str) -> bool:
    """Whether a value can be written without quotes (null aside)."""
    return _BARE_VALUE.fullmatch(text) is not None


def is_bare_text(text: str) -> bool:
    """Whether a text to search for can be written without quotes."""
    return _BARE_TEXT.fullmatch(text) is not None and text.upper() not in KEYWORDS


def quote(text: str) -> str:
    """Return the text in quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    """Return where a pattern that may match nothing ends."""
    found = pattern.match(text, start)
    return start if found is None else found.end()
