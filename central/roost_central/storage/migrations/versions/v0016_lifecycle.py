"""Whether a site is managed, and labels of a node of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the columns."""
    op.add_column(
        "site", sa.Column("managed", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.add_column("site", sa.Column("managed_why", sa.String(), nullable=False, server_default=""))
    op.add_column("site", sa.Column("managed_since_ms", sa.BigInteger()))
    op.add_column("node", sa.Column("labels", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    """Remove them, in place: a table that is made anew takes what hangs on it with it."""
    op.drop_column("node", "labels")
    for column in ("managed_since_ms", "managed_why", "managed"):
        op.drop_column("site", column)
