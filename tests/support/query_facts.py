"""Objects of the query language as rows of a table, so that SQL can be asked what Python is.

One row for each value: of an object's own fields with the class ``""``, the field's name and, as
its item, the key behind the dot; of its inventory as ``inventory/index.py`` keeps it, except that
here every field of a class has rows and a list has one for each of its values.
"""

from sqlalchemy import Column, Double, Integer, LargeBinary, MetaData, Table, literal, select

from roost_central.fleet.fields import INVENTORY, ITEM_ID, REASON
from roost_central.fleet.query import QueryError, parse
from roost_central.fleet.query_ast import And, Comparison, Count, Inventory, Not, Or, Text
from roost_central.fleet.query_items import is_of_class
from roost_central.fleet.query_kinds import KINDS
from roost_central.fleet.query_values import version_place
from roost_central.storage.inventory_query import InventoryQuery
from roost_central.storage.query_sql import Sight, Values, condition
from roost_central.storage.tables import PlainText

OWN = ""
FACTS = Table(
    "query_fact",
    MetaData(),
    Column("seq", Integer, primary_key=True),
    *(Column(name, PlainText, nullable=False) for name in ("node", "class", "item", "field")),
    Column("text", PlainText),
    Column("number", Double),
    Column("place", LargeBinary),
)
OBJECTS = Table("query_object", MetaData(), Column("node", PlainText, primary_key=True))


def facts(name, values, fields):
    """Return the rows of one object, as a JSON object of the vectors has its values."""
    found = []
    for field, value in values.items():
        if field == "inv":
            for item_class, items in value.items():
                found += _items(name, item_class, items, fields)
        elif field == "inv.reason":
            for item_class, reason in value.items():
                found.append(_row((name, item_class, "", REASON), reason))
        else:
            found += _own(name, field, value, fields)
    return found


def statement(query, now_ms, dialect):
    """Return what asks a database for the names of the objects that a query holds for."""
    sql = _Compiler(query.fields, now_ms, dialect)
    return select(OBJECTS.c.node).where(sql.of(query.root))


class _Compiler:
    def __init__(self, fields, now_ms, dialect):
        self._items = InventoryQuery(FACTS, fields, now_ms=now_ms, dialect=dialect)
        self._sight = Sight(fields, self._reader, self._holds, now_ms, dialect)

    def of(self, root):
        return condition(root, self._sight)

    def _reader(self, name, key):
        row = FACTS.alias()
        here = [row.c.node == OBJECTS.c.node, row.c["class"] == OWN, row.c.field == name]
        if key not in {None, "*"}:
            here.append(row.c.item == key)
        values = Values(row.c.text, row.c.number, row.c.place)
        return lambda test: select(literal(1)).where(*here, test(values)).exists()

    def _holds(self, part):
        others = False
        if isinstance(part, Count):
            asked, others = self._items.counted(part)
        elif is_of_class(part):
            asked, others = self._items.of_class(part)
        else:
            asked = self._items.nodes(part)
        held = OBJECTS.c.node.in_(asked)
        return ~held if others else held


def _items(name, item_class, items, fields):
    prefix = f"{INVENTORY}{item_class}."
    known = [field for field in fields.values() if field.name.startswith(prefix)]
    for item in items:
        for field in known:
            short = field.name.removeprefix(prefix)
            given = item.get(short)
            values = given if isinstance(given, list) and given else [given]
            for value in values:
                yield _row((name, item_class, item[ITEM_ID], short), _kept(field, value), field)
            if (reason := item.get(f"{short}.{REASON}")) is not None:
                yield _row((name, item_class, item[ITEM_ID], f"{short}.{REASON}"), reason)


def _own(name, field, value, fields):
    kept = fields.get(field)
    keyed = value.items() if isinstance(value, dict) else [("", value)]
    for key, under in keyed:
        for one in under if isinstance(under, list) else [under]:
            yield _row((name, OWN, key, field), None if kept is None else _kept(kept, one), kept)


def _kept(field, value):
    types = KINDS[field.kind].types
    fits = isinstance(value, types) and (bool in types or not isinstance(value, bool))
    return value if fits else None


def _row(place, value, field=None):
    name, item_class, item, field_name = place
    is_text = isinstance(value, str)
    is_version = is_text and field is not None and field.kind == "version"
    return {
        "node": name,
        "class": item_class,
        "item": item,
        "field": field_name,
        "text": value if is_text else None,
        "number": None if is_text or value is None else float(value),
        "place": version_place(value) if is_version else None,
    }


class Row:
    """A JSON object as central's views offer it to a query."""

    def __init__(self, values):
        self._values = values

    def field(self, name, key):
        value = self._values.get(name)
        if key is None:
            return value
        if key != "*":
            return (value or {}).get(key)
        under = (value or {}).values()
        return [one for each in under for one in (each if isinstance(each, list) else [each])]


def as_json(node):
    """Return the tree in the form of the vectors, which is the tree of query.js."""
    match node:
        case And(parts):
            tree = {"and": [as_json(part) for part in parts]}
        case Or(parts):
            tree = {"or": [as_json(part) for part in parts]}
        case Not(part):
            tree = {"not": as_json(part)}
        case Text(text):
            tree = {"text": text}
        case Comparison(field, key, op, values):
            named = {"field": field} if key is None else {"field": field, "key": key}
            tree = {**named, "op": op, "values": list(values)}
        case Inventory(item_class, where):
            tree = {"inv": item_class, "where": as_json(where)}
        case Count(items, op, number):
            named = {"count": items.item_class, "where": as_json(items.where)}
            tree = {**named, "op": op, "number": number}
    return tree


def error_as_json(error):
    return {
        "code": error.code,
        "offset": error.offset,
        "length": error.length,
        "suggestion": error.suggestion,
    }


def said(question, fields):
    """Answer a question as query.vectors.js does: all there is to say about one query."""

    def attempt(asked):
        try:
            return asked()
        except QueryError as error:
            return {**error_as_json(error), "message": error.message}

    query = attempt(lambda: parse(question["query"], fields))
    if isinstance(query, dict):
        return query
    rows = [Row(row) for row in question["rows"]]
    return {
        "ast": as_json(query.root),
        "canonical": query.canonical(),
        "matches": attempt(lambda: [query.match(row, question["now_ms"]) for row in rows]),
    }
