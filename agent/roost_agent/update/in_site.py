"""A site by its local HA, as an update needs it: who coordinates, where each node is, who may go.

Each node tells in its beats where it is with the job; whoever holds the lease ``site`` derives from
all of them who goes on (site_job.py) and says so in its own beats. Nothing else is kept: another
coordinator hears the same beats and derives the same. Each node judges its own times and holds.

Leaves to others: to give away what runs here, and to lock and unlock the host (host/acts.py).
"""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from roost_agent.alarm_types import REDUNDANCY_LOST
from roost_agent.ha import core_events as ev
from roost_agent.ha.config import SITE_LEASE
from roost_agent.ha.fitness import unfit
from roost_agent.ha.lan import lan_of
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.member import THERE, MemberState
from roost_agent.host.act import SWACT, UNLOCK, ActRefusedError, Wanted
from roost_agent.update.hands import Near
from roost_agent.update.site_job import (
    CLEAN_BEATS,
    Apply,
    Head,
    Job,
    Member,
    Role,
    Site,
    Verdict,
    decide,
)
from roost_agent.update.site_job import Phase as JobPhase
from roost_agent.update.step import HARMLESS, Step
from roost_protocol.host import Admin
from roost_protocol.host_word import unpack as host_of
from roost_protocol.topics import split_node_id
from roost_protocol.update import Offer, WaitReason
from roost_protocol.update_word import UpdateWord, job_mark, pack, unpack

if TYPE_CHECKING:
    from roost_agent.enrolled import Enrolled
    from roost_agent.ha.runtime import Runtime
    from roost_agent.host.on_demand import ActsOnDemand
    from roost_agent.host.shell import HostShell

LOCK: Final = "host-lock"
BY: Final = "an update"
DRAIN_POLL_S: Final = 2.0
_HAVING: Final = "staged"  # the step at which a node surely lends
_FETCHING: Final = frozenset({"precheck", "download", "verify"})
OTHER: Final = Head(Step.END, "succeeded")  # of a node that the job is not for


@dataclass(frozen=True, slots=True)
class Lan:
    """How nodes of the site lend each other what they fetched.

    Attributes:
        known: this node's identity; without one it lends and borrows nothing.
        port: of each; 0: they do not.
    """

    known: "Enrolled | None" = None
    port: int = 0


NO_LAN: Final = Lan()


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
        self._lan = lan
        self._me = runtime.core.who.node
        self._names = {node.index: node.name for node in runtime.config.nodes}
        self._told = (0, 0, 0)
        self._asked: dict[int, int] = {}  # job -> since when this node coordinates it

    # -- who goes ------------------------------------------------------------------------------

    def ask(
        self, offer: Offer, head: Head, *, takes_down: bool, closed: str, hold: str
    ) -> tuple[int, Verdict]:
        """Return the coordinator's epoch, and where the site's job is.

        Args:
            offer: of the job.
            head: of this node.
            takes_down: the release drains or boots.
            closed: why it is not the time by this node; empty: it is.
            hold: why a person on this node holds it; empty: nobody does.
        """
        mark = job_mark(offer.job, offer.attempt)
        word = pack(
            UpdateWord(
                mark, str(head.step), head.outcome, bool(head.failure), head.committed, head.stuck
            )
        )
        lease = self._core.leases.get(SITE_LEASE)
        if lease is None:
            self._tell(word, 0, 0)
            return 0, _wait(WaitReason.QUORUM, "local HA only starts here")
        epoch = lease.belief(self._runtime.now_ms()).epoch
        if lease.phase != Phase.HOLDING:
            self._asked.clear()
            self._tell(word, 0, 0)
            return epoch, self._follow(lease.holder, mark, closed, hold)
        now_ms = self._runtime.now_ms()
        job = Job(
            frozenset(offer.nodes), takes_down,
            {
                Role.CONTROLLER: Apply(offer.controllers),
                Role.STORAGE: Apply(offer.storage),
                Role.WORKER: Apply(offer.workers),
            },
            offer.parallel_workers,
        )  # fmt: skip
        site = self._site(offer, head, mark, closed=closed, hold=hold)
        verdict = decide(job, site, now_ms)
        self._tell(word, self._mask(verdict.go), self._mask(verdict.back))
        return epoch, verdict

    def _follow(self, holder: int | None, mark: int, closed: str, hold: str) -> Verdict:  # noqa: PLR0911 - one rule, one return
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
        me = f"{self._site_name}.{self._names[self._me]}"
        if told.backs >> self._me & 1:
            text = "another node of the job failed: this one goes back"
            return Verdict(JobPhase.APPLYING, back=(me,), sentence=text)
        if hold:
            return _wait(WaitReason.HOLD, f"held on this node {hold}")
        if closed:
            return _wait(WaitReason.WINDOW, closed)
        if told.lets >> self._me & 1:
            return Verdict(JobPhase.APPLYING, go=(me,), sentence=f"{name} lets it go on")
        return _wait(WaitReason.LOCK, f"waits for {name}, which coordinates the site")

    def _site(self, offer: Offer, head: Head, mark: int, *, closed: str, hold: str) -> Site:
        now_ms, core = self._runtime.now_ms(), self._core
        members = [self._member(index, offer, head, mark) for index in self._names]
        suspects = [
            name
            for index, name in self._names.items()
            if index != self._me and core.members.state(index) is MemberState.SUSPECT
        ]
        is_at_work = any(each.head is not None and _is_at_work(each.head) for each in members)
        lost = [key for key in self._runtime.conditions if key[0] == REDUNDANCY_LOST]
        return Site(
            members,
            doubt=f"not sure of {', '.join(suspects)}" if suspects else "",
            loss="" if is_at_work or not lost else "the site has lost redundancy",
            window=closed,
            hold=hold,
            asked_ms=self._asked.setdefault(mark, now_ms),
        )

    def _member(self, index: int, offer: Offer, head: Head, mark: int) -> Member:
        core, now_ms = self._core, self._runtime.now_ms()
        name, is_me = self._names[index], index == self._me
        node = f"{self._site_name}.{name}"
        told = None if is_me else core.members.report(index)
        is_alive = is_me or core.members.state(index) in THERE
        word = None if told is None else unpack(told.update)
        found: Head | None = OTHER
        if is_me:
            found = head
        elif word is not None and word.job == mark:
            failure = "failed" if word.has_failed else ""
            step = Step(word.step)
            found = Head(step, word.outcome, failure, word.is_committed, word.is_stuck)
        elif node in offer.nodes:
            found = None
        held = self._held(index)
        is_locked = self._is_locked(index)
        beats = CLEAN_BEATS
        if not is_me:
            since_ms = now_ms - core.members.since_ms(index)
            beats = min(CLEAN_BEATS, since_ms // core.config.timing.beat_ms)
        return Member(
            node, Role.CONTROLLER if self._is_host(index) else Role.WORKER, found,
            {group: self._heir(group, index) for group in held},
            is_coordinator=is_me, is_voter=index in core.electorate.voters, is_alive=is_alive,
            is_out=is_locked and not (found is not None and _is_at_work(found)), beats=beats,
        )  # fmt: skip

    def _held(self, index: int) -> list[str]:
        leases = self._core.leases
        if index == self._me:
            return [n for n, each in leases.items() if each.is_held and n != SITE_LEASE]
        told = self._core.members.report(index)
        return [] if told is None else [name for name in told.holds if name != SITE_LEASE]

    def _heir(self, group: str, holder: int) -> str | None:
        """Return who would take a group, by the order of its hosts; None: nobody could."""
        core = self._core
        for host in core.hosts.get(group, ()):
            if host == holder:
                continue
            bar = core.bar(group) if host == self._me else unfit(core.members, host, group)
            if not bar:
                return f"{self._site_name}.{self._names[host]}"
        return None

    def _is_host(self, index: int) -> bool:
        return any(index in hosts for name, hosts in self._core.hosts.items() if name != SITE_LEASE)

    def _is_locked(self, index: int) -> bool:
        if index == self._me:
            return self._host.core.state[0] is Admin.LOCKED
        told = self._core.members.report(index)
        state = None if told is None else host_of(told.host).state
        return state is not None and state[0] is Admin.LOCKED

    def _mask(self, nodes: tuple[str, ...]) -> int:
        wanted = {split_node_id(each)[1] for each in nodes}
        return sum(1 << index for index, name in self._names.items() if name in wanted)

    def _tell(self, word: int, lets: int, backs: int) -> None:
        if (word, lets, backs) != self._told:
            self._told = (word, lets, backs)
            self._runtime.tell(ev.UpdateIs(word, lets, backs))

    # -- what the site has -----------------------------------------------------------------------

    def near(self, offer: Offer) -> Near:
        """Return where the release may be had in the site, and who fetches it for all.

        The coordinator does, where the job is for it; else the first of the job that is there.
        """
        if not self._lends:
            return Near()
        mark = job_mark(offer.job, offer.attempt)
        words = {index: self._word(index, mark) for index in self._names if index != self._me}
        mirrors = [
            f"{self._names[index]}@{address}:{self._lan.port}"
            for index, word in words.items()
            if word is not None
            and word.step == _HAVING
            and not word.outcome
            and (address := self._address(index))
        ]
        done = {index for index, word in words.items() if word is not None and word.is_committed}
        fetcher = self._fetcher(offer, done)
        if mirrors or fetcher is None or fetcher == self._me:
            return Near(mirrors)
        word = words[fetcher]
        is_at_it = word is None or word.step in _FETCHING
        return Near(fetcher=self._names[fetcher] if is_at_it else "")

    def lending(self) -> tuple[str, ...]:
        """Return the options of the child that lends."""
        address, lan = self._address(self._me), lan_of(self._lan.known)
        if not self._lends or not address or lan is None:
            return ()
        nodes = self._runtime.config.nodes
        members = ",".join(lan.user(each.name, each.box) for each in nodes)
        return (f"--address={address}", f"--port={self._lan.port}", f"--members={members}")

    @property
    def _lends(self) -> bool:
        return bool(self._lan.port) and self._lan.known is not None

    def _word(self, index: int, mark: int) -> UpdateWord | None:
        told = self._core.members.report(index)
        if told is None or self._core.members.state(index) not in THERE:
            return None
        word = unpack(told.update)
        return word if word is not None and word.job == mark else None

    def _fetcher(self, offer: Offer, done: set[int]) -> int | None:
        """Return who fetches for all of those that are there and not done; None: nobody is."""
        there = [
            index
            for index, name in self._names.items()
            if f"{self._site_name}.{name}" in offer.nodes
            and index not in done
            and (index == self._me or self._core.members.state(index) in THERE)
        ]
        lease = self._core.leases.get(SITE_LEASE)
        holder = None if lease is None else lease.belief(self._runtime.now_ms()).holder
        return holder if holder in there else min(there, default=None)

    def _address(self, index: int) -> str:
        """Return where a node is on the site's first network."""
        name = self._names[index]
        addresses = self._runtime.config.node(name).address
        networks = (each.name for each in self._runtime.config.networks)
        return next((addresses[each] for each in networks if each in addresses), "")

    # -- this node's place; see hands.Site -----------------------------------------------------

    async def drain(self) -> str:
        """Wait until the site can spare this node; the step's deadline ends it."""
        while self._host.site.may_go():  # noqa: ASYNC110 - beats change it, nothing is set
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


def _is_at_work(head: Head) -> bool:
    return head.step not in HARMLESS and not head.outcome
