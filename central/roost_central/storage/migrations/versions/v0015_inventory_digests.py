"""The digests of a node's sections in one row: every delta asks for all of them."""

from itertools import groupby

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

TABLE = "inventory_digests"
ROWS_AT_ONCE = 1_000


def upgrade() -> None:
    """Make the table, and fill it from the sections."""
    made = op.create_table(
        TABLE,
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("digests", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["node"], ["node.node"], name=op.f("fk_inventory_digests_node"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("node", name=op.f("pk_inventory_digests")),
    )
    sections = sa.table(
        "inventory_section", sa.column("node"), sa.column("section"), sa.column("digest")
    )
    encode = msgspec.msgpack.Encoder(order="sorted").encode
    kept = op.get_bind().execute(sa.select(sections).order_by(sections.c.node)).all()
    rows = [
        {"node": node, "digests": encode({name: digest for _, name, digest in some})}
        for node, some in groupby(kept, key=lambda row: row.node)
    ]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        op.bulk_insert(made, rows[start : start + ROWS_AT_ONCE])


def downgrade() -> None:
    """Remove the table: the sections have their digests themselves."""
    op.drop_table(TABLE)
