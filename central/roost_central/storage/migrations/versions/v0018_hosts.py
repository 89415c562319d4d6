"""What is said of a site's hosts, by who says it: without a lease each node speaks for itself."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "hosts_report",
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("speaker", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site"], ["site.site"], name=op.f("fk_hosts_report_site"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site", "speaker", name=op.f("pk_hosts_report")),
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_table("hosts_report")
