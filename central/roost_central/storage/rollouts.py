"""Rollouts with their jobs and approvals; kept after their end."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.rollout.head import Head
from roost_central.rollout.job import Job
from roost_central.rollout.table import ROLLOUT_ENDS, Kind, RolloutState
from roost_central.rollout.wanted import GIVEN_UP, HALTED, HAVING
from roost_central.storage import tables
from roost_central.storage.rows import row_of
from roost_central.storage.upsert import insert_rows, upsert
from roost_protocol.order import body_digest
from roost_protocol.release.approval import SignedApproval

PAGE_MAX: Final = 200
NAMED_MAX: Final = 500  # in one statement

_encode: Final = msgspec.msgpack.Encoder().encode
_heads: Final = msgspec.msgpack.Decoder(Head)
_jobs: Final = msgspec.msgpack.Decoder(Job)


@dataclass(frozen=True, slots=True)
class ApprovalRecord:
    """An approval as kept; ``by`` is the account that brought it."""

    rollout: str
    operator: str
    digest: str
    at_ms: int
    by: str
    approval: bytes
    signature: bytes

    @property
    def signed(self) -> SignedApproval:
        """As the signer takes it."""
        return SignedApproval(approval=self.approval, signature=self.signature)


async def add(connection: AsyncConnection, head: Head, plan: bytes, jobs: Iterable[Job]) -> None:
    """Write a new rollout."""
    await insert_rows(connection, tables.rollout, [{**_head_row(head), "plan": plan}])
    rows = [{**_job_row(head.id, job), "offer": b""} for job in jobs]
    await insert_rows(connection, tables.rollout_job, rows)


async def replace(
    connection: AsyncConnection, head: Head, plan: bytes, jobs: Iterable[Job]
) -> None:
    """Write another plan of a rollout, with its jobs; approvals of the one before go."""
    for table in (tables.rollout_job, tables.rollout_approval):
        await connection.execute(delete(table).where(table.c.rollout == head.id))
    row = {**_head_row(head), "plan": plan}
    await connection.execute(
        update(tables.rollout).where(tables.rollout.c.id == row.pop("id")).values(**row)
    )
    rows = [{**_job_row(head.id, job), "offer": b""} for job in jobs]
    await insert_rows(connection, tables.rollout_job, rows)


async def save_head(connection: AsyncConnection, head: Head) -> None:
    """Write where a rollout stands."""
    row = _head_row(head)
    id_ = row.pop("id")
    await connection.execute(update(tables.rollout).where(tables.rollout.c.id == id_).values(**row))


async def save_jobs(
    connection: AsyncConnection,
    rollout: str,
    jobs: Collection[Job],
    offers: Mapping[str, bytes],
) -> None:
    """Write where jobs stand.

    Args:
        connection: of a write transaction.
        rollout: of it.
        jobs: that changed.
        offers: what those of them are offered that are offered anew, by site.
    """
    fresh = [
        {**_job_row(rollout, job), "offer": offers[job.site]} for job in jobs if job.site in offers
    ]
    others = [{**_job_row(rollout, job), "offer": b""} for job in jobs if job.site not in offers]
    await upsert(connection, tables.rollout_job, fresh)
    await upsert(connection, tables.rollout_job, others, keep={"offer"})


async def load_open(connection: AsyncConnection) -> list[tuple[Head, bytes]]:
    """Return the rollouts that are not at their end with their plans, the oldest first."""
    c = tables.rollout.c
    ends = [str(state) for state in ROLLOUT_ENDS]
    chosen = select(c.head, c.plan).where(c.state.not_in(ends)).order_by(c.made_ms, c.id)
    return [(_heads.decode(row.head), row.plan) for row in await connection.execute(chosen)]


async def load_ended(connection: AsyncConnection) -> list[tuple[Head, list[Job]]]:
    """Return rollouts at their end with those of their jobs that still say what a site is to run.

    Of a site and component that is one job, the newest that counts (rollout/wanted.py), however
    many rollouts there were.
    """
    r, j = tables.rollout.c, tables.rollout_job.c
    has = j.state.in_([str(state) for state in HAVING])
    counts = or_(
        and_(r.state == str(RolloutState.COMPLETED), j.state.not_in([str(s) for s in GIVEN_UP])),
        and_(r.state.in_([str(state) for state in HALTED]), has),
    )
    age = func.row_number().over(
        partition_by=(j.site, r.component), order_by=(r.made_ms.desc(), r.id)
    )
    ranked = (
        select(j.rollout, j.body, age.label("age"))
        .join(tables.rollout, r.id == j.rollout)
        .where(counts, r.kind == str(Kind.RELEASE))
        .subquery()
    )
    jobs: dict[str, list[Job]] = {}
    for row in await connection.execute(select(ranked).where(ranked.c.age == 1)):
        jobs.setdefault(row.rollout, []).append(_jobs.decode(row.body))
    ended = select(r.id, r.head).where(r.state.in_([str(state) for state in ROLLOUT_ENDS]))
    return [
        (_heads.decode(row.head), jobs[row.id])
        for row in await connection.execute(ended)
        if row.id in jobs
    ]


async def newer_of(connection: AsyncConnection, head: Head) -> dict[str, str]:
    """Return the sites that newer rollouts of a component came to, each with the newest's id."""
    r, j = tables.rollout.c, tables.rollout_job.c
    chosen = (
        select(j.site, j.rollout, j.body)
        .join(tables.rollout, r.id == j.rollout)
        .where(r.kind == str(head.kind), r.component == head.component, r.made_ms > head.made_ms)
        .order_by(r.made_ms, r.id)
    )
    return {
        row.site: row.rollout
        for row in await connection.execute(chosen)
        if _jobs.decode(row.body).offered_ms
    }


async def newest(connection: AsyncConnection, limit: int = PAGE_MAX) -> list[Head]:
    """Return rollouts, the newest first."""
    c = tables.rollout.c
    chosen = select(c.head).order_by(c.made_ms.desc(), c.id).limit(limit)
    return [_heads.decode(row.head) for row in await connection.execute(chosen)]


async def find(connection: AsyncConnection, rollout: str) -> tuple[Head, bytes] | None:
    """Return one rollout and its plan."""
    c = tables.rollout.c
    row = (await connection.execute(select(c.head, c.plan).where(c.id == rollout))).one_or_none()
    return None if row is None else (_heads.decode(row.head), row.plan)


async def beginning(connection: AsyncConnection, letters: str, limit: int) -> list[str]:
    """Return the ids that begin with some letters of 0-9 a-f, the newest first."""
    c = tables.rollout.c
    chosen = select(c.id).where(c.id.startswith(letters, autoescape=True))
    return [*(await connection.scalars(chosen.order_by(c.made_ms.desc(), c.id).limit(limit)))]


async def jobs_of(connection: AsyncConnection, rollout: str) -> list[Job]:
    """Return the jobs of a rollout, by site."""
    c = tables.rollout_job.c
    rows = await connection.execute(select(c.body).where(c.rollout == rollout).order_by(c.site))
    return [_jobs.decode(row.body) for row in rows]


async def of_sites(connection: AsyncConnection, named: Collection[str]) -> set[str]:
    """Return the rollouts that sites are or were in."""
    c, found = tables.rollout_job.c, set[str]()
    ordered = sorted(named)
    for start in range(0, len(ordered), NAMED_MAX):
        some = ordered[start : start + NAMED_MAX]
        found |= {*(await connection.scalars(select(c.rollout).distinct().where(c.site.in_(some))))}
    return found


async def with_sites(connection: AsyncConnection, named: Collection[str]) -> list[tuple[Head, Job]]:
    """Return the rollouts of releases that sites are or were in, each with the job of one."""
    r, j = tables.rollout.c, tables.rollout_job.c
    found: list[tuple[Head, Job]] = []
    ordered = sorted(named)
    chosen = select(r.head, j.body).join(tables.rollout, r.id == j.rollout)
    chosen = chosen.where(r.kind == str(Kind.RELEASE))
    for start in range(0, len(ordered), NAMED_MAX):
        some = chosen.where(j.site.in_(ordered[start : start + NAMED_MAX]))
        rows = await connection.execute(some)
        found += [(_heads.decode(row.head), _jobs.decode(row.body)) for row in rows]
    return found


async def offer_of_job(connection: AsyncConnection, site: str, digest: str) -> bytes:
    """Return the offer that an order names by its digest; empty: there is none any more."""
    c = tables.rollout_job.c
    for row in await connection.execute(select(c.offer).where(c.site == site)):
        if row.offer and body_digest(row.offer) == digest:
            return bytes(row.offer)
    return b""


async def add_approval(connection: AsyncConnection, record: ApprovalRecord) -> None:
    """Write an approval."""
    await insert_rows(connection, tables.rollout_approval, [row_of(record)])


async def approvals_of(connection: AsyncConnection, rollout: str) -> list[ApprovalRecord]:
    """Return the approvals of a rollout, the oldest first."""
    c = tables.rollout_approval.c
    chosen = select(tables.rollout_approval).where(c.rollout == rollout)
    rows = await connection.execute(chosen.order_by(c.at_ms, c.operator))
    return [ApprovalRecord(**row) for row in rows.mappings()]


def _head_row(head: Head) -> dict[str, object]:
    return {
        "id": head.id,
        "kind": str(head.kind),
        "state": str(head.state),
        "component": head.component,
        "made_ms": head.made_ms,
        "rev": head.rev,
        "head": _encode(head),
    }


def _job_row(rollout: str, job: Job) -> dict[str, object]:
    return {
        "rollout": rollout,
        "site": job.site,
        "wave": job.wave,
        "state": str(job.state),
        "body": _encode(job),
    }
