"""What people do with rollouts: make, edit, approve, begin and move one.

Each act is written with what it changes, before anything is sent. Leaves to others: what a rollout
comes to (core.py), who may do it and how it is asked for (api/rollouts.py).
"""

import asyncio
from collections.abc import Callable

import msgspec

from roost_central.access.chain import Act
from roost_central.ports import Clock
from roost_central.rollout import told
from roost_central.rollout.apart import claim_of, in_the_way
from roost_central.rollout.core import Rollout
from roost_central.rollout.head import Head
from roost_central.rollout.open import OpenRollout
from roost_central.rollout.open_rollouts import OpenRollouts
from roost_central.rollout.plan_file import read_plan
from roost_central.rollout.table import MoveError, RolloutState, Who, check
from roost_central.rollout.wanted import removed
from roost_central.rollout.way_back import is_reopened, is_to_go_back
from roost_central.storage import audit, events, rollout_changes, rollouts, sites
from roost_central.storage.engine import Database
from roost_central.storage.rollout_changes import ProfileTexts
from roost_central.storage.rollouts import ApprovalRecord


class RolloutActs:
    """Does what people ask for.

    Args:
        open_: the rollouts that are open.
        database: they are kept in.
        clock: UTC.
        wake: has the rollouts looked at now.
    """

    def __init__(
        self, open_: OpenRollouts, database: Database, clock: Clock, wake: asyncio.Event
    ) -> None:
        self._open = open_
        self._database = database
        self._clock = clock
        self._wake = wake

    async def add(
        self, rollout: Rollout, plan: bytes, act: Act, texts: ProfileTexts | None = None
    ) -> None:
        """Take in a new rollout; ``texts``: of profiles, what it makes count.

        Raises:
            MoveError: one that was made in the same moment has some of its sites or profiles.
            StorageError: it is not written.
        """
        now_ms, head = self._clock.wall_ms(), rollout.head
        async with self._open.moving:
            self._check_apart(rollout)
            async with self._database.write() as connection:
                await rollouts.add(connection, head, plan, rollout.jobs.values())
                if texts is not None:
                    await rollout_changes.save_texts(connection, head.id, texts)
                await events.append(connection, [told.event_of(head, str(head.state), now_ms)])
                await audit.add(connection, act)
            rollout.taken()
            self._open.by_id[head.id] = OpenRollout(rollout, plan, head.rev, now_ms)
        self._wake.set()

    async def edit(self, id_: str, rev: int, after: Rollout, plan: bytes, act: Act) -> None:
        """Give a rollout that has not begun another plan; what was signed for it is void.

        Args:
            id_: of the rollout.
            rev: as it was read.
            after: the rollout of the new plan.
            plan: its file.
            act: of who does it.

        Raises:
            NotFoundError: no such rollout is open.
            MoveError: it has begun, was changed meanwhile, or another has some of its sites by now.
            StorageError: it is not written.
        """
        async with self._open.moving:
            now_ms, before = self._clock.wall_ms(), self._open.known(id_).rollout.head
            check(before.state, RolloutState.DRAFT, Who.OPERATOR)
            if before.rev != rev:
                raise MoveError(f"it is at rev {before.rev} by now, not {rev}: read it again")
            self._check_apart(after)
            after.keep(now_ms, rev=rev + 1, made_ms=before.made_ms)
            head, told_ = after.head, f"edited by {after.head.by}: {after.head.state}"
            async with self._database.write() as connection:
                await rollouts.replace(connection, head, plan, after.jobs.values())
                await events.append(connection, [told.event_of(head, told_, now_ms)])
                await audit.add(connection, act)
            after.taken()
            self._open.by_id[id_] = OpenRollout(after, plan, head.rev, now_ms)
            self._open.tell()
        self._wake.set()

    async def start(self, id_: str, act: Act) -> Head:
        """Begin with the first wave; the texts of profiles count from then on.

        Raises:
            NotFoundError: no such rollout is open.
            MoveError: it is not possible now.
            StorageError: it is not written.
        """
        async with self._open.moving:
            rollout = self._open.known(id_).rollout
            rollout.check_is(RolloutState.SCHEDULED)
            await self._open.carrier(rollout.head).begin(rollout)
        return await self.change(id_, Rollout.start, act)

    async def change(self, id_: str, move: Callable[[Rollout, int], None], act: Act) -> Head:
        """Do what a person asks for, and write it.

        Raises:
            NotFoundError: no such rollout is open.
            MoveError: it is not possible now.
            StorageError: it is not written.
        """
        async with self._open.moving:
            known = self._open.by_id.get(id_) or await self._aborted(id_)
            now_ms = self._clock.wall_ms()
            before = known.rollout.head
            move(known.rollout, now_ms)
            self._open.by_id[id_] = known
            await self._open.write(known, [], act=act, is_forced=known.rollout.head != before)
            self._open.tell()
        self._wake.set()
        return known.rollout.head

    async def approve(self, id_: str, record: ApprovalRecord, act: Act) -> None:
        """Take in an operator's approval; with enough of them the rollout may start.

        Raises:
            NotFoundError: no such rollout is open.
            MoveError: this operator approved it already, or nobody is waited for.
            StorageError: it is not written.
        """
        async with self._open.moving:
            known = self._open.known(id_)
            async with self._database.read() as connection:
                before = await rollouts.approvals_of(connection, id_)
            if any(
                (each.operator, each.digest) == (record.operator, record.digest) for each in before
            ):
                raise MoveError(f"{record.operator} approved this release already")
            digest = known.rollout.head.digest
            have = {each.operator for each in (*before, record) if each.digest == digest}
            async with self._database.write() as connection:
                await rollouts.add_approval(connection, record)
                await audit.add(connection, act)
            is_enough = len(have) >= known.rollout.head.approvers
            if is_enough and known.rollout.head.state is RolloutState.AWAITING_APPROVAL:
                known.rollout.approved(self._clock.wall_ms())
                await self._open.write(known, [])

    async def _aborted(self, id_: str) -> OpenRollout:
        """Return a rollout of a release that was aborted: it can be rolled back still.

        Raises:
            NotFoundError: none of that id is open, or was aborted.
            MoveError: others have its sites by now.
        """
        now_ms = self._clock.wall_ms()
        async with self._database.read() as connection:
            kept = await rollouts.find(connection, id_)
            if kept is None or not is_reopened(kept[0]):
                return self._open.known(id_)  # it is not
            head, plan = kept
            created = {each.site: each.created_ms for each in await sites.load_all(connection)}
            jobs = await rollouts.jobs_of(connection, id_)
            newer = await rollouts.newer_of(connection, head)
        rollout = Rollout(head, read_plan(plan), jobs, now_ms)
        rollout.forget(removed(head, jobs, created), now_ms)
        for other in in_the_way(self._open.by_id, claim_of(rollout)):
            raise MoveError(f"{other}: end that one first")
        for site in newer.keys() & rollout.jobs.keys():
            rollout.put(msgspec.structs.replace(rollout.jobs[site], superseded=newer[site]))
        if not any(map(is_to_go_back, rollout.jobs.values())):
            text = "none of its sites has what it brought, or newer rollouts have them all by now"
            raise MoveError(f"{text}: there is nothing to roll back")
        return OpenRollout(rollout, plan, head.rev, now_ms)

    def _check_apart(self, rollout: Rollout) -> None:
        """Check once more that no other rollout has what this one takes: plans race.

        Raises:
            MoveError: one has.
        """
        for other in in_the_way(self._open.by_id, claim_of(rollout)):
            raise MoveError(f"{other}; it came in between: plan it anew")
