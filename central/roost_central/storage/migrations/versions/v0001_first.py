"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "dead_letter",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("node", sa.String(), nullable=True),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_dead_letter")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "event",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("site", sa.String(), nullable=True),
        sa.Column("node", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("params", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_event")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_event_node_seq"), "event", ["node", "seq"])
    op.create_index(op.f("ix_event_received_ms"), "event", ["received_ms"])
    op.create_index(op.f("ix_event_site_seq"), "event", ["site", "seq"])
    op.create_table(
        "setting",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_setting")),
    )
    op.create_table(
        "site",
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_site")),
    )
    op.create_table(
        "token",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=True),
        sa.Column("used_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_token")),
        sa.UniqueConstraint("name", name=op.f("uq_token_name")),
    )
    op.create_table(
        "node",
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("presence", sa.String(), nullable=False),
        sa.Column("presence_since_ms", sa.BigInteger(), nullable=True),
        sa.Column("heard_ms", sa.BigInteger(), nullable=True),
        sa.Column("via", sa.String(), nullable=True),
        sa.Column("agent", sa.String(), nullable=True),
        sa.Column("boot_id", sa.LargeBinary(), nullable=True),
        sa.Column("incarnation", sa.BigInteger(), nullable=True),
        sa.Column("uptime_s", sa.BigInteger(), nullable=True),
        sa.Column("interval_ms", sa.BigInteger(), nullable=True),
        sa.Column("clock_skew_ms", sa.BigInteger(), nullable=True),
        sa.Column("inventory_gen", sa.BigInteger(), nullable=True),
        sa.Column("inventory_digest", sa.LargeBinary(), nullable=True),
        sa.Column("inventory_as_of_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["site"], ["site.site"], name=op.f("fk_node_site"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("node", name=op.f("pk_node")),
    )
    op.create_index(op.f("ix_node_site"), "node", ["site"])
    op.create_table(
        "inventory_change",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("gen", sa.BigInteger(), nullable=False),
        sa.Column("section", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("old", sa.LargeBinary(), nullable=True),
        sa.Column("new", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["node"], ["node.node"], name=op.f("fk_inventory_change_node"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_inventory_change")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_inventory_change_at_ms"), "inventory_change", ["at_ms"])
    op.create_index(op.f("ix_inventory_change_node_at_ms"), "inventory_change", ["node", "at_ms"])
    op.create_table(
        "inventory_part",
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("gen", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.SmallInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["node"], ["node.node"], name=op.f("fk_inventory_part_node"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("node", "gen", "part", name=op.f("pk_inventory_part")),
    )
    op.create_table(
        "inventory_section",
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("section", sa.String(), nullable=False),
        sa.Column("gen", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("as_of_ms", sa.BigInteger(), nullable=False),
        sa.Column("cost_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["node"], ["node.node"], name=op.f("fk_inventory_section_node"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("node", "section", name=op.f("pk_inventory_section")),
    )
    op.create_table(
        "inventory_value",
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("class", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("number", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["node"], ["node.node"], name=op.f("fk_inventory_value_node"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("node", "class", "item", "field", name=op.f("pk_inventory_value")),
    )
    op.create_index(
        op.f("ix_inventory_value_class_field_number"),
        "inventory_value",
        ["class", "field", "number"],
    )
    op.create_index(
        op.f("ix_inventory_value_class_field_text"), "inventory_value", ["class", "field", "text"]
    )
    op.create_table(
        "mark",
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("stream", sa.LargeBinary(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["node"], ["node.node"], name=op.f("fk_mark_node"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("node", "stream", name=op.f("pk_mark")),
    )
    op.create_table(
        "path",
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=True),
        sa.Column("rtt_us", sa.BigInteger(), nullable=True),
        sa.Column("loss_permille", sa.Integer(), nullable=True),
        sa.Column("heard_ms", sa.BigInteger(), nullable=True),
        sa.Column("reported_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["node"], ["node.node"], name=op.f("fk_path_node"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("node", "path", name=op.f("pk_path")),
    )


def downgrade() -> None:
    """Remove every table."""
    op.drop_table("path")
    op.drop_table("mark")
    op.drop_index(op.f("ix_inventory_value_class_field_text"), table_name="inventory_value")
    op.drop_index(op.f("ix_inventory_value_class_field_number"), table_name="inventory_value")
    op.drop_table("inventory_value")
    op.drop_table("inventory_section")
    op.drop_table("inventory_part")
    op.drop_index(op.f("ix_inventory_change_node_at_ms"), table_name="inventory_change")
    op.drop_index(op.f("ix_inventory_change_at_ms"), table_name="inventory_change")
    op.drop_table("inventory_change")
    op.drop_index(op.f("ix_node_site"), table_name="node")
    op.drop_table("node")
    op.drop_table("token")
    op.drop_table("site")
    op.drop_table("setting")
    op.drop_index(op.f("ix_event_site_seq"), table_name="event")
    op.drop_index(op.f("ix_event_received_ms"), table_name="event")
    op.drop_index(op.f("ix_event_node_seq"), table_name="event")
    op.drop_table("event")
    op.drop_table("dead_letter")
