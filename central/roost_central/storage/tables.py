"""The schema. Times are UTC ms of the centre's clock unless a column says more.

Portable types only: big integers for times and counts, LargeBinary for MessagePack documents.
A change here needs a migration in ``migrations/versions`` (a test compares the two).
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
    true,
)
from sqlalchemy import text as text_clause
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


def _serial() -> Column[int]:
    return Column("seq", _Serial, primary_key=True, autoincrement=True)


def _node_key() -> Column[str]:
    return Column("node", ForeignKey("node.node", ondelete="CASCADE"), primary_key=True)


def _table(name: str, *columns: Any, **options: Any) -> Table:  # noqa: ANN401 - Table's own
    return Table(name, metadata, *columns, **options)


def _index_of_known(column: str) -> Index:
    """Return the index of inventory values that have one of the columns; most do not."""
    known = text_clause(f"{column} IS NOT NULL")
    return Index(None, "class", "field", column, sqlite_where=known, postgresql_where=known)


site = _table(
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

node = _table(
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

path = _table(
    "path",
    _node_key(),
    Column("path", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("state", String, nullable=False),
    Column("since_ms", BigInteger),
    Column("rtt_us", BigInteger),
    Column("loss_permille", Integer),
    Column("heard_ms", BigInteger),
    Column("reported_ms", BigInteger),
)

mark = _table(
    "mark",
    _node_key(),
    Column("stream", LargeBinary, primary_key=True),
    Column("lane", String, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

inventory_section = _table(
    "inventory_section",
    _node_key(),
    Column("section", PlainText, primary_key=True),
    Column("gen", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("as_of_ms", BigInteger, nullable=False),
    Column("cost_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

inventory_digests = _table(
    "inventory_digests",
    _node_key(),
    Column("digests", LargeBinary, nullable=False),  # of its sections: read with every delta
)

inventory_part = _table(
    "inventory_part",
    _node_key(),
    Column("gen", BigInteger, primary_key=True),
    Column("part", SmallInteger, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

inventory_value = _table(
    "inventory_value",
    _node_key(),
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

inventory_change = _table(
    "inventory_change",
    _serial(),
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

ha_report = _table(
    "ha_report",
    _node_key(),
    Column("at_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # a MessagePack HaReport
)

host_report = _table(
    "host_report",
    _node_key(),
    Column("at_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # a MessagePack HostReport
)

bmc_report = _table(
    "bmc_report",
    _node_key(),  # whose machine it controls
    Column("speaker", String, nullable=False),  # the node that reads it
    Column("at_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # a MessagePack BmcReport
)

bmc_setting = _table(
    "bmc_setting",
    _node_key(),  # whose machine it controls
    Column("access", LargeBinary, nullable=False),  # a MessagePack BoardAccess without its password
    Column("secret", LargeBinary, nullable=False),  # the password, closed (boards/vault.py)
    Column("sensors", LargeBinary, nullable=False),  # a MessagePack SensorSettings
    Column("changed_ms", BigInteger, nullable=False),
    Column("by", PlainText, nullable=False),
)

bmc_given = _table(
    "bmc_given",
    _node_key(),  # who was told
    Column("mark", LargeBinary, nullable=False),
    Column("order", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("body", LargeBinary, nullable=False),  # sealed to that node
    Column("placed_ms", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
)

node_samples = _table(
    "node_samples",
    _node_key(),
    Column("received_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # a MessagePack Samples: its last day
)

hosts_report = _table(
    "hosts_report",
    Column("site", String, ForeignKey("site.site", ondelete="CASCADE"), primary_key=True),
    Column("speaker", String, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # a MessagePack HostsReport
)

event = _table(
    "event",
    _serial(),
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

alarm = _table(
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

alarm_event = _table(
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

shelf = _table(
    "shelf",
    Column("id", String, primary_key=True),
    Column("made_by", PlainText, nullable=False),
    Column("reason", PlainText, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("query", PlainText, nullable=False),
    Column("key_ids", JSON, nullable=False),
)

suppression = _table(
    "suppression",
    Column("id", String, primary_key=True),
    Column("type", String, nullable=False),
    Column("made_by", PlainText, nullable=False),
    Column("reason", PlainText, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger),
    Column("query", PlainText, nullable=False),
)

incident = _table(
    "incident",
    Column("id", String, primary_key=True),
    Column("state", String, nullable=False, index=True),
    Column("opened_ms", BigInteger, nullable=False, index=True),
    Column("seq", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # a MessagePack IncidentRow
)

audit = _table(
    "audit",
    _serial(),
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

audit_anchor = _table(
    "audit_anchor",
    Column("kind", String, primary_key=True),  # head: the last row; cut: the last that is gone
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

dead_letter = _table(
    "dead_letter",
    _serial(),
    Column("received_ms", BigInteger, nullable=False),
    Column("node", PlainText),
    Column("topic", PlainText, nullable=False),
    Column("code", String, nullable=False),
    Column("detail", PlainText, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

held_item = _table(  # of nodes that a human has to choose about
    "held_item",
    _serial(),
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

setting = _table(
    "setting",
    Column("key", String, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

account = _table(
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

token = _table(
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

saved_view = _table(
    "saved_view",
    Column("id", String, primary_key=True),
    Column("owner", PlainText, nullable=False),
    Column("name", PlainText, nullable=False),
    Column("page", String, nullable=False),
    Column("query", PlainText, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    UniqueConstraint("owner", "name"),
)

northbound_target = _table(
    "northbound_target",
    Column("name", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("cursor", BigInteger, nullable=False),
    Column("disabled", PlainText, nullable=False),
)

northbound_dead_letter = _table(
    "northbound_dead_letter",
    _serial(),
    Column("target", String, nullable=False, index=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("about_seq", BigInteger, nullable=False),
    Column("error", PlainText, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

snmp_engine = _table(
    "snmp_engine",
    Column("engine_id", LargeBinary, primary_key=True),
    Column("boots", BigInteger, nullable=False),
)

counter = _table(
    "counter",
    Column("name", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

claim = _table(
    "claim",
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("secret_hash", LargeBinary),
    Column("subject", PlainText, nullable=False, index=True),
    Column("site", ForeignKey("site.site", ondelete="CASCADE"), nullable=False, index=True),
    Column("node", String, nullable=False),
    Column("broker", Boolean, nullable=False),
    Column("nodes_max", Integer, nullable=False),
    Column("used", Integer, nullable=False),
    Column("auto_approve", Boolean, nullable=False),
    Column("cidr", String, nullable=False),
    Column("made_by", PlainText, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("not_after_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
    Column("replaces", Integer, nullable=False, server_default="0"),  # a box of the slot
)

enrolment = _table(
    "enrolment",
    Column("id", String, primary_key=True),
    Column("key_hash", LargeBinary, nullable=False),
    Column("kind", String, nullable=False),
    Column("claim", String, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("site", String, nullable=False),
    Column("node", String, nullable=False, index=True),
    Column("broker", Boolean, nullable=False),
    Column("csr", String, nullable=False),
    Column("lan_key", String, nullable=False),
    Column("broker_key", String, nullable=False),
    Column("sealing_key", LargeBinary, nullable=False),
    Column("hardware", PlainText, nullable=False),
    Column("agent", PlainText, nullable=False),
    Column("address", String, nullable=False),
    Column("words", String, nullable=False),
    Column("ticket_hash", LargeBinary, nullable=False, index=True),
    Column("asked_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("decided_ms", BigInteger),
    Column("decided_by", PlainText, nullable=False),
    Column("reason", PlainText, nullable=False),
    Column("generation", BigInteger),
    UniqueConstraint("key_hash"),
)

identity = _table(  # kept after its node: a revoked certificate stays revoked
    "identity",
    Column("node", String, primary_key=True),
    Column("generation", BigInteger, primary_key=True, autoincrement=False),
    Column("box", Integer, nullable=False),
    Column("serial", String, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("key_hash", LargeBinary, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("not_after_ms", BigInteger, nullable=False),
    Column("hardware", PlainText, nullable=False),
    Column("sealing_key", LargeBinary, nullable=False),
    Column("certificate", String, nullable=False),
    Column("lan_certificate", String, nullable=False),
    Column("broker_certificate", String, nullable=False),
    Column("issued_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("reason", PlainText, nullable=False),
    Column("revision", BigInteger, nullable=False, index=True),
    Column("quarantine", String, nullable=False, server_default=""),
    UniqueConstraint("fingerprint"),
    UniqueConstraint("key_hash"),
)

node_order = _table(  # kept after its node, as audit is: who had what done
    "node_order",
    Column("id", String, primary_key=True),
    Column("node", String, nullable=False),
    Column("site", String, nullable=False),
    Column("verb", String, nullable=False),
    Column("given", JSON, nullable=False),
    Column("reason", PlainText, nullable=False),
    Column("by", PlainText, nullable=False),
    Column("placed_ms", BigInteger, nullable=False),
    Column("not_after_ms", BigInteger, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("changed_ms", BigInteger, nullable=False),
    Column("by_two", Boolean, nullable=False),
    Column("approved_by", PlainText, nullable=False),
    Column("approved_ms", BigInteger),
    Column("generation", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("message", LargeBinary, nullable=False),
    Column("sent_ms", BigInteger),
    Column("sends", Integer, nullable=False),
    Column("taken_ms", BigInteger),
    Column("ended_ms", BigInteger),
    Column("code", PlainText, nullable=False),
    Column("text", PlainText, nullable=False),
    Index(None, "node", "placed_ms"),
)

profile = _table(
    "profile",
    Column("name", String, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("file", PlainText, nullable=False),
    Column("source", PlainText, nullable=False),
    Column("by", PlainText, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

profile_change = _table(  # kept for good; source: null where it was removed
    "profile_change",
    _serial(),
    Column("name", String, nullable=False, index=True),
    Column("revision", BigInteger, nullable=False),
    Column("source", PlainText),
    Column("by", PlainText, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("reason", PlainText, nullable=False),
)

desired_document = _table(  # by the digest of its body: nodes of the same profiles share one
    "desired_document",
    Column("key", LargeBinary, primary_key=True),
    Column("digest", LargeBinary, nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),
)

desired = _table(  # kept after its node: a generation never comes again
    "desired",
    Column("node", String, primary_key=True),
    Column("generation", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("fault", PlainText, nullable=False),
)

desired_change = _table(  # kept for good: who changed what a node should be
    "desired_change",
    Column("node", String, primary_key=True),
    Column("generation", BigInteger, primary_key=True, autoincrement=False),
    Column("document", LargeBinary, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("by", PlainText, nullable=False),
    Column("reason", PlainText, nullable=False),
)

delivery = _table(  # the last order by which a node was told what it should be
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

config_report = _table(  # the last word of each node on its configuration
    "config_report",
    _node_key(),
    Column("at_ms", BigInteger, nullable=False),  # the node's clock
    Column("received_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

drift = _table(  # settings that are not as the node was told, by its last report
    "drift",
    _node_key(),
    Column("setting", String, primary_key=True),
    Column("site", String, nullable=False),
    Column("wanted", PlainText, nullable=False),
    Column("found", PlainText, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

software_report = _table(
    "software_report",
    _node_key(),
    Column("at_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # a MessagePack SoftwareReport
)

update_report = _table(
    "update_report",
    _node_key(),
    Column("at_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # a MessagePack JobReport, the newest
)

rollout = _table(
    "rollout",
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False, server_default="release"),
    Column("state", String, nullable=False, index=True),
    Column("component", String, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("rev", BigInteger, nullable=False),
    Column("plan", LargeBinary, nullable=False),  # the TOML file, as it is approved
    Column("head", LargeBinary, nullable=False),  # a MessagePack Head
)

rollout_job = _table(
    "rollout_job",
    Column("rollout", ForeignKey("rollout.id", ondelete="CASCADE"), primary_key=True),
    Column("site", String, primary_key=True, index=True),
    Column("wave", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("body", LargeBinary, nullable=False),  # a MessagePack Job
    Column("offer", LargeBinary, nullable=False),  # the last one, as its order names it
)

rollout_change = _table(  # what a rollout of profiles makes count
    "rollout_change",
    Column("rollout", ForeignKey("rollout.id", ondelete="CASCADE"), primary_key=True),
    Column("body", LargeBinary, nullable=False),  # a MessagePack ProfileTexts
)

rollout_node = _table(  # what a node had before a rollout of profiles that may hold it back
    "rollout_node",
    Column("rollout", ForeignKey("rollout.id", ondelete="CASCADE"), primary_key=True),
    Column("node", String, primary_key=True),
    Column("former_generation", BigInteger, nullable=False),
    Column("former_digest", LargeBinary, nullable=False),  # of its settings
)

rollout_approval = _table(
    "rollout_approval",
    Column("rollout", ForeignKey("rollout.id", ondelete="CASCADE"), primary_key=True),
    Column("operator", String, primary_key=True),
    Column("digest", String, primary_key=True),  # of the release that may go out
    Column("at_ms", BigInteger, nullable=False),
    Column("by", String, nullable=False),  # whose token brought it
    Column("approval", LargeBinary, nullable=False),  # as it was signed
    Column("signature", LargeBinary, nullable=False),
)
