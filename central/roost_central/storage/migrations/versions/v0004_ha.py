"""Local HA: the last report of each node."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "ha_report",
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["node"], ["node.node"], name=op.f("fk_ha_report_node"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("node", name=op.f("pk_ha_report")),
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("ha_report")
