"""A site by its local HA, as an update needs it: who coordinates, where each node is, who may go.

Each node tells in its beats where it is with the job; whoever holds the lease ``site`` derives from
all of them who goes on (site_job.py) and says so in its own beats. Nothing else is kept: another
coordinator hears the same beats and derives the same. Each node judges its own times and holds.

Leaves to others: what is seen of the others (site_members.py), what they lend (site_lan.py), and to
take this node out of service (out_of_service.py).
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from roost_agent.alarms.row import Row
from roost_agent.ha import core_events as ev
from roost_agent.ha.config import SITE_LEASE
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.member import THERE
from roost_agent.update.restriction import shown
from roost_agent.update.site_blocks import Block, keeps
from roost_agent.update.site_job import Phase as JobPhase
from roost_agent.update.site_job import Verdict, decide
from roost_agent.update.site_lan import NO_LAN, Lan, SiteLan
from roost_agent.update.site_members import SiteMembers
from roost_agent.update.site_standing import Head, Role, job_of
from roost_protocol.topics import split_node_id
from roost_protocol.update import Offer, WaitReason
from roost_protocol.update_word import UpdateWord, job_mark, pack, unpack

if TYPE_CHECKING:
    from roost_agent.ha.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Here:
    """What one node says for itself when it asks whether it may go on.

    Attributes:
        takes_down: the release drains or boots.
        closed: why it is not the time by this node; empty: it is.
        is_own: a window of this node's own is what is closed, which binds nobody else.
        hold: why a person on this node holds it; empty: nobody does.
        alarm: that stands here and the plan's word does not let pass; None: none does.
        is_reached: this node beats on a path, those of local HA apart.
    """

    takes_down: bool
    closed: str = ""
    is_own: bool = False
    hold: str = ""
    alarm: Row | None = None
    is_reached: bool = False


class SiteUpdate:
    """See the module.

    Args:
        site: its name.
        runtime: of local HA.
        members: of the site.
        lan: see there.
    """

    def __init__(
        self, site: str, runtime: "Runtime", members: SiteMembers, *, lan: Lan = NO_LAN
    ) -> None:
        self._site_name = site
        self._runtime = runtime
        self._core = runtime.core
        self._members = members
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

    def ask(self, offer: Offer, head: Head, here: Here) -> tuple[int, Verdict]:
        """Return the coordinator's epoch, and where the site's job is.

        Args:
            offer: of the job.
            head: of this node.
            here: what it says besides.
        """
        head = replace(head, shut=here.is_own and bool(here.closed), alarm=shown(here.alarm))
        mark = job_mark(offer.job, offer.attempt)
        word = pack(
            UpdateWord(
                mark, str(head.step), head.outcome, bool(head.failure), head.committed, head.stuck,
                here.is_reached, head.shut, "" if here.alarm is None else here.alarm.type,
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
            keeps_me = self._keeps_me(offer, head, here)
            return epoch, self._follow(lease.holder, mark, keeps_me)
        now_ms = self._runtime.now_ms()
        job = job_of(offer, takes_down=here.takes_down)
        shut = "" if here.is_own else here.closed
        site = self._members.site(offer, head, mark, closed=shut, hold=here.hold)
        verdict = decide(job, site, now_ms)
        if head.shut and verdict.why is WaitReason.WINDOW:
            verdict = replace(verdict, sentence=f"{verdict.sentence}: {here.closed}")
        self._tell(word, self._mask(verdict.go), self._mask(verdict.back))
        return epoch, verdict

    @property
    def _node(self) -> str:
        return f"{self._site_name}.{self._names[self._me]}"

    def _keeps_me(self, offer: Offer, head: Head, here: Here) -> Block | None:
        """Return why this node does not go though it is let, by what it sees itself."""
        if here.hold:
            return WaitReason.HOLD, f"held on this node {here.hold}"
        if here.closed:
            return WaitReason.WINDOW, here.closed
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


def _wait(why: WaitReason, sentence: str) -> Verdict:
    return Verdict(JobPhase.WAITING, why=why, sentence=sentence)
