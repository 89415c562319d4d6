"""A site by its local HA, as an update needs it: who coordinates, where each node is, who may go.

Each node tells in its beats where it is with the job; whoever holds the lease ``site`` derives from
all of them who goes on (site_job.py) and says so in its own beats. Nothing else is kept: another
coordinator hears the same beats and derives the same. Each node judges its own times and holds.

Leaves to others: what is seen of the others (site_members.py), what they lend (site_lan.py), to
give away what runs here, and to lock and unlock the host (host/acts.py).
"""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from roost_agent.alarms.row import Row
from roost_agent.ha import core_events as ev
from roost_agent.ha.config import SITE_LEASE
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.member import THERE
from roost_agent.host.act import SWACT, UNLOCK, ActRefusedError, Wanted
from roost_agent.update.restriction import shown
from roost_agent.update.site_blocks import Block, keeps
from roost_agent.update.site_job import Phase as JobPhase
from roost_agent.update.site_job import Verdict, decide
from roost_agent.update.site_lan import NO_LAN, Lan, SiteLan
from roost_agent.update.site_members import SiteMembers
from roost_agent.update.site_standing import Head, Role, job_of
from roost_protocol.host import Admin
from roost_protocol.topics import split_node_id
from roost_protocol.update import Offer, WaitReason
from roost_protocol.update_word import UpdateWord, job_mark, pack, unpack

if TYPE_CHECKING:
    from roost_agent.ha.runtime import Runtime
    from roost_agent.host.on_demand import ActsOnDemand
    from roost_agent.host.shell import HostShell

LOCK: Final = "host-lock"
BY: Final = "an update"
DRAIN_POLL_S: Final = 2.0


class InSite:
    """See the module.

    Args:
        site: its name.
        runtime: of local HA.
        host: this host.
        acts: on it.
        lan: see there.
    """

    def __init__(
        self, site: str, runtime: "Runtime", host: "HostShell", acts: "ActsOnDemand",
        *, lan: Lan = NO_LAN,
    ) -> None:  # fmt: skip
        self._site_name = site
        self._runtime = runtime
        self._core = runtime.core
        self._host = host
        self._acts = acts
        self._members = SiteMembers(site, runtime, host)
        self._me = runtime.core.who.node
        self._names = {node.index: node.name for node in runtime.config.nodes}
        self._told = (0, 0, 0)
        lan_here = SiteLan(site, runtime, lan)
        self.near = lan_here.near
        self.lending = lan_here.lending

    @property
    def role(self) -> Role:
        """What this node is for."""
        return self._members.role(self._me)

    def ask(  # noqa: PLR0913 - what one node tells the others
        self, offer: Offer, head: Head, *, takes_down: bool, closed: str, hold: str,
        is_reached: bool = False, is_own: bool = False, alarm: Row | None = None,
    ) -> tuple[int, Verdict]:  # fmt: skip
        """Return the coordinator's epoch, and where the site's job is.

        Args:
            offer: of the job.
            head: of this node.
            takes_down: the release drains or boots.
            closed: why it is not the time by this node; empty: it is.
            hold: why a person on this node holds it; empty: nobody does.
            is_reached: this node beats on a path, those of local HA apart.
            is_own: a window of this node's own is what is closed, which binds nobody else.
            alarm: that stands here and the plan's word does not let pass; None: none does.
        """
        head = replace(head, shut=is_own and bool(closed), alarm=shown(alarm))
        mark = job_mark(offer.job, offer.attempt)
        word = pack(
            UpdateWord(
                mark, str(head.step), head.outcome, bool(head.failure), head.committed, head.stuck,
                is_reached, head.shut, "" if alarm is None else alarm.type,
            )
        )  # fmt: skip
        lease = self._core.leases.get(SITE_LEASE)
        if lease is None:
            self._tell(word, 0, 0)
            return 0, _wait(WaitReason.QUORUM, "local HA only starts here")
        epoch = lease.belief(self._runtime.now_ms()).epoch
        if lease.phase != Phase.HOLDING:
            self._members.forget()
            self._tell(word, 0, 0)
            keeps_me = self._keeps_me(offer, head, closed=closed, hold=hold)
            return epoch, self._follow(lease.holder, mark, keeps_me)
        now_ms = self._runtime.now_ms()
        job = job_of(offer, takes_down=takes_down)
        shut = "" if is_own else closed
        site = self._members.site(offer, head, mark, closed=shut, hold=hold)
        verdict = decide(job, site, now_ms)
        if head.shut and verdict.why is WaitReason.WINDOW:
            verdict = replace(verdict, sentence=f"{verdict.sentence}: {closed}")
        self._tell(word, self._mask(verdict.go), self._mask(verdict.back))
        return epoch, verdict

    @property
    def _node(self) -> str:
        return f"{self._site_name}.{self._names[self._me]}"

    def _keeps_me(self, offer: Offer, head: Head, *, closed: str, hold: str) -> Block | None:
        """Return why this node does not go though it is let, by what it sees itself."""
        if hold:
            return WaitReason.HOLD, f"held on this node {hold}"
        if closed:
            return WaitReason.WINDOW, closed
        if head.alarm:
            return WaitReason.HEALTH, keeps(head.alarm, self._node, offer.alarms)
        return None

    def _follow(self, holder: int | None, mark: int, keeps_me: Block | None) -> Verdict:  # noqa: PLR0911 - one rule, one return
        """Return what the coordinator's last beat says to this node."""
        if holder is None or holder not in self._names or holder == self._me:
            return _wait(WaitReason.QUORUM, "nobody coordinates the site now")
        name = self._names[holder]
        told = self._core.members.report(holder)
        if told is None or self._core.members.state(holder) not in THERE:
            return _wait(WaitReason.QUORUM, f"{name}, which coordinates the site, is not heard")
        theirs = unpack(told.update)
        if theirs is None or theirs.job != mark:
            text = f"{name} coordinates the site and does not know of this job"
            return _wait(WaitReason.QUORUM, text)
        if told.backs >> self._me & 1:
            text = f"{name} sends it back: another node failed, or none stands by in time"
            return Verdict(JobPhase.APPLYING, back=(self._node,), sentence=text)
        if keeps_me is not None:
            return _wait(*keeps_me)
        if told.lets >> self._me & 1:
            return Verdict(JobPhase.APPLYING, go=(self._node,), sentence=f"{name} lets it go on")
        return _wait(WaitReason.LOCK, f"waits for {name}, which coordinates the site")

    def view(self) -> str:
        """Return why this node has not its place in the site; empty: it has.

        What local HA has it for is known, and who coordinates is heard and hears it.
        """
        leases, members = self._core.leases, self._core.members
        unknown = [name for name, each in leases.items() if each.phase == Phase.UNKNOWN]
        if unknown or SITE_LEASE not in leases:
            return "local HA does not know yet what this node is for"
        lease = leases[SITE_LEASE]
        if lease.is_held:
            return ""
        holder = lease.belief(self._runtime.now_ms()).holder
        if holder is None or holder not in self._names or members.state(holder) not in THERE:
            return "who coordinates the site is not heard"
        told = members.report(holder)
        if told is None or not told.seen.get(self._me):
            return f"{self._names[holder]}, which coordinates the site, does not hear this node"
        return ""

    @property
    def is_cut_off(self) -> bool:
        """Whether no node that is heard here is reached, and one at least says so.

        Then the site's way out is gone, which is no fault of a release on this node.
        """
        words = [
            unpack(told.update)
            for index in self._names
            if index != self._me
            and self._core.members.state(index) in THERE
            and (told := self._core.members.report(index)) is not None
        ]
        said = {word.is_reached for word in words if word is not None} - {None}
        return said == {False}

    def _mask(self, nodes: tuple[str, ...]) -> int:
        wanted = {split_node_id(each)[1] for each in nodes}
        return sum(1 << index for index, name in self._names.items() if name in wanted)

    def _tell(self, word: int, lets: int, backs: int) -> None:
        if (word, lets, backs) != self._told:
            self._told = (word, lets, backs)
            self._runtime.tell(ev.UpdateIs(word, lets, backs))

    async def drain(self) -> str:
        """Wait until the site can spare this node; the step's deadline ends it.

        Nothing that runs here is given to a host that is degraded: local HA would refuse that.
        """
        while self._host.site.may_go() or self._members.degraded_heir():  # noqa: ASYNC110 - beats change it, nothing is set
            await asyncio.sleep(DRAIN_POLL_S)
        return ""

    @property
    def is_locked(self) -> bool:
        """Whether this host is locked by somebody already."""
        return self._host.core.state[0] is Admin.LOCKED

    @property
    def holds_lease(self) -> bool:
        """Whether anything runs here that another node has to take first."""
        return bool(self._host.site.held())

    async def hand_over(self) -> str:
        """Give away what runs here."""
        return await self._acted(SWACT)

    async def lock(self) -> str:
        """Take this host out of service."""
        return "" if self.is_locked else await self._acted(LOCK)

    async def unlock(self) -> str:
        """Let it serve again."""
        return await self._acted(UNLOCK) if self.is_locked else ""

    async def _acted(self, verb: str) -> str:
        try:
            await self._acts.do(Wanted(verb, BY, "a software update"))
        except ActRefusedError as err:
            return str(err)
        return ""


def _wait(why: WaitReason, sentence: str) -> Verdict:
    return Verdict(JobPhase.WAITING, why=why, sentence=sentence)
