"""Checks a comparison against the field table: is the name a field, is the value one of its kind.

Leaves the grammar to query_parser. Every refusal names its place and, where one is near, what may
have been meant.
"""

from roost_central.fleet.fields import (
    INVENTORY,
    ITEM_ID,
    REASON,
    Field,
    FieldTable,
    inventory_field,
    is_key,
)
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


def find_class(item_class: str, name: Token, fields: FieldTable) -> None:
    """Refuse a class of the inventory that is not in the table.

    Raises:
        QueryError: unknown-field.
    """
    if f"{INVENTORY}{item_class}.{ITEM_ID}" in fields:
        return
    classes = (known.split(".")[1] for known in fields if known.startswith(INVENTORY))
    near = closest(item_class, dict.fromkeys(classes))
    rest = name.text.removeprefix(f"{INVENTORY}{item_class}")
    message = f'the inventory has no class "{item_class}"'
    suggestion = f"{INVENTORY}{near}{rest}" if near else ""
    raise QueryError("unknown-field", message, span=name.span, suggestion=suggestion)


def find_item_field(item_class: str, field: str, name: Token, fields: FieldTable) -> Field:
    """Return a field of a class that is there; ``name`` is how it was written.

    Raises:
        QueryError: unknown-field.
    """
    found = inventory_field(item_class, field, fields)
    if found is not None:
        return found
    of, dot, _ = field.partition(".")
    prefix = f"{INVENTORY}{item_class}."
    near = closest(of, [known.removeprefix(prefix) for known in fields if known.startswith(prefix)])
    message = f'an item of {INVENTORY}{item_class} has no field "{field}"'
    meant = f"{near}{dot}{REASON}" if dot else near
    suggestion = f"{name.text.removesuffix(field)}{meant}" if near else ""
    raise QueryError("unknown-field", message, span=name.span, suggestion=suggestion)


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
    near = closest(head, dict.fromkeys(heads))
    return f"{near}.{tail}" if near else ""
