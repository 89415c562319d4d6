"""Parses query text into the tree of query_ast: recursive descent over the grammar below.

    query = or        or = and {"OR" and}        and = unary {["AND"] unary}
    unary = ["!"] ( "(" or ")" | term )
    term  = field op value {"," value} | inv | "count(" inv ")" cmp number | text
    inv   = "inv." class "{" and "}"             value = bare | quoted | null

Leaves to query.py whether a field is here yet: the parser only notes which were used, and where.

Invariants: nothing but QueryError leaves ``parse_query``; its recursion is bounded by DEPTH_MAX;
two terms never touch.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from roost_central.fleet.fields import INVENTORY, REASON, Field, FieldTable
from roost_central.fleet.query_ast import (
    ORDERED_OPS,
    And,
    Comparison,
    Count,
    Inventory,
    Node,
    Op,
    Text,
    conjunction,
    disjunction,
    negation,
)
from roost_central.fleet.query_error import (
    DEPTH_MAX,
    QUERY_BYTES_MAX,
    TERMS_MAX,
    VALUES_MAX,
    QueryError,
)
from roost_central.fleet.query_kinds import KINDS
from roost_central.fleet.query_lexer import KEYWORDS, Scanner, Token, op_of
from roost_central.fleet.query_resolve import (
    canonical_value,
    check_stars,
    find_class,
    find_field,
    find_item_field,
)

COUNT: Final = "count"
N = TypeVar("N", bound=Node)

_CLASS: Final = re.compile(r"[a-z][a-z0-9_]{0,30}")
_ITEM_FIELD: Final = re.compile(r"[a-z][a-z0-9_]{0,30}(?:\.[a-z][a-z0-9_]{0,30})?")
_COUNT_NUMBER: Final = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Use:
    """A field that a query names, and where."""

    field: Field
    span: tuple[int, int]


def parse_query(text: str, fields: FieldTable) -> tuple[Node, tuple[Use, ...]]:
    """Return the tree of a query and the fields it uses; blank text holds for everything.

    Raises:
        QueryError: for anything that is not a query within its bounds.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError as err:
        message = "half a surrogate pair is not text"
        raise QueryError("not-text", message, span=(err.start, 1)) from err
    if size > QUERY_BYTES_MAX:
        message = f"a query has at most {QUERY_BYTES_MAX} bytes, this one has {size}"
        raise QueryError("too-long", message, span=(0, len(text)))
    parser = _Parser(text, fields)
    return parser.run(), tuple(parser.uses)


class _Parser:
    """One run over one text."""

    __slots__ = ("_depth", "_fields", "_item_class", "_scan", "_terms", "uses")

    def __init__(self, text: str, fields: FieldTable) -> None:
        self._scan = Scanner(text)
        self._fields = fields
        self._depth = 0
        self._terms = 0
        self._item_class = ""  # inside the braces of inv.CLASS{..}
        self.uses: list[Use] = []

    def run(self) -> Node:
        """Parse the whole text."""
        self._scan.skip_space()
        if not self._scan.peek():
            return And(())
        root = self._or()
        if self._scan.peek():
            raise self._unexpected()
        return root

    def _or(self) -> Node:
        """Or = and {"OR" and}."""
        parts = [self._and()]
        while (word := self._scan.word()).text == "OR":
            self._scan.pos = word.end
            parts.append(self._and())
        return disjunction(parts)

    def _and(self) -> Node:
        """And = unary {["AND"] unary}; ends before "OR", a closing bracket or the end."""
        parts = [self._unary()]
        while self._goes_on():
            parts.append(self._unary())
        return conjunction(parts)

    def _goes_on(self) -> bool:
        """Whether another unary follows; takes space and "AND"."""
        has_space = self._scan.skip_space()
        if self._scan.peek() in {"", ")", "}"}:
            return False
        if self._scan.peek() in {",", "{"}:
            raise self._unexpected()
        if not has_space:
            raise QueryError(
                "expected-space", "a space must stand here", span=self._scan.here().span
            )
        word = self._scan.word()
        if word.text == "AND":
            self._scan.pos = word.end
        return word.text != "OR"

    def _unary(self) -> Node:
        """Unary = ["!"] primary."""
        self._scan.skip_space()
        if self._scan.take("!"):
            self._scan.skip_space()
            return negation(self._primary())
        return self._primary()

    def _primary(self) -> Node:
        """Primary = "(" or ")" | term."""
        if self._scan.peek() == "(":
            return self._enclosed(")", self._or)
        word = self._scan.quoted() if self._scan.peek() == '"' else self._scan.word()
        self._terms += 1
        if self._terms > TERMS_MAX:
            raise QueryError(
                "too-many-terms", f"a query has at most {TERMS_MAX} terms", span=word.span
            )
        return self._text(word) if word.is_quoted else self._term(word)

    def _enclosed(self, closing: str, inner: Callable[[], N]) -> N:
        """Parse what stands between the bracket that is next and its closing one."""
        opening = self._scan.here()
        self._scan.pos = opening.end
        self._depth += 1
        if self._depth > DEPTH_MAX:
            message = f"brackets stand at most {DEPTH_MAX} deep"
            raise QueryError("too-deep", message, span=opening.span)
        node = inner()
        if not self._scan.take(closing):
            if self._scan.peek():
                raise self._unexpected()
            raise QueryError("unclosed", f'no "{closing}" closes this', span=opening.span)
        self._depth -= 1
        return node

    def _term(self, word: Token) -> Node:
        """Tell the terms that begin with a bare word apart."""
        scan = self._scan
        written = scan.split(word)
        if not word.text or word.text.startswith("!") or (written and written.start == word.start):
            raise QueryError(
                "expected-term", "a term must stand here", span=(written or scan.here()).span
            )
        if written:
            scan.pos = written.end
            name = Token(scan.text[word.start : written.start], word.start, written.start)
            return self._comparison(name, written)
        after = scan.text[word.end : word.end + 1]
        if after == "{" and word.text.startswith(INVENTORY):
            return self._inventory()
        if after == "(" and word.text == COUNT:
            return self._count(word)
        if word.text.upper() in KEYWORDS:
            raise _keyword(word)
        scan.pos = word.end
        return self._text(word)

    def _text(self, word: Token) -> Node:
        """Text: contained in one of the text fields."""
        if self._item_class:
            message = "inside inv.CLASS{..} every term is FIELD OP VALUE"
            raise QueryError("expected-term", message, span=word.span)
        if not word.text:
            raise QueryError("expected-term", "there is nothing to search for", span=word.span)
        check_stars(word)
        return Text(word.text)

    def _comparison(self, name: Token, written: Token) -> Node:
        """Field op value {"," value}; the scanner stands behind the operator."""
        if self._item_class:
            return self._item_comparison(self._item_class, name.text, name, written)
        if name.text.startswith(INVENTORY):
            item_class, _, item_field = name.text.removeprefix(INVENTORY).partition(".")
            self._check_class(item_class, name)
            return Inventory(
                item_class, self._item_comparison(item_class, item_field, name, written)
            )
        field, key = find_field(name, self._fields)
        op, values = self._operands(field, name, written)
        return Comparison(field.name, key, op, values)

    def _operands(
        self, field: Field, name: Token, written: Token
    ) -> tuple[Op, tuple[str | None, ...]]:
        """Take the values that a field is compared with; return them with the operator."""
        self.uses.append(Use(field, name.span))
        op = op_of(written.text)
        kind = KINDS[field.kind]
        if op in ORDERED_OPS and not kind.is_ordered:
            message = f'"{field.name}" has no order; use = or :'
            raise QueryError("not-ordered", message, span=written.span)
        tokens = self._values(op)
        if op == ":" and not kind.takes_globs and [token.text for token in tokens] != ["*"]:
            op = "="
        return op, tuple(canonical_value(field, op, token) for token in tokens)

    def _item_comparison(
        self, item_class: str, field: str, name: Token, written: Token
    ) -> Comparison:
        """Compare a field of an item; inside braces ``name`` is the field alone."""
        if not _ITEM_FIELD.fullmatch(field) or (self._item_class and field == REASON):
            raise _bad_item(name)
        found = find_item_field(item_class, field, name, self._fields)
        op, values = self._operands(found, name, written)
        return Comparison(field, None, op, values)

    def _check_class(self, item_class: str, name: Token) -> None:
        """Refuse what is no class, and a class inside another's braces."""
        if self._item_class or not _CLASS.fullmatch(item_class):
            raise _bad_item(name)
        find_class(item_class, name, self._fields)

    def _inventory(self) -> Inventory:
        """Inv = "inv." class "{" and "}"."""
        word = self._scan.word()
        item_class = word.text.removeprefix(INVENTORY)
        self._check_class(item_class, word)
        self._scan.pos = word.end
        self._item_class = item_class
        where = self._enclosed("}", self._and)
        self._item_class = ""
        return Inventory(item_class, where)

    def _count(self, word: Token) -> Count:
        """Parse "count(" inv ")" cmp number."""
        scan = self._scan
        scan.pos = word.end
        items = self._enclosed(")", self._counted)
        written = scan.split(scan.word())
        if written is None or written.start != scan.pos or written.text.startswith(":"):
            message = "count(..) is compared with a number, such as count(inv.disk{type=nvme})>=2"
            raise QueryError("expected-value", message, span=scan.here().span)
        scan.pos = written.end
        number = scan.value()
        if _COUNT_NUMBER.fullmatch(number.text) is None:
            message = f'count takes a whole number, not "{number.text}"'
            raise QueryError("invalid-value", message, span=number.span)
        return Count(items, op_of(written.text), int(number.text))

    def _counted(self) -> Inventory:
        """Parse the items between the parentheses of count."""
        scan = self._scan
        scan.skip_space()
        word = scan.word()
        after = scan.text[word.end : word.end + 1]
        if after != "{" or not word.text.startswith(INVENTORY):
            message = "count(..) takes items, such as inv.disk{type=nvme}"
            raise QueryError(
                "expected-term", message, span=(word if word.text else scan.here()).span
            )
        items = self._inventory()
        scan.skip_space()
        return items

    def _values(self, op: Op) -> list[Token]:
        """Value {"," value}: at most VALUES_MAX, one for an ordered operator."""
        tokens = [self._value(op)]
        while self._scan.take(","):
            tokens.append(self._value(op))
            if op in ORDERED_OPS:
                message = f'"{op}" compares with one value'
                raise QueryError("one-value", message, span=tokens[-1].span)
            if len(tokens) > VALUES_MAX:
                message = f"a list has at most {VALUES_MAX} values"
                raise QueryError("too-many-values", message, span=tokens[-1].span)
        return tokens

    def _value(self, op: Op) -> Token:
        """Take one value; null goes with = and != alone."""
        token = self._scan.value()
        if token.is_null and op not in {"=", "!="}:
            message = 'unknown is asked for with =null or !=null; quote the text "null"'
            raise QueryError("null-operator", message, span=token.span, suggestion="=null")
        return token

    def _unexpected(self) -> QueryError:
        """Return the error for what cannot stand here: a whole word, or one bracket or comma."""
        word = self._scan.word()
        here = word if word.text else self._scan.here()
        return QueryError("unexpected", f'"{here.text}" cannot stand here', span=here.span)


def _keyword(word: Token) -> QueryError:
    """Return the error for a word that looks like an operator but is not one here."""
    upper = word.text.upper()
    suggestion = "!" if upper == "NOT" else upper
    return QueryError(
        "keyword",
        f'"{word.text}" is not a term; operators are AND, OR and !; quote it to search for it',
        span=word.span,
        suggestion="" if suggestion == word.text else suggestion,
    )


def _bad_item(name: Token) -> QueryError:
    """Return the error for a name that is not one of the inventory."""
    message = "write inv.CLASS.FIELD or inv.CLASS{FIELD OP VALUE ..}, never one inside another"
    return QueryError("bad-key", message, span=name.span)
