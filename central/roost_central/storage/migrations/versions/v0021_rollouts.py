"""Rollouts with their jobs and approvals; what nodes run, and what they say of updates."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Create the tables."""
    for name in ("software_report", "update_report"):
        op.create_table(
            name,
            sa.Column("node", sa.String(), nullable=False),
            sa.Column("at_ms", sa.BigInteger(), nullable=False),
            sa.Column("received_ms", sa.BigInteger(), nullable=False),
            sa.Column("body", sa.LargeBinary(), nullable=False),
            sa.ForeignKeyConstraint(
                ["node"], ["node.node"], name=op.f(f"fk_{name}_node"), ondelete="CASCADE"
            ),
            sa.PrimaryKeyConstraint("node", name=op.f(f"pk_{name}")),
        )
    op.create_table(
        "rollout",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("component", sa.String(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("plan", sa.LargeBinary(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollout")),
    )
    op.create_index(op.f("ix_rollout_state"), "rollout", ["state"])
    op.create_table(
        "rollout_job",
        sa.Column("rollout", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("offer", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rollout"], ["rollout.id"], name=op.f("fk_rollout_job_rollout"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("rollout", "site", name=op.f("pk_rollout_job")),
    )
    op.create_index(op.f("ix_rollout_job_site"), "rollout_job", ["site"])
    op.create_table(
        "rollout_approval",
        sa.Column("rollout", sa.String(), nullable=False),
        sa.Column("operator", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("approval", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rollout"],
            ["rollout.id"],
            name=op.f("fk_rollout_approval_rollout"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("rollout", "operator", "digest", name=op.f("pk_rollout_approval")),
    )


def downgrade() -> None:
    """Remove them."""
    for name in (
        "rollout_approval", "rollout_job", "rollout", "update_report", "software_report",
    ):  # fmt: skip
        op.drop_table(name)
