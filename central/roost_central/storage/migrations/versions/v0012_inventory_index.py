"""The index of the inventory: versions in their order, items by id, what is unknown, and parts.

The rows are made anew from the documents when the centre starts (inventory/reindex.py).
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

TABLE = "inventory_value"
PART = "ix_inventory_change_section_item"  # a part is followed from node to node


def upgrade() -> None:
    """Make the table anew, empty."""
    op.drop_table(TABLE)
    op.create_table(
        TABLE,
        *_columns(),
        sa.Column("place", sa.LargeBinary(), nullable=True),
        *_constraints(),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_inventory_value_class_field_text"), TABLE, ["class", "field", "text"])
    for column in ("number", "place"):
        known = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            op.f(f"ix_inventory_value_class_field_{column}"),
            TABLE,
            ["class", "field", column],
            sqlite_where=known,
            postgresql_where=known,
        )
    op.create_index(op.f("ix_inventory_value_class_item_field"), TABLE, ["class", "item", "field"])
    op.create_index(PART, "inventory_change", ["section", "item"])


def downgrade() -> None:
    """Make the table as it was, empty: the next snapshots fill it."""
    op.drop_index(PART, table_name="inventory_change")
    op.drop_table(TABLE)
    op.create_table(TABLE, *_columns(), *_constraints())
    for column in ("number", "text"):
        op.create_index(
            op.f(f"ix_inventory_value_class_field_{column}"), TABLE, ["class", "field", column]
        )


def _columns() -> list[sa.Column[Any]]:
    return [
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("node", "class", "item", "field")
        ),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("number", sa.Double(), nullable=True),
    ]


def _constraints() -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(
            ["node"], ["node.node"], name=op.f("fk_inventory_value_node"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("node", "class", "item", "field", name=op.f("pk_inventory_value")),
    ]
