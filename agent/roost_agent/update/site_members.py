"""The nodes of a site by what its local HA knows of them now, for a job: see site_standing.py.

Asks and decides nothing. A member tells where it is with a job in its beats (update_word.py), how
it stands as a host in another number of them, and whom it hears.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from roost_agent.alarm_types import REDUNDANCY_LOST
from roost_agent.ha.config import SITE_LEASE, Slot
from roost_agent.ha.fitness import unfit
from roost_agent.ha.member import THERE, MemberState
from roost_agent.update.site_standing import CLEAN_BEATS, Head, Member, Role, Site
from roost_agent.update.step import HARMLESS, Step
from roost_protocol.configuration import WITNESS
from roost_protocol.host import Admin, Avail
from roost_protocol.host_word import Triple
from roost_protocol.host_word import unpack as host_of
from roost_protocol.update import Offer
from roost_protocol.update_word import unpack

if TYPE_CHECKING:
    from roost_agent.ha.runtime import Runtime
    from roost_agent.host.shell import HostShell

OTHER: Final = Head(Step.END, "succeeded")  # of a node that the job is not for
WELL: Final = frozenset({Avail.AVAILABLE, Avail.ONLINE})
SERVES: Final = frozenset({Avail.AVAILABLE, Avail.DEGRADED})


class SiteMembers:
    """See the module.

    Args:
        site: its name.
        runtime: of local HA.
        host: this host.
    """

    def __init__(self, site: str, runtime: "Runtime", host: "HostShell") -> None:
        self._site_name = site
        self._runtime = runtime
        self._core = runtime.core
        self._host = host
        self._me = runtime.core.who.node
        self._names = {node.index: node.name for node in runtime.config.nodes}
        self._peer_groups = {node.index: node.peer_group for node in runtime.config.nodes}
        self._roles = {node.index: node.role for node in runtime.config.nodes}
        self._asked: dict[int, int] = {}  # job -> since when this node coordinates it
        self._unfit: dict[int, int] = {}  # job -> since when it waits between two nodes

    def forget(self) -> None:
        """Another node coordinates: what was waited for here counts no more."""
        self._asked.clear()
        self._unfit.clear()

    def site(self, offer: Offer, head: Head, mark: int, *, closed: str, hold: str) -> Site:
        """Return the site as it is for a job.

        Args:
            offer: of the job.
            head: of this node.
            mark: of the job, as beats tell it.
            closed: why it is not the time by this node; empty: it is.
            hold: why a person on this node holds it; empty: nobody does.
        """
        now_ms = self._runtime.now_ms()
        members = [self._member(index, offer, head, mark) for index in self._names]
        heads = [each.head for each in members if each.head is not None]
        is_at_work = any(map(_is_at_work, heads))
        lost = any(key[0] == REDUNDANCY_LOST for key in self._runtime.conditions)
        loss = "" if is_at_work or not lost else "the site has lost redundancy"
        unsynced = "" if is_at_work else next(self._unsynced(), "")
        is_between = any(head.committed for head in heads)
        if is_between and (loss or unsynced):
            self._unfit.setdefault(mark, now_ms)
        else:
            self._unfit.pop(mark, None)
        return Site(
            members,
            doubt=next(self._doubts(), ""),
            loss=loss,
            unsynced=unsynced,
            unclean="" if is_at_work else next(self._unwell(), ""),
            window=closed,
            hold=hold,
            asked_ms=self._asked.setdefault(mark, now_ms),
            sync_since_ms=self._unfit.get(mark),
            has_witness=self._core.is_there(WITNESS, now_ms),
        )

    def role(self, index: int) -> Role:
        """Return what a node is for: by the site's file, else by whether it may run a group."""
        said = self._roles[index]
        if said is not None:
            return Role(said)
        return Role.CONTROLLER if self._is_host(index) else Role.WORKER

    def degraded_heir(self) -> str:
        """Return who is degraded and would take what runs here; empty: nobody."""
        for group in self._held(self._me):
            index = self._heir_index(group, self._me)
            stands = None if index is None else self._stands(index)
            if index is not None and stands is not None and stands[2] is Avail.DEGRADED:
                return self._names[index]
        return ""

    def _member(self, index: int, offer: Offer, head: Head, mark: int) -> Member:
        core, now_ms = self._core, self._runtime.now_ms()
        name, is_me = self._names[index], index == self._me
        node = f"{self._site_name}.{name}"
        told = None if is_me else core.members.report(index)
        is_alive = is_me or core.members.state(index) in THERE
        word = None if told is None else unpack(told.update)
        found: Head | None = OTHER
        is_elsewhere = False
        if is_me:
            found = head
        elif word is not None and word.job == mark:
            found = Head(
                Step(word.step),
                word.outcome,
                failure="failed" if word.has_failed else "",
                committed=word.is_committed,
                stuck=word.is_stuck,
                shut=word.is_shut,
                alarm=word.alarm,
            )
        else:
            is_elsewhere = word is not None and _is_at_work(Head(Step(word.step), word.outcome))
            found = None if node in offer.nodes else OTHER
        held = self._held(index)
        stands = self._stands(index)
        is_out = is_elsewhere or _is_out(stands)
        beats = CLEAN_BEATS
        if not is_me:
            since_ms = now_ms - core.members.since_ms(index)
            beats = min(CLEAN_BEATS, since_ms // core.config.timing.beat_ms)
        return Member(
            node, self.role(index), found,
            {group: self._heir(group, index) for group in held},
            peer_group=("" if self._is_host(index) else self._peer_groups[index]) or "",
            is_degraded=stands is not None and stands[2] is Avail.DEGRADED,
            is_coordinator=is_me, is_voter=index in core.electorate.voters, is_alive=is_alive,
            is_out=is_out and not (found is not None and _is_at_work(found)), beats=beats,
        )  # fmt: skip

    def _doubts(self) -> Iterator[str]:
        """Yield why it is not sure who is there: suspicion, a cut between two, two coordinators."""
        members = self._core.members
        states = {i: members.state(i) for i in self._names if i != self._me}
        there = {self._me, *(index for index, state in states.items() if state in THERE)}
        for index, state in states.items():
            if state is MemberState.SUSPECT:
                yield f"not sure of {self._names[index]}"
        for index in sorted(there - {self._me}):
            told = members.report(index)
            if told is None:
                continue
            if SITE_LEASE in told.holds:
                yield f"{self._names[index]} says that it coordinates the site, too"
            deaf = [self._names[o] for o in sorted(there - {index}) if not told.seen.get(o)]
            if deaf:
                yield f"{self._names[index]} does not hear {', '.join(deaf)}"

    def _unsynced(self) -> Iterator[str]:
        """Yield which group has nobody who could take it over, though it is to have somebody."""
        for index in self._names:
            for group in self._held(index):
                said = self._core.config.group(group)
                is_spared = isinstance(said, Slot) and not said.spares
                if not is_spared and self._heir(group, index) is None:
                    yield f"nobody could take {group} from {self._names[index]}"

    def _unwell(self) -> Iterator[str]:
        """Yield which node is not well by its own word."""
        for index, name in self._names.items():
            state = self._stands(index)
            if state is not None and state[2] not in WELL:
                yield f"{name} is {state[2]}"

    def _held(self, index: int) -> list[str]:
        leases = self._core.leases
        if index == self._me:
            return [n for n, each in leases.items() if each.is_held and n != SITE_LEASE]
        told = self._core.members.report(index)
        return [] if told is None else [name for name in told.holds if name != SITE_LEASE]

    def _heir(self, group: str, holder: int) -> str | None:
        """Return who would take a group; None: nobody could."""
        index = self._heir_index(group, holder)
        return None if index is None else f"{self._site_name}.{self._names[index]}"

    def _heir_index(self, group: str, holder: int) -> int | None:
        """Return who would, as local HA chooses: in the order of its hosts, one that joins last."""
        core = self._core
        fit = [
            host
            for host in core.hosts.get(group, ())
            if host != holder
            and not (core.bar(group) if host == self._me else unfit(core.members, host, group))
        ]
        is_joining = {h: core.members.state(h) is MemberState.JOINING for h in fit if h != self._me}
        return min(fit, key=lambda host: is_joining.get(host, False), default=None)

    def _is_host(self, index: int) -> bool:
        return any(index in hosts for name, hosts in self._core.hosts.items() if name != SITE_LEASE)

    def _stands(self, index: int) -> Triple | None:
        """Return how a node says that it stands as a host; None: it does not."""
        if index == self._me:
            return self._host.core.state
        told = self._core.members.report(index)
        return None if told is None else host_of(told.host).state


def _is_at_work(head: Head) -> bool:
    return head.step not in HARMLESS and not head.outcome


def _is_out(state: Triple | None) -> bool:
    """Say whether a host serves nothing: it is locked, failed, or not enabled yet."""
    return state is not None and (state[0] is Admin.LOCKED or state[2] not in SERVES)
