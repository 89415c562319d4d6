"""Northbound: cursors of the targets, their dead letters, the boots of the SNMP engine."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "northbound_target",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.Column("disabled", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_northbound_target")),
    )
    op.create_table(
        "northbound_dead_letter",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("about_seq", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_northbound_dead_letter")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_northbound_dead_letter_target"), "northbound_dead_letter", ["target"])
    op.create_table(
        "snmp_engine",
        sa.Column("engine_id", sa.LargeBinary(), nullable=False),
        sa.Column("boots", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("engine_id", name=op.f("pk_snmp_engine")),
    )


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("snmp_engine")
    op.drop_index(op.f("ix_northbound_dead_letter_target"), table_name="northbound_dead_letter")
    op.drop_table("northbound_dead_letter")
    op.drop_table("northbound_target")
