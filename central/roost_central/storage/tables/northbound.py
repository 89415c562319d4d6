"""Whom alarms leave for."""

from sqlalchemy import BigInteger, Column, LargeBinary, String

from roost_central.storage.tables.column import PlainText, serial, table

northbound_target = table(
    "northbound_target",
    Column("name", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("cursor", BigInteger, nullable=False),
    Column("disabled", PlainText, nullable=False),
)

northbound_dead_letter = table(
    "northbound_dead_letter",
    serial(),
    Column("target", String, nullable=False, index=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("about_seq", BigInteger, nullable=False),
    Column("error", PlainText, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

snmp_engine = table(
    "snmp_engine",
    Column("engine_id", LargeBinary, primary_key=True),
    Column("boots", BigInteger, nullable=False),
)
