"""Checks a comparison against the field table: is the name a field, is the value one of its kind.

Leaves the grammar to query_parser. Every refusal names its place and, where one is near, what may
have been meant.
"""

from roost_central.fleet.fields import INVENTORY, Field, FieldTable, is_key
from roost_central.fleet.query_ast import Op
from roost_central.fleet.query_error import STARS_MAX, QueryError
from roost_central.fleet.query_glob import fold
from roost_central.fleet.query_kinds import KINDS
from roost_central.fleet.query_lexer import Token
from roost_central.fleet.query_suggest import closest


def find_field(name: Token, fields: FieldTable) -> tuple[Field, str | None]:
    """Return the field of a name and the key behind its dot.

    Raises:
        QueryError: unknown-field, or bad-key.
    """
    field = fields.get(name.text)
    if field is not None and not field.is_keyed:
        return field, None
    head, dot, key = name.text.partition(".")
    keyed = fields.get(head)
    if keyed is None or not keyed.is_keyed:
        message = f'there is no field "{name.text}"; to search for the text put it in quotes'
        suggestion = _nearest(name.text, fields)
        raise QueryError("unknown-field", message, span=name.span, suggestion=suggestion)
    if not is_key(key):
        message = f'"{head}" needs a key, such as {head}.K, or {head}.* for all'
        suggestion = "" if dot else f"{head}.*"
        raise QueryError("bad-key", message, span=name.span, suggestion=suggestion)
    return keyed, key


def canonical_value(field: Field, op: Op, token: Token) -> str | None:
    """Return a value in normal form, None for null.

    Raises:
        QueryError: invalid-value, or too-many-stars.
    """
    if token.is_null:
        return None
    if op == ":":
        check_stars(token)
        if not field.choices or "*" in token.text or "?" in token.text:
            return token.text
    kind = KINDS[field.kind]
    value = fold(token.text) if op == ":" else kind.canonical(token.text)
    if value is not None and (not field.choices or value in field.choices):
        return value
    hint = f"one of {', '.join(field.choices)}" if field.choices else kind.hint
    message = f'"{field.name}" takes {hint}, not "{token.text}"'
    suggestion = closest(token.text, field.choices)
    raise QueryError("invalid-value", message, span=token.span, suggestion=suggestion)


def check_stars(token: Token) -> None:
    """Refuse a glob with more than STARS_MAX stars.

    Raises:
        QueryError: too-many-stars.
    """
    if token.text.count("*") > STARS_MAX:
        message = f"a glob has at most {STARS_MAX} stars"
        raise QueryError("too-many-stars", message, span=token.span)


def _nearest(name: str, fields: FieldTable) -> str:
    """Return the field name that was probably meant, or the empty string."""
    head, dot, tail = name.partition(".")
    if not dot:
        return closest(name, fields)
    heads = [known.partition(".")[0] for known in fields if fields[known].is_keyed or "." in known]
    near = closest(head, [*heads, INVENTORY.name])
    return f"{near}.{tail}" if near else ""
