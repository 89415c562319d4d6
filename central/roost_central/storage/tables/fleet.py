"""Sites, nodes, their paths, and what the centre knows of itself."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    true,
)

from roost_central.storage.tables.column import PlainText, node_key, table

site = table(
    "site",
    Column("site", String, primary_key=True),
    Column("shard", SmallInteger, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("lat", Double),
    Column("lon", Double),
    Column("revision", Integer, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("managed", Boolean, nullable=False, server_default=true()),
    Column("managed_why", PlainText, nullable=False, server_default=""),
    Column("managed_since_ms", BigInteger),
)

node = table(
    "node",
    Column("node", String, primary_key=True),
    Column("site", ForeignKey("site.site", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("presence", String, nullable=False),
    Column("presence_since_ms", BigInteger),
    Column("heard_ms", BigInteger),
    Column("via", String),
    Column("agent", PlainText),
    Column("boot_id", LargeBinary),
    Column("incarnation", BigInteger),
    Column("uptime_s", BigInteger),
    Column("interval_ms", BigInteger),
    Column("clock_skew_ms", BigInteger),
    Column("inventory_gen", BigInteger),
    Column("inventory_digest", LargeBinary),
    Column("inventory_as_of_ms", BigInteger),
    Column("applied_gen", BigInteger),
    Column("applied_digest", LargeBinary),
    Column("pending_reboot", Boolean),
    Column("drift", Integer),
    Column("labels", JSON, nullable=False, server_default="{}"),
)

path = table(
    "path",
    node_key(),
    Column("path", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("state", String, nullable=False),
    Column("since_ms", BigInteger),
    Column("rtt_us", BigInteger),
    Column("loss_permille", Integer),
    Column("heard_ms", BigInteger),
    Column("reported_ms", BigInteger),
)

mark = table(
    "mark",
    node_key(),
    Column("stream", LargeBinary, primary_key=True),
    Column("lane", String, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

setting = table(
    "setting",
    Column("key", String, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

counter = table(
    "counter",
    Column("name", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
