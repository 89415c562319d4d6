"""Alarms: open ones, their transitions, shelves, suppressions, incidents; the audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "alarm",
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=True),
        sa.Column("node", sa.String(), nullable=True),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_alarm")),
    )
    op.create_table(
        "alarm_event",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=True),
        sa.Column("alarm", sa.String(), nullable=True),
        sa.Column("incident", sa.String(), nullable=True),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("site", sa.String(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_alarm_event")),
    )
    for columns in (
        ["received_ms"],
        ["key_id", "seq"],
        ["alarm", "seq"],
        ["incident", "seq"],
        ["event", "seq"],
    ):
        op.create_index(op.f(f"ix_alarm_event_{'_'.join(columns)}"), "alarm_event", columns)
    op.create_table(
        "shelf",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("key_ids", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shelf")),
    )
    op.create_table(
        "suppression",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=True),
        sa.Column("query", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression")),
    )
    op.create_table(
        "incident",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
    )
    op.create_index(op.f("ix_incident_state"), "incident", ["state"])
    op.create_index(op.f("ix_incident_opened_ms"), "incident", ["opened_ms"])
    op.create_table(
        "audit",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_audit_at_ms"), "audit", ["at_ms"])


def downgrade() -> None:
    """Remove the tables."""
    for name in ("audit", "incident", "suppression", "shelf", "alarm_event", "alarm"):
        op.drop_table(name)
