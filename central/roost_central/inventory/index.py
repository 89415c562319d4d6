"""Makes of a section what the fleet is searched by: rows for its starred fields. Pure.

Invariants: every item of a class that has starred fields has one row for each of them, known or
not, so that a search for what is unknown, or for items at all, reads rows alone; why a value is
unknown is a row of the field ``FIELD.reason``, why a class is empty one of the item ``""``.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from roost_central.fleet.fields import REASON as REASON_FIELD
from roost_central.fleet.inventory_fields import ItemField
from roost_central.fleet.query_kinds import KINDS
from roost_central.fleet.query_values import version_place
from roost_central.inventory.facts import REASON, WHOLE, FieldChange, Section, StarredValue
from roost_central.inventory.starred import STARRED
from roost_protocol.inventory import Value

NO_ITEM: Final = ""  # the item of what is said of a class
CLASS_EMPTY: Final = "*"  # the key in ``missing`` of why a class is empty

Rows = list[StarredValue]
Touched = dict[str, set[str]]  # fields by item
_NONE: Final[Mapping[str, ItemField]] = {}


def index_changes(
    before: Mapping[str, Section], put: Iterable[Section], changes: Iterable[FieldChange]
) -> tuple[Rows, Rows]:
    """Return the rows to write and those to remove, of sections that stay."""
    touched: dict[str, Touched] = {}
    for change in changes:
        fields = touched.setdefault(change.section, {})
        if (change.item, change.field) != WHOLE:
            item, field = _place_of(change)
            fields.setdefault(item, set()).add(field)
    values: Rows = []
    gone: Rows = []
    for section in put:
        if section.name not in touched:
            continue
        was = before.get(section.name)
        if was is None:
            values += _rows(section, None).values()
            continue
        some = touched[section.name]
        old, new = _rows(was, some, of=section), _rows(section, some, of=was)
        values += [row for key, row in new.items() if old.get(key) != row]
        gone += [row for key, row in old.items() if key not in new]
    return values, gone


def index_rows(section: Section) -> Iterator[StarredValue]:
    """Yield the rows of a section."""
    yield from _rows(section, None).values()


def _place_of(change: FieldChange) -> tuple[str, str]:
    """Return the item and the field that a change is about, of a reason those it is a reason of."""
    if change.field != REASON:
        return change.item, change.field
    if change.item == CLASS_EMPTY:
        return NO_ITEM, REASON
    item, _, field = change.item.rpartition(".")
    return item, field


def _rows(
    section: Section, touched: Touched | None, *, of: Section | None = None
) -> dict[tuple[str, str], StarredValue]:
    """Return the rows of what was touched, None: of all.

    Of an item that is not in the section of the other time, ``of``, all fields count.
    """
    starred = STARRED.get(section.name, _NONE)
    found: dict[tuple[str, str], StarredValue] = {}
    if not starred:
        return found
    for item in section.items if touched is None else touched.keys() & section.items.keys():
        is_there_too = touched is not None and of is not None and item in of.items
        for name in starred.keys() & touched[item] if touched and is_there_too else starred:
            found[item, name] = indexed(starred[name], item, section.items[item].get(name))
            reason = section.missing.get(f"{item}.{name}")
            if reason is not None:
                told = f"{name}.{REASON_FIELD}"
                found[item, told] = StarredValue(section.name, item, told, text=reason)
    empty = section.missing.get(CLASS_EMPTY)
    if empty is not None and (touched is None or NO_ITEM in touched):
        found[NO_ITEM, REASON_FIELD] = StarredValue(section.name, NO_ITEM, REASON_FIELD, text=empty)
    return found


def indexed(field: ItemField, item: str, value: Value) -> StarredValue:
    """Return the row of a value; one that is not of the field's kind is unknown."""
    section, name, types = field.item_class, field.name, KINDS[field.kind].types
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        return StarredValue(section, item, name)
    if isinstance(value, str):
        place = version_place(value) if field.kind == "version" else None
        return StarredValue(section, item, name, text=value, place=place)
    number = float(value) if isinstance(value, int) else None
    return StarredValue(section, item, name, number=number)
