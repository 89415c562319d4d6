"""What nodes are made of: sections as told, and their values by class and field."""

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Index, LargeBinary, SmallInteger
from sqlalchemy import text as text_clause

from roost_central.storage.tables.column import PlainText, node_key, serial, table


def _index_of_known(column: str) -> Index:
    """Return the index of inventory values that have one of the columns; most do not."""
    known = text_clause(f"{column} IS NOT NULL")
    return Index(None, "class", "field", column, sqlite_where=known, postgresql_where=known)


inventory_section = table(
    "inventory_section",
    node_key(),
    Column("section", PlainText, primary_key=True),
    Column("gen", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("as_of_ms", BigInteger, nullable=False),
    Column("cost_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

inventory_digests = table(
    "inventory_digests",
    node_key(),
    Column("digests", LargeBinary, nullable=False),  # of its sections: read with every delta
)

inventory_part = table(
    "inventory_part",
    node_key(),
    Column("gen", BigInteger, primary_key=True),
    Column("part", SmallInteger, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

inventory_value = table(
    "inventory_value",
    node_key(),
    Column("class", PlainText, primary_key=True),
    Column("item", PlainText, primary_key=True),
    Column("field", PlainText, primary_key=True),
    Column("text", PlainText),
    Column("number", Double),
    Column("place", LargeBinary),  # of a version: the bytes that it is ordered by
    Index(None, "class", "field", "text"),
    _index_of_known("number"),
    _index_of_known("place"),
    Index(None, "class", "item", "field"),
    sqlite_with_rowid=False,  # every index ends with node and item then: no row need be read
)

inventory_change = table(
    "inventory_change",
    serial(),
    Column("node", ForeignKey("node.node", ondelete="CASCADE"), nullable=False),
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("gen", BigInteger, nullable=False),
    Column("section", PlainText, nullable=False),
    Column("item", PlainText, nullable=False),
    Column("field", PlainText, nullable=False),
    Column("old", LargeBinary),
    Column("new", LargeBinary),
    Index(None, "node", "at_ms"),
    Index(None, "section", "item"),  # a part is followed from node to node
    sqlite_autoincrement=True,
)
