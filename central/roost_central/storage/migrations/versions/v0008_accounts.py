"""Accounts with grants; a token belongs to one, and may have fewer grants than it."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make an account of each token that is there, with the token's role over the whole fleet."""
    account = op.create_table(
        "account",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("grants", sa.JSON(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("password", sa.String(), nullable=True),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("login_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_account")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_account_issuer_subject")),
    )
    op.add_column("token", sa.Column("owner", sa.String(), nullable=False, server_default=""))
    op.add_column("token", sa.Column("grants", sa.JSON(none_as_null=True), nullable=True))
    connection = op.get_bind()
    tokens = sa.text("SELECT name, role, created_ms FROM token")
    for name, role, created_ms in connection.execute(tokens).all():
        row = {"name": name, "grants": [[role, ""]], "created_ms": created_ms}
        op.execute(sa.insert(account).values(**row, changed_ms=0, disabled=False))
    op.execute("UPDATE token SET owner = name")
    with op.batch_alter_table("token") as batch:
        batch.drop_column("role")


def downgrade() -> None:
    """Give each token the first role of its account."""
    op.add_column("token", sa.Column("role", sa.String(), nullable=False, server_default="viewer"))
    connection = op.get_bind()
    accounts = sa.text("SELECT name, grants FROM account")
    for name, kept in connection.execute(accounts).all():
        grants = json.loads(kept) if isinstance(kept, str) else kept
        role = sa.text("UPDATE token SET role = :role WHERE owner = :owner")
        if grants:
            connection.execute(role, {"role": grants[0][0], "owner": name})
    with op.batch_alter_table("token") as batch:
        batch.drop_column("owner")
        batch.drop_column("grants")
    op.drop_table("account")
