"""Rollouts of profiles: what they make count, and what nodes keep until their turn.

Staged changes become rollouts of the same id. One that was open rests, and somebody resumes it or
rolls it back; who was in a group that had its turn counts as having it, and is measured.
"""

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

_encode: Final = msgspec.msgpack.Encoder().encode
_OPEN: Final = ("running", "paused", "stopped")
_ENDS: Final = {"aborted": "aborted", "done": "completed", "rolled-back": "rolled_back"}
_NOTHING: Final = _encode({})  # of settings
_EMPTY: Final = _encode([{}, []])  # of a document
_DIGEST_BYTES: Final = 32
_KEY_BYTES: Final = 16
_SHOWN_CHARS: Final = 64


def upgrade() -> None:
    """Add the column and the tables, and turn staged changes into rollouts."""
    op.add_column(
        "rollout", sa.Column("kind", sa.String(), nullable=False, server_default="release")
    )
    op.create_table(
        "rollout_change",
        _rollout("rollout_change"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("rollout", name=op.f("pk_rollout_change")),
    )
    op.create_table(
        "rollout_node",
        _rollout("rollout_node"),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("former_generation", sa.BigInteger(), nullable=False),
        sa.Column("former_digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("rollout", "node", name=op.f("pk_rollout_node")),
    )
    connection = op.get_bind()
    for change in connection.execute(sa.text("SELECT * FROM staged_change")).mappings().all():
        _convert(connection, dict(change))
    op.drop_table("staged_node")
    op.drop_table("staged_change")


def downgrade() -> None:
    """Remove them; what became a rollout of a staged change is none any more."""
    op.create_table(
        "staged_change",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("made_ms", "changed_ms")),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("by", "reason")),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("profiles", "sizes")),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("stage_ms", sa.BigInteger(), nullable=False),
        sa.Column("synced_ms", sa.BigInteger()),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("soak_ms", "wait_ms")),
        sa.Column("failed_max", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staged_change")),
    )
    op.create_index(op.f("ix_staged_change_state"), "staged_change", ["state"])
    op.create_table(
        "staged_node",
        sa.Column("change", sa.String(), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("former_generation", sa.BigInteger(), nullable=False),
        sa.Column("former_document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["change"],
            ["staged_change.id"],
            name=op.f("fk_staged_node_change_staged_change"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("change", "node", name=op.f("pk_staged_node")),
    )
    op.create_index(op.f("ix_staged_node_node"), "staged_node", ["node"])
    op.execute(sa.text("DELETE FROM rollout WHERE kind = 'profile'"))
    op.drop_table("rollout_node")
    op.drop_table("rollout_change")
    op.drop_column("rollout", "kind")


def _rollout(table: str) -> sa.Column[str]:
    return sa.Column(
        "rollout",
        sa.String(),
        sa.ForeignKey("rollout.id", name=op.f(f"fk_{table}_rollout"), ondelete="CASCADE"),
        nullable=False,
    )


def _convert(connection: sa.Connection, change: dict[str, Any]) -> None:
    """Write a staged change as a rollout."""
    for name in ("profiles", "sizes"):
        if isinstance(change[name], str):  # SQLite has JSON as text
            change[name] = msgspec.json.decode(change[name])
    nodes = connection.execute(
        sa.text("SELECT node, stage, former_generation, former_document FROM staged_node "
                "WHERE change = :change ORDER BY node"),
        {"change": change["id"]},
    ).all()  # fmt: skip
    plan, head, jobs = _plan(change), _head(change), list(_jobs(change, nodes))
    head["plan_digest"] = hashlib.sha256(plan).hexdigest()
    head["sites"] = len(jobs)
    _insert(connection, "rollout", {
        "id": change["id"], "kind": "profile", "state": head["state"], "component": "profile",
        "made_ms": change["made_ms"], "rev": 0, "plan": plan, "head": _encode(head),
    })  # fmt: skip
    texts = {"files": [], "remove": [], "revisions": change["profiles"]}
    _insert(connection, "rollout_change", {"rollout": change["id"], "body": _encode(texts)})
    for job in jobs:
        _insert(connection, "rollout_job", {
            "rollout": change["id"], "site": job["site"], "wave": job["wave"],
            "state": job["state"], "body": _encode(job), "offer": b"",
        })  # fmt: skip
    if change["state"] in {*_OPEN, "aborted"}:
        _keep(connection, change["id"], nodes)


def _keep(connection: sa.Connection, id_: str, nodes: Sequence[Any]) -> None:
    """Write what nodes had before."""
    nothing = hashlib.blake2b(_NOTHING, digest_size=_DIGEST_BYTES).digest()
    found = sa.text("SELECT digest FROM desired_document WHERE key = :key")
    key = hashlib.blake2b(_EMPTY, digest_size=_KEY_BYTES).digest()
    if connection.execute(found, {"key": key}).scalar() is None:
        row = {"key": key, "digest": nothing, "body": zlib.compress(_EMPTY, 6)}
        _insert(connection, "desired_document", row)
    for node in nodes:
        digest = connection.execute(found, {"key": node.former_document}).scalar() or nothing
        _insert(connection, "rollout_node", {
            "rollout": id_, "node": node.node, "former_generation": node.former_generation,
            "former_digest": digest,
        })  # fmt: skip


def _plan(change: dict[str, Any]) -> bytes:
    names = ", ".join(f'"{name}"' for name in sorted(change["profiles"]))
    waves = "".join(f"[[wave]]\ncount = {size}\n" for size in change["sizes"][:-1])
    return (
        f'name = "change {change["id"]}"\nprofiles = [{names}]\napprovers = 0\n'
        "uncovered_ok = true\n[wave_defaults]\nsuccess_pct = 1\nerror_pct = 100\n"
        f"error_abs = {min(change['failed_max'] + 1, 100_000)}\n"
        "rate = {base = 100000, max = 100000}\nsite_soak_s = 0\n"
        f"soak_s = {change['soak_ms'] // 1_000}\ndeadline_h = {change['wait_ms'] / 3_600_000}\n"
        f'gates = {{alarms = "permissive"}}\n{waves}[[wave]]\nrest = true\n'
    ).encode()


def _head(change: dict[str, Any]) -> dict[str, Any]:
    is_open = change["state"] in _OPEN
    names = sorted(change["profiles"])
    last = len(change["sizes"]) - 1
    why = f"it was a change group by group: {change['why'] or change['state']}"
    return {
        "id": change["id"], "kind": "profile", "name": f"change {change['id']}",
        "component": "profile", "version": ", ".join(names)[:_SHOWN_CHARS], "profiles": names,
        "digest": hashlib.sha256(change["id"].encode()).hexdigest(), "size": 0,
        "by": change["by"], "reason": change["reason"], "made_ms": change["made_ms"],
        "changed_ms": change["changed_ms"], "state": _ENDS.get(change["state"], "paused"),
        "pause": "operator" if is_open else None, "why": why if is_open else change["why"],
        "wave": min(change["stage"], last), "waves": list(_waves(change)),
    }  # fmt: skip


def _waves(change: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for stage in range(len(change["sizes"])):
        state = "pending"
        if stage < change["stage"]:
            state = "passed"
        elif stage == change["stage"] and change["state"] in _OPEN:
            state = "running"
        yield {
            "name": f"group {stage + 1}", "state": state, "since_ms": change["stage_ms"],
            "released_ms": 0 if state == "pending" else change["stage_ms"],
        }  # fmt: skip


def _jobs(change: dict[str, Any], nodes: Sequence[Any]) -> Iterator[dict[str, Any]]:
    by_site: dict[str, list[Any]] = {}
    for node in nodes:
        by_site.setdefault(node.node.partition(".")[0], []).append(node)
    for site, some in sorted(by_site.items()):
        stage = some[0].stage
        job = {
            "site": site, "wave": stage, "nodes": [each.node for each in some],
            "former": ["before", "former"], "state": "queued", "since_ms": change["stage_ms"],
        }  # fmt: skip
        if change["state"] == "rolled-back":
            job |= {"state": "succeeded" if stage <= change["stage"] else "canceled"}
            job |= {"is_back": stage <= change["stage"]}
        elif stage < change["stage"] or change["state"] == "done":
            job |= {"state": "succeeded", "touched": True}
        elif stage == change["stage"]:
            # Whether its nodes have it they say themselves; an aborted one waits for nobody.
            state = "applying" if change["state"] in _OPEN else "succeeded"
            job |= {"state": state, "touched": True, "offered_ms": change["stage_ms"]}
        elif change["state"] == "aborted":
            job |= {"state": "canceled"}
        yield job


def _insert(connection: sa.Connection, table: str, row: dict[str, Any]) -> None:
    columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in row]
    connection.execute(sa.insert(sa.table(table, *columns)).values(**row))
