"""What nodes are told of what they should be, what they say, and changes by groups."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_OF_NODE = ("applied_gen", "applied_digest", "pending_reboot", "drift")


def upgrade() -> None:
    """Create the tables and columns."""
    op.add_column("node", sa.Column("applied_gen", sa.BigInteger(), nullable=True))
    op.add_column("node", sa.Column("applied_digest", sa.LargeBinary(), nullable=True))
    op.add_column("node", sa.Column("pending_reboot", sa.Boolean(), nullable=True))
    op.add_column("node", sa.Column("drift", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_desired_document_digest"), "desired_document", ["digest"])
    op.create_table(
        "delivery",
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("order", sa.String(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("placed_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("is_forced", sa.Boolean(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("node", name=op.f("pk_delivery")),
    )
    op.create_table(
        "config_report",
        _node("config_report"),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("node", name=op.f("pk_config_report")),
    )
    op.create_table(
        "drift",
        _node("drift"),
        sa.Column("setting", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("wanted", sa.String(), nullable=False),
        sa.Column("found", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("node", "setting", name=op.f("pk_drift")),
    )
    _create_stages()


def _create_stages() -> None:
    op.create_table(
        "staged_change",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("profiles", sa.JSON(), nullable=False),
        sa.Column("sizes", sa.JSON(), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("stage_ms", sa.BigInteger(), nullable=False),
        sa.Column("synced_ms", sa.BigInteger(), nullable=True),
        sa.Column("soak_ms", sa.BigInteger(), nullable=False),
        sa.Column("wait_ms", sa.BigInteger(), nullable=False),
        sa.Column("failed_max", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staged_change")),
    )
    op.create_index(op.f("ix_staged_change_state"), "staged_change", ["state"])
    op.create_table(
        "staged_node",
        sa.Column("change", sa.String(), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("former_generation", sa.BigInteger(), nullable=False),
        sa.Column("former_document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("change", "node", name=op.f("pk_staged_node")),
        sa.ForeignKeyConstraint(
            ["change"], ["staged_change.id"], ondelete="CASCADE",
            name=op.f("fk_staged_node_change_staged_change"),
        ),
    )  # fmt: skip
    op.create_index(op.f("ix_staged_node_node"), "staged_node", ["node"])


def _node(table: str) -> sa.Column[str]:
    return sa.Column(
        "node",
        sa.String(),
        sa.ForeignKey("node.node", ondelete="CASCADE", name=op.f(f"fk_{table}_node_node")),
        nullable=False,
    )


def downgrade() -> None:
    """Remove them, the columns in place: a table that is made anew takes its children along."""
    for table in ("staged_node", "staged_change", "drift", "config_report", "delivery"):
        op.drop_table(table)
    op.drop_index(op.f("ix_desired_document_digest"), "desired_document")
    for column in _OF_NODE:
        op.drop_column("node", column)
