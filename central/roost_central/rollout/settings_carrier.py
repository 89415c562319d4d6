"""Rollouts of profiles among the others: what is done as one begins, goes on, and ends.

Leaves to others: what a rollout comes to (core.py), what profiles make of nodes (profiles/), and
how nodes are told (delivery/).

Invariants: texts count from the rollout's start, and each node keeps what it had until its turn;
once a rollout went back the former texts count again, before anybody is let have anything else.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from roost_central.access.chain import Act
from roost_central.delivery.runner import DeliveryRunner
from roost_central.errors import CentralError, NotFoundError, RevisionConflictError
from roost_central.ports import Clock
from roost_central.profiles.change import Wanted
from roost_central.profiles.desk import Approval, ProfileDesk
from roost_central.profiles.draft import Plan
from roost_central.profiles.source import ProfileError
from roost_central.rollout.core import Rollout
from roost_central.rollout.head import Head, Sight
from roost_central.rollout.job import Job
from roost_central.rollout.open import OpenRollout
from roost_central.rollout.outgoing import Sending
from roost_central.rollout.settings_sight import SettingsSight
from roost_central.rollout.sight import job_for
from roost_central.rollout.table import MoveError, RolloutState
from roost_central.storage import profiles, rollout_changes, rollouts
from roost_central.storage.engine import Database
from roost_protocol.topics import split_node_id

logger = logging.getLogger(__name__)

BY: Final = "central"
SECTIONS_NAMED_MAX: Final = 100  # characters


class SettingsCarrier:
    """Brings what rollouts of profiles send.

    Attributes:
        sites: what is known of sites by their nodes' settings.
        holding: the nodes that are held back.
    """

    def __init__(
        self,
        database: Database,
        desk: ProfileDesk,
        deliveries: DeliveryRunner,
        sight: SettingsSight,
        clock: Clock,
    ) -> None:
        self.sites = sight
        self.holding = desk.holding
        self._database = database
        self._desk = desk
        self._deliveries = deliveries
        self._clock = clock
        self._ended: dict[str, Head] = {}

    async def load(self, created: Mapping[str, int]) -> None:  # noqa: ARG002 - the port has it
        """See Carrier: who is held back."""
        async with self._database.read() as connection:
            for id_, nodes in (await rollout_changes.load_nodes(connection)).items():
                texts = await rollout_changes.texts_of(connection, id_)
                found = await rollouts.find(connection, id_)
                if texts is None or found is None:
                    continue
                self.holding.add(id_, (texts.revisions or {}).keys(), nodes)
                head = found[0]
                self.holding.follow(id_, await rollouts.jobs_of(connection, id_))
                if head.is_ended:
                    self.take_end(head, ())

    async def begin(self, rollout: Rollout) -> None:
        """See Carrier: the texts of a rollout count from now on, and its nodes are held back."""
        head = rollout.head
        if self.holding.has(head.id):
            return  # this process ended in between, or was asked twice
        async with self._database.read() as connection:
            texts = await rollout_changes.texts_of(connection, head.id)
        if texts is None:
            raise MoveError("its texts are not kept here any more: make it anew")
        wanted = Wanted(texts.files, texts.remove)
        approval = Approval(head.by, head.reason or head.name, rollout=head.id)
        plan = await self._applied(wanted, approval, head, "profile.apply")
        self._join(rollout, plan)

    async def look(self, open_: Sequence[OpenRollout]) -> None:
        """See Carrier: what nodes say is seen of each site; a node that comes has what counts."""

    def sight(self, head: Head) -> Sight:
        """See Carrier."""
        return lambda job: self.sites.standing(job, head)

    async def prepared(
        self,
        known: OpenRollout,  # noqa: ARG002 - the port has it
        offered: Sequence[Job],
        now_ms: int,  # noqa: ARG002 - as above
    ) -> Sending:
        """See Carrier: nodes are told what they are to have by the delivery.

        What they refused, of jobs that are offered another time, they are told again.
        """
        again = [node for job in offered if job.attempt > 1 for node in job.nodes]
        if again:
            await self._deliveries.renew(again)
        return Sending()

    def send(
        self,
        known: OpenRollout,
        sending: Sending,  # noqa: ARG002 - it is empty
        changed: Sequence[Job],
    ) -> None:
        """See Carrier: whose turn it is, and whose is not."""
        rollout = known.rollout
        rollout.cancels.clear()  # a job that gives up is held back by its state
        nodes = self.holding.follow(rollout.head.id, changed)
        if nodes:
            self._deliveries.desired_changed(nodes)

    def tell(self, *, is_now: bool) -> None:
        """See Carrier: what nodes should be is the delivery's to tell."""

    async def forget(self, site: str) -> None:
        """See Carrier: who comes by the names of its nodes is not held back."""
        for id_, nodes in self.holding.forget(site).items():
            async with self._database.write() as connection:
                await rollout_changes.drop_nodes(connection, id_, nodes)

    def take_end(self, head: Head, jobs: Iterable[Job]) -> None:  # noqa: ARG002 - the port has it
        """See Carrier: whom it held back is let go with the next turn, or held on."""
        if self.holding.has(head.id):
            self._ended[head.id] = head

    async def settle(self) -> None:
        """See Carrier."""
        for head in list(self._ended.values()):
            match head.state:
                case RolloutState.COMPLETED:
                    await self._let_all(head)
                case RolloutState.ROLLED_BACK:
                    await self._undo(head)
                case _:
                    await self._keep_held(head)
            del self._ended[head.id]

    async def _let_all(self, head: Head) -> None:
        async with self._database.write() as connection:
            await rollout_changes.drop_nodes(connection, head.id)
        self._deliveries.desired_changed(self.holding.drop(head.id))

    async def _keep_held(self, head: Head) -> None:
        """Hold back whom an aborted rollout did not reach, and nobody else."""
        held = {each.node for each in self.holding.held_by(head.id)}
        async with self._database.write() as connection:
            everybody = (await rollout_changes.load_nodes(connection)).get(head.id, [])
            let = [each.node for each in everybody if each.node not in held]
            await rollout_changes.drop_nodes(connection, head.id, let)
        self.holding.end(head.id)

    async def _undo(self, head: Head) -> None:
        """Make the former texts count again; its sites have what these come to already."""
        async with self._database.read() as connection:
            texts = await rollout_changes.texts_of(connection, head.id)
            there = {each.name: each for each in await profiles.load(connection)}
            files, remove = [], []
            for name, revision in ((texts and texts.revisions) or {}).items():
                source = await profiles.source_of(connection, name, revision) if revision else None
                if source is not None:
                    files.append((there[name].file if name in there else f"{name}.toml", source))
                elif name in there:
                    remove.append(name)
        approval = Approval(BY, f"rollout {head.name} went back", undoes=head.id)
        try:
            await self._applied(Wanted(files, remove), approval, head, "rollout.former-texts")
        except MoveError as err:
            logger.error("rollout %s: its nodes are held as they were: %s", head.id, err)  # noqa: TRY400 - its text says all
            await self._keep_held(head)

    async def _applied(self, wanted: Wanted, approval: Approval, head: Head, action: str) -> Plan:
        def note(plan: Plan) -> Act:
            told = {"outcomes": plan.outcomes, "nodes": plan.changed, "rollout": head.id}
            return Act(self._clock.wall_ms(), BY, "system", action, head.id, told, approval.reason)

        try:
            return await self._desk.apply(wanted, lambda _profile: None, approval, note)
        except ProfileError as err:
            first = err.faults[0]
            raise MoveError(
                f"its texts do not fit any more: {first.where}: {first.detail}"
            ) from err
        except (NotFoundError, RevisionConflictError) as err:
            raise MoveError(why_not(err)) from err

    def _join(self, rollout: Rollout, plan: Plan) -> None:
        """Take in sites whose nodes came to change since the plan, into the last wave."""
        by_site: dict[str, list[str]] = {}
        for node in plan.nodes:
            by_site.setdefault(split_node_id(node)[0], []).append(node)
        last, late = len(rollout.head.waves) - 1, []
        for site, nodes in by_site.items():
            able = self.sites.able(nodes)
            if site not in rollout.jobs and able:
                seen = self.sites.candidate(site, able, "", (), is_exposed=False)
                rollout.put(job_for(seen, last))
                late.append(site)
        if late:
            rollout.news.append(f"{len(late)} sites joined since it was made, {late[0]} first")


def why_not(err: CentralError) -> str:
    """Return why a change of profiles is not taken now, and what to do."""
    match err.code:
        case "rollout":
            return (
                f"rollout {err.field} is under way with these profiles or nodes: let it end, or "
                f"roll it back (roost rollout show {err.field})"
            )
        case _:
            return f"another change of profiles came in between: {err}"


def short(sections: Sequence[str]) -> str:
    """Return the sections that change, as one word for a kind of site."""
    return "+".join(sorted({*sections}))[:SECTIONS_NAMED_MAX]
