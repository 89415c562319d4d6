"""Board controllers that the centre polls, and what was learned of each."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Add the column and the table."""
    op.add_column(
        "bmc_setting", sa.Column("reached_by", sa.String(), nullable=False, server_default="site")
    )
    op.create_table(
        "bmc_learned",
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("learned", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["node"], ["node.node"], name=op.f("fk_bmc_learned_node"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("node", name=op.f("pk_bmc_learned")),
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_table("bmc_learned")
    op.drop_column("bmc_setting", "reached_by")
