"""Who may what, and the log of what they did."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, LargeBinary, String, UniqueConstraint

from roost_central.storage.tables.column import PlainText, serial, table

audit = table(
    "audit",
    serial(),
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("actor", PlainText, nullable=False),
    Column("role", String, nullable=False),
    Column("action", String, nullable=False),
    Column("object", PlainText, nullable=False),
    Column("detail", LargeBinary, nullable=False),
    Column("via", PlainText, nullable=False, server_default=""),
    Column("source", PlainText, nullable=False, server_default=""),
    Column("request_id", String, nullable=False, server_default=""),
    Column("reason", PlainText, nullable=False, server_default=""),
    Column("before", String, nullable=False, server_default=""),
    Column("after", String, nullable=False, server_default=""),
    Column("outcome", String, nullable=False, server_default="done"),
    Column("prev_hash", LargeBinary, nullable=False, server_default=""),
    Column("hash", LargeBinary, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)

audit_anchor = table(
    "audit_anchor",
    Column("kind", String, primary_key=True),  # head: the last row; cut: the last that is gone
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

account = table(
    "account",
    Column("name", PlainText, primary_key=True),
    Column("grants", JSON, nullable=False),  # [[role, selector], ...]
    Column("created_ms", BigInteger, nullable=False),
    Column("password", String),
    Column("changed_ms", BigInteger, nullable=False),
    Column("issuer", String),
    Column("subject", String),
    Column("disabled", Boolean, nullable=False),
    Column("login_ms", BigInteger),
    UniqueConstraint("issuer", "subject"),
)

token = table(
    "token",
    Column("hash", LargeBinary, primary_key=True),
    Column("name", PlainText, nullable=False),
    Column("owner", PlainText, nullable=False, server_default=""),
    Column("created_ms", BigInteger, nullable=False),
    Column("grants", JSON(none_as_null=True)),  # [[role, selector], ...]; null: all of the owner's
    Column("expires_ms", BigInteger),
    Column("used_ms", BigInteger),
    UniqueConstraint("name"),
)

saved_view = table(
    "saved_view",
    Column("id", String, primary_key=True),
    Column("owner", PlainText, nullable=False),
    Column("name", PlainText, nullable=False),
    Column("page", String, nullable=False),
    Column("query", PlainText, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    UniqueConstraint("owner", "name"),
)
