"""The audit log becomes a hash chain; the rows that are there are linked as they stand."""

from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

from roost_central.access.chain import GENESIS, START, Act, Anchor, entry

revision = "0007"
down_revision = "0006"

BATCH = 1_000
TEXTS = ("via", "source", "request_id", "reason", "before", "after")


def upgrade() -> None:
    """Add the columns, then link row to row."""
    for name in TEXTS:
        op.add_column("audit", sa.Column(name, sa.String(), nullable=False, server_default=""))
    outcome = sa.Column("outcome", sa.String(), nullable=False, server_default="done")
    op.add_column("audit", outcome)
    for name in ("prev_hash", "hash"):
        column = sa.Column(name, sa.LargeBinary(), nullable=False, server_default="")
        op.add_column("audit", column)
    anchors = op.create_table(
        "audit_anchor",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_audit_anchor")),
    )
    cut, head = _link(op.get_bind())
    for kind, at in (("cut", cut), ("head", head)):
        if at.seq:
            row = {"kind": kind, "seq": at.seq, "hash": at.hash}
            op.execute(sa.insert(anchors).values(row))


def downgrade() -> None:
    """Forget the links."""
    op.drop_table("audit_anchor")
    with op.batch_alter_table("audit") as batch:
        for name in (*TEXTS, "outcome", "prev_hash", "hash"):
            batch.drop_column(name)


def _link(connection: sa.Connection) -> tuple[Anchor, Anchor]:
    """Link all rows, close the gaps that pruning left; return what is before them and the last.

    Numbers that are missing are not known to have been anything: rows are numbered by place.
    """
    audit = sa.Table("audit", sa.MetaData(), autoload_with=connection)
    c = audit.c
    first: int | None = connection.execute(sa.select(sa.func.min(c.seq))).scalar_one_or_none()
    cut = head = START if first is None else Anchor(first - 1, GENESIS)
    seen = 0
    while True:
        found = sa.select(audit).where(c.seq > seen).order_by(c.seq).limit(BATCH)
        rows = connection.execute(found).mappings().all()
        if not rows:
            return cut, head
        for row in rows:
            seen = row["seq"]
            new = entry(head, _act(dict(row)))
            head = Anchor(new.seq, new.hash)
            values = {"seq": new.seq, "prev_hash": new.prev_hash, "hash": new.hash}
            connection.execute(sa.update(audit).where(c.seq == seen).values(values))


def _act(row: dict[str, Any]) -> Act:
    names = ("at_ms", "actor", "role", "action", "object")
    detail: dict[str, Any] = msgspec.msgpack.decode(row["detail"])
    return Act(**{name: row[name] for name in names}, detail=detail)
