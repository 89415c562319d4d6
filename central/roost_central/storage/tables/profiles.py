"""What nodes should be, and how they were told."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, String

from roost_central.storage.tables.column import PlainText, serial, table

profile = table(
    "profile",
    Column("name", String, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("file", PlainText, nullable=False),
    Column("source", PlainText, nullable=False),
    Column("by", PlainText, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

profile_change = table(  # kept for good; source: null where it was removed
    "profile_change",
    serial(),
    Column("name", String, nullable=False, index=True),
    Column("revision", BigInteger, nullable=False),
    Column("source", PlainText),
    Column("by", PlainText, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("reason", PlainText, nullable=False),
)

desired_document = table(  # by the digest of its body: nodes of the same profiles share one
    "desired_document",
    Column("key", LargeBinary, primary_key=True),
    Column("digest", LargeBinary, nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),
)

desired = table(  # kept after its node: a generation never comes again
    "desired",
    Column("node", String, primary_key=True),
    Column("generation", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("fault", PlainText, nullable=False),
)

desired_change = table(  # kept for good: who changed what a node should be
    "desired_change",
    Column("node", String, primary_key=True),
    Column("generation", BigInteger, primary_key=True, autoincrement=False),
    Column("document", LargeBinary, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("by", PlainText, nullable=False),
    Column("reason", PlainText, nullable=False),
)

delivery = table(  # the last order by which a node was told what it should be
    "delivery",
    Column("node", String, primary_key=True),
    Column("order", String, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("outcome", String, nullable=False),
    Column("placed_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Column("tries", Integer, nullable=False),
    Column("is_forced", Boolean, nullable=False),
    Column("code", PlainText, nullable=False),
    Column("text", PlainText, nullable=False),
)
