"""Events, alarms, what hides them, and incidents."""

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary, SmallInteger, String

from roost_central.storage.tables.column import PlainText, serial, table

event = table(
    "event",
    serial(),
    Column("at_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False, index=True),
    Column("site", String),
    Column("node", String),
    Column("kind", String, nullable=False),
    Column("type", String, nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("entity", PlainText, nullable=False),
    Column("text", PlainText, nullable=False),
    Column("params", LargeBinary, nullable=False),
    Index(None, "site", "seq"),
    Index(None, "node", "seq"),
    sqlite_autoincrement=True,  # a cursor must never see a number twice
)

alarm = table(
    "alarm",
    Column("key_id", String, primary_key=True),
    Column("site", String),
    Column("node", String),
    Column("type", String, nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # a MessagePack AlarmRow
)

alarm_event = table(
    "alarm_event",
    Column("seq", BigInteger, primary_key=True, autoincrement=False),  # counted by the core
    Column("at_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False, index=True),
    Column("event", String, nullable=False),
    Column("actor", PlainText, nullable=False),
    Column("note", PlainText, nullable=False),
    Column("key_id", String),
    Column("alarm", String),  # the episode
    Column("incident", String),
    Column("type", String, nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("site", String),
    Column("body", LargeBinary, nullable=False),  # a MessagePack AlarmRow or IncidentRow
    Index(None, "key_id", "seq"),
    Index(None, "alarm", "seq"),
    Index(None, "incident", "seq"),
    Index(None, "event", "seq"),
)

shelf = table(
    "shelf",
    Column("id", String, primary_key=True),
    Column("made_by", PlainText, nullable=False),
    Column("reason", PlainText, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("query", PlainText, nullable=False),
    Column("key_ids", JSON, nullable=False),
)

suppression = table(
    "suppression",
    Column("id", String, primary_key=True),
    Column("type", String, nullable=False),
    Column("made_by", PlainText, nullable=False),
    Column("reason", PlainText, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger),
    Column("query", PlainText, nullable=False),
)

incident = table(
    "incident",
    Column("id", String, primary_key=True),
    Column("state", String, nullable=False, index=True),
    Column("opened_ms", BigInteger, nullable=False, index=True),
    Column("seq", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # a MessagePack IncidentRow
)
