"""Nodes that are at work on what was given up while they were silent: they are told once heard.

A rollout ends without the sites that are silent, and what it asked of them goes to nobody. Back
again, such a site works on, and puts the next release off. So a node that is heard, and whose
newest word is that it is at work on a job that was given up, is asked to give that up.

Leaves to others: how it is asked (outgoing.py).

Invariants:
- nobody is asked to give up what a rollout waits for, or what this centre does not know;
- a node is asked TELLS_MAX times for one job, each time twice as long after the one before.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

import msgspec

from roost_central.fleet.view import FleetView, NodeRow
from roost_central.rollout.head import Head
from roost_central.rollout.job import ANSWER_MS, AT_WORK, Job, job_id
from roost_central.rollout.open import OpenRollout
from roost_central.rollout.sight import HEARD
from roost_central.rollout.table import JobState, RolloutState
from roost_central.rollout.wanted import HAVING
from roost_central.storage import rollouts
from roost_central.storage.engine import Database
from roost_protocol.update import SiteState

TELLS_MAX: Final = 5  # over 75 min; then the job's own time ends it
LOOK_MS: Final = 10_000  # between looks at the fleet
LOOK_MAX: Final = 500  # nodes of one look

J = JobState

_LEFT: Final = frozenset({J.CANCELED, J.SUPERSEDED, J.TIMED_OUT})
_Key = tuple[str, str]  # node and job


@dataclass(slots=True)
class _Tells:
    """How often a node was told of a job, and until when it has time to follow."""

    count: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class GivenUp:
    """What nodes are to give up of a rollout: its jobs, each with these nodes alone."""

    head: Head
    jobs: list[Job]


class Unaware:
    """Finds them.

    Args:
        open_: the rollouts that are open, now and later.
        view: of the fleet.
        database: with all rollouts.
    """

    def __init__(
        self, open_: Mapping[str, OpenRollout], view: FleetView, database: Database
    ) -> None:
        self._open = open_
        self._view = view
        self._database = database
        self._told: dict[_Key, _Tells] = {}
        self._looked_ms: int | None = None

    def tell(self, nodes: Iterable[_Key], now_ms: int) -> None:
        """Take in who is told now, of which job."""
        for key in nodes:
            count = self._count(key) + 1
            self._told[key] = _Tells(count, now_ms + (ANSWER_MS << (count - 1)))

    async def look(self, now_ms: int) -> list[GivenUp]:
        """Return what is to be given up now; nothing between looks.

        Args:
            now_ms: monotonic.

        Raises:
            StorageError: the rollouts of these sites cannot be read.
        """
        if self._looked_ms is not None and now_ms - self._looked_ms < LOOK_MS:
            return []
        self._looked_ms = now_ms
        self._told = {key: each for key, each in self._told.items() if self._is_of(key)}
        due = list(islice(self._due(now_ms), LOOK_MAX))
        given_up = await self._given_up({row.site for row, _ in due})
        nodes: dict[str, list[str]] = {}
        for row, id_ in due:
            if id_ in given_up and not _is_let_end(given_up[id_][0], row):
                nodes.setdefault(id_, []).append(row.node)
            else:  # nobody here gave it up: it is not read again at once
                key = (row.node, id_)
                self._told[key] = _Tells(self._count(key), now_ms + ANSWER_MS)
        found: dict[str, GivenUp] = {}
        for id_, some in nodes.items():
            head, job = given_up[id_]
            heard = msgspec.structs.replace(job, nodes=tuple(some), dark_ms=0)
            found.setdefault(head.id, GivenUp(head, [])).jobs.append(heard)
        return list(found.values())

    def _count(self, key: _Key) -> int:
        told = self._told.get(key)
        return 0 if told is None else told.count

    def _is_of(self, key: _Key) -> bool:
        """Say whether a node's newest word is of a job, and that it is at work on it."""
        row = self._view.nodes.get(key[0])
        said = None if row is None else row.update
        return said is not None and said.job == key[1] and said.state in AT_WORK

    def _due(self, now_ms: int) -> Iterator[tuple[NodeRow, str]]:
        """Yield nodes that are heard and at work on what no rollout waits for, with their job."""
        for row in self._view.nodes.values():
            said = row.update
            if said is None or said.state not in AT_WORK or row.presence not in HEARD:
                continue
            told = self._told.get((row.node, said.job))
            is_due = told is None or (told.count < TELLS_MAX and now_ms >= told.until_ms)
            if is_due and not self._is_waited_for(row.site, said.job):
                yield row, said.job

    def _is_waited_for(self, site: str, id_: str) -> bool:
        """Say whether an open rollout waits for a job."""
        jobs = ((each.rollout.head.id, each.rollout.jobs.get(site)) for each in self._open.values())
        return any(
            job is not None and not is_given_up(job) and job_id(rollout, job) == id_
            for rollout, job in jobs
        )

    async def _given_up(self, sites: set[str]) -> dict[str, tuple[Head, Job]]:
        """Return the jobs of sites that were given up, by their name on the wire."""
        if not sites:
            return {}
        async with self._database.read() as connection:
            found = await rollouts.with_sites(connection, sites)
        given_up: dict[str, tuple[Head, Job]] = {}
        for head, stored in found:
            known = self._open.get(head.id)
            job = stored if known is None else known.rollout.jobs.get(stored.site, stored)
            if job.is_back:  # the way there was given up for the way back
                forth = msgspec.structs.replace(job, is_back=False)
                given_up[job_id(head.id, forth)] = (head, forth)
            if is_given_up(job):
                given_up[job_id(head.id, job)] = (head, job)
        return given_up


def is_given_up(job: Job) -> bool:
    """Say whether nothing of a job is waited for, though its site may be at work on it."""
    if job.state in HAVING:
        return False
    return job.is_canceling or (job.state in _LEFT and not job.due_ms)


def _is_let_end(head: Head, row: NodeRow) -> bool:
    """Say whether a node may finish what goes in: its rollout is done, and wants the release."""
    is_going_in = row.update is not None and row.update.state is SiteState.APPLYING
    return is_going_in and head.state is RolloutState.COMPLETED
