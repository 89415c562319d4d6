"""What was taken in and takes no effect."""

from sqlalchemy import BigInteger, Column, LargeBinary, String

from roost_central.storage.tables.column import PlainText, serial, table

dead_letter = table(
    "dead_letter",
    serial(),
    Column("received_ms", BigInteger, nullable=False),
    Column("node", PlainText),
    Column("topic", PlainText, nullable=False),
    Column("code", String, nullable=False),
    Column("detail", PlainText, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

held_item = table(  # of nodes that a human has to choose about
    "held_item",
    serial(),
    Column("node", String, nullable=False, index=True),
    Column("received_ms", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("boot_id", LargeBinary, nullable=False),
    Column("incarnation", BigInteger, nullable=False),
    Column("lane", String, nullable=False),
    Column("item_seq", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("text", PlainText, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
