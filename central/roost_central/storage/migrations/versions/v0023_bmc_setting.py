"""Board controllers as they were set, and what each node was told of them."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "bmc_setting",
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("access", sa.LargeBinary(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("sensors", sa.LargeBinary(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["node"], ["node.node"], name=op.f("fk_bmc_setting_node"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("node", name=op.f("pk_bmc_setting")),
    )
    op.create_table(
        "bmc_given",
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("order", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("placed_ms", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["node"], ["node.node"], name=op.f("fk_bmc_given_node"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("node", name=op.f("pk_bmc_given")),
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_table("bmc_given")
    op.drop_table("bmc_setting")
