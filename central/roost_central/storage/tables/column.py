"""What the tables share: names of constraints, and columns that stand in several."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
)
from sqlalchemy.engine import Dialect


class PlainText(TypeDecorator[str]):
    """Text without NUL, which PostgreSQL cannot keep: a node's word must not fail a batch."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Replace NUL by U+FFFD."""
        return without_nul(value) if value is not None else None


def without_nul(text: str) -> str:
    """Return a text as ``PlainText`` keeps it."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts only INTEGER keys up


def serial() -> Column[int]:
    """Return a key that counts up."""
    return Column("seq", _Serial, primary_key=True, autoincrement=True)


def node_key() -> Column[str]:
    """Return the key of what goes with its node."""
    return Column("node", ForeignKey("node.node", ondelete="CASCADE"), primary_key=True)


def table(name: str, *columns: Any, **options: Any) -> Table:  # noqa: ANN401 - Table's own
    """Add a table to the schema."""
    return Table(name, metadata, *columns, **options)
