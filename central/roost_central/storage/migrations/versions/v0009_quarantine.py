"""Why an identity is in quarantine, and which box of a slot a claim may replace."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the columns."""
    op.add_column(
        "identity", sa.Column("quarantine", sa.String(), nullable=False, server_default="")
    )
    op.add_column("claim", sa.Column("replaces", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Remove them."""
    for table, column in (("claim", "replaces"), ("identity", "quarantine")):
        with op.batch_alter_table(table) as batch:
            batch.drop_column(column)
