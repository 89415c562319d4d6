"""The hosts of a site as one of them sees the others: heard, lost, or not to blame. Pure.

Each node keeps this from its agent's start, and the coordinator, which holds the lease ``site``,
tells it: so a new one knows what was said before its turn. Of a host that speaks its own word
counts; of one that is silent, the ticks since; of one that was never heard, whether it was locked
when this node heard it last, before its agent's start, or had been failed for its silence.

Leaves to others: what a host is to itself (core), who may run services (local HA: it acts sooner,
and by majority; nothing here does).

Invariants:
- nobody is failed while several are silent at once: that is the network, or the coordinator;
- nobody is failed while the site powers up;
- nothing is told before this node has listened for QUIET_MS, or has heard them all.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from roost_agent.host import cause as causes
from roost_agent.host import transitions as tr
from roost_agent.host.around import Power
from roost_agent.host.blame import Blame
from roost_agent.host.evidence import MINOR, EvidenceLog
from roost_agent.host.graceful import Graceful
from roost_agent.host.kept import Failed, Locked
from roost_agent.host.moment import Moment
from roost_agent.host.peer import (
    LOST,
    WAIT_TASK,
    Peer,
    again,
    cause,
    is_known,
    mute,
    seen_as,
    task,
    until,
)
from roost_agent.host.policy import USUAL, Failure, Policy
from roost_agent.host.reasons import LAN, SENSOR
from roost_agent.host.resets import Lost
from roost_agent.host.sight import Sight
from roost_agent.host.transitions import HostEvent, Triple
from roost_agent.host.ways import Ways
from roost_protocol.host import TASK_CHARS_MAX, Admin, Evidence, HostSaid

DEGRADE: Final = 6  # ticks missed in a row (StarlingX's count)
GOOD: Final = 10  # ticks heard in a row until a lost host is back
QUIET_MS: Final = 30_000
HEARTBEAT: Final = "heartbeat-ha"
NOBODY: Final = Locked()
ANEW_TASK: Final = "lost again and again: is to run its recovery"
OFF_TASK: Final = "has no power: switch it on, or lock it"
TO_LOCK_TASK: Final = "is to be locked: it was silent then"


class SiteHosts:
    """See the module.

    Args:
        now: when it began to listen.
        policy: what is done about silence.
        kept: what the agent before this one knew of them.
    """

    def __init__(
        self,
        now: Moment,
        policy: Policy = USUAL,
        kept: Locked = NOBODY,
    ) -> None:
        self._log = EvidenceLog()
        self._began_ms = now.ms
        self._policy = policy
        self._blame = Blame(policy, now)
        self._ways = Ways()
        self._peers: dict[str, Peer] = {}
        self._locked = frozenset(kept.names)
        self._absent, self._failed = dict(kept.absent), dict(kept.failed)
        self._graceful = Graceful(kept.tries, now.ms)
        self._has_looked = False

    @property
    def evidence(self) -> Sequence[Evidence]:
        """The last changes of who heard whom, the oldest first."""
        return self._log.kept

    @property
    def silent(self) -> int:
        """How many hosts are over MINOR now."""
        return sum(peer.misses >= MINOR for peer in self._peers.values())

    def may_tell(self, now: Moment) -> bool:
        """Whether it has listened for long enough to tell anything."""
        is_all_heard = not any(peer.is_new or peer.is_kept for peer in self._peers.values())
        return self._has_looked and (is_all_heard or now.ms - self._began_ms >= QUIET_MS)

    def locked(self) -> list[str]:
        """Return the names of those that are locked, as far as this node knows."""
        return sorted(node for node, peer in self._peers.items() if peer.state[0] is Admin.LOCKED)

    def absent(self) -> dict[str, str]:
        """Return those that were locked while they were silent, and do not know it yet."""
        unseen = {} if self._has_looked else self._absent
        return unseen | {node: peer.absent for node, peer in self._peers.items() if peer.absent}

    def memory(self) -> Locked:
        """Return what the agent after this one is to know of the others."""
        return Locked(self.locked(), self.absent(), self._failed_now(), self._graceful.tries)

    def anew(self, now: Moment) -> frozenset[str]:
        """Return those that were lost too often, and are to run their recovery."""
        return self._graceful.asked(now.ms)

    def is_silent(self, node: str) -> bool:
        """Whether a host was not heard in the last tick."""
        return bool(self._peers[node].misses) if node in self._peers else True

    def why_not_lock(self, node: str) -> str:
        """Return why a host cannot be locked without a word of its own; empty: it can."""
        peer = self._peers.get(node)
        if peer is None:
            return f"{node} is no other host of this site"
        if peer.state[0] is Admin.LOCKED:
            return f"{node} is locked already"
        if not peer.misses:
            return f"{node} is heard here: it is ordered of itself"
        if why := self.held_back:
            return f"{node} is silent, and nothing is done about it: {why}"
        if not peer.is_lost:
            return f"{node} is silent for {peer.misses} ticks, and lost after {LOST}: try then"
        return ""

    def lock(self, node: str, said: str, now: Moment) -> None:
        """Lock a host that is silent: it is told when it is heard again.

        Args:
            node: of which ``why_not_lock`` says nothing.
            said: by whom and why.
            now: of this.
        """
        peer = self._peers[node]
        peer.absent, peer.task, peer.reasons = said, "", {}
        self._set(peer, _locked(peer.state), said, now)

    def unlock(self, node: str, state: Triple, cause: str, now: Moment) -> None:
        """Undo a lock that could not be kept."""
        peer = self._peers[node]
        peer.absent = ""
        self._set(peer, state, cause, now)

    def adopt(self, by: str, names: Collection[str], now: Moment) -> None:
        """Take over from who coordinates which hosts were locked while they were silent."""
        for node, peer in self._peers.items():
            if node not in names:
                peer.absent = ""
            elif not peer.absent:
                peer.absent = f"locked by {by}: it was silent then"
                if peer.is_lost and not peer.is_new and peer.state[0] is Admin.UNLOCKED:
                    self._set(peer, _locked(peer.state), peer.absent, now)

    def serving(self) -> list[str]:
        """Return the names of those that are enabled, and not lost where a loss fails nobody."""
        peers = self._peers.items()
        return sorted(node for node, peer in peers if peer.state in tr.ENABLED and not peer.is_lost)

    @property
    def is_mnfa(self) -> bool:
        """Whether several are silent together, so that none is failed."""
        return self._blame.is_mnfa

    @property
    def is_dead_office(self) -> bool:
        """Whether the whole site powered up a moment ago, so that none is failed."""
        return self._blame.is_dead_office

    @property
    def held_back(self) -> str:
        """Why nothing is done about silent hosts; empty: nothing holds back."""
        return self._blame.held_back

    def out(self) -> list[str]:
        """Return those out of service that are silent: a board controller may know more."""
        peers = self._peers.items()
        return [n for n, each in peers if each.is_lost and each.misses and not _serves(each)]

    def powered(self, node: str, read: Power, now: Moment) -> None:
        """Take in what the board controller of a host that is out has read."""
        peer = self._peers[node]
        if read.at_ms <= peer.heard_ms:
            return
        event = HostEvent.POWER if read.is_on else HostEvent.NO_POWER
        if tr.may(event, peer.state):
            peer.task = "" if read.is_on or peer.state[0] is Admin.LOCKED else OFF_TASK
            self._set(peer, tr.after(event, peer.state), causes.power(is_on=read.is_on), now)

    def lost(self, now: Moment) -> list[Lost]:
        """Return those that are failed for their silence, silent still, and in no maintenance."""
        return [
            Lost(node, peer.lost_ms)
            for node, peer in self._peers.items()
            if peer.state == tr.FAILED
            and peer.is_lost
            and peer.misses
            and now.wall_ms >= peer.maintenance_until_ms
        ]

    def in_words(self) -> str:
        """Return how the others stand, for people."""
        words = (f"{node} is {tr.in_words(peer.state)}" for node, peer in self._peers.items())
        return ", ".join(words)

    @property
    def own_bad(self) -> Sequence[str]:
        """The paths by which this host hears nobody, though it hears others."""
        return self._ways.own

    def tick(
        self,
        sights: Iterable[Sight],
        uptime_ms: int,
        now: Moment,
        ill: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Take in a second.

        Args:
            sights: of all other hosts of the site.
            uptime_ms: of this machine.
            now: of this tick.
            ill: hosts with a critical sensor, by what their board controllers read: which.
        """
        seen, self._has_looked = list(sights), True
        self._peers = {
            each.node: self._peers.get(each.node) or self._new(each.node, now) for each in seen
        }
        for each in seen:
            self._count(self._peers[each.node], each, now)
        self._log.tick(seen, now)
        self._ways.tick(seen)
        fresh = sum(peer.misses >= MINOR and not peer.is_lost for peer in self._peers.values())
        known = (peer.uptime_ms for peer in self._peers.values() if is_known(peer))
        self._blame.tick(fresh, [uptime_ms, *known], uptime_ms, now)
        for each in seen:
            peer = self._peers[each.node]
            if each.is_heard:
                self._heard(peer, each, self._marks(each.node, ill), now)
            else:
                self._unheard(peer, each, now)
                mute(peer, now)

    def hosts(self) -> list[HostSaid]:
        """Return all other hosts, as they are told."""
        return [
            HostSaid(
                node=node,
                admin=peer.state[0],
                oper=peer.state[1],
                avail=peer.state[2],
                since_ms=max(peer.since_ms, 0),
                task=peer.task[:TASK_CHARS_MAX],
                reasons=dict(peer.reasons),
                cause=peer.cause,
                boot_id=peer.boot_id,
                uptime_s=peer.uptime_ms // 1000,
                maintenance_until_ms=peer.maintenance_until_ms,
            )
            for node, peer in sorted(self._peers.items())
        ]

    # -- the parts -----------------------------------------------------------------------------

    def _new(self, node: str, now: Moment) -> Peer:
        said = self._absent.get(node, "")
        if said:
            return Peer(tr.LOCKED_OFFLINE, cause=said, absent=said)
        if node in self._locked:
            return Peer(tr.LOCKED_OFFLINE)
        failed = self._failed.pop(node, None)  # of once: who left the site and is back is new
        if failed is None or self._policy.failure is not Failure.FAIL:
            return Peer()
        return again(failed, now)

    def _failed_now(self) -> dict[str, Failed]:
        unseen = {} if self._has_looked else self._failed
        return unseen | {
            node: Failed(peer.since_ms, peer.lost_wall_ms, peer.boot_id, peer.maintenance_until_ms)
            for node, peer in self._peers.items()
            if peer.state == tr.FAILED and peer.is_lost
        }

    def _count(self, peer: Peer, sight: Sight, now: Moment) -> None:
        if sight.is_heard:
            if peer.misses >= MINOR:
                self._log.note(sight.node, f"heard again after {peer.misses} ticks", now)
            peer.misses, peer.good, peer.uptime_ms = 0, peer.good + 1, sight.uptime_ms
            peer.heard_ms = now.ms
        else:
            peer.misses, peer.good = peer.misses + 1, 0
            if peer.misses == MINOR and not peer.is_lost:
                self._log.note(sight.node, f"silent for {MINOR} ticks", now)

    def _marks(self, node: str, ill: Mapping[str, str]) -> dict[str, str]:
        """Return the reasons to be degraded that a host does not know of itself: reason to why."""
        bad = self._ways.bad.get(node, ())
        is_told = self._policy.failure in {Failure.FAIL, Failure.DEGRADE}
        marks = {LAN: f"not heard on {', '.join(bad)}"} if bad and is_told else {}
        return marks | ({SENSOR: ill[node]} if node in ill else {})

    def _heard(self, peer: Peer, sight: Sight, marks: Mapping[str, str], now: Moment) -> None:
        was_silent = peer.reasons.pop(HEARTBEAT, None) is not None or peer.is_lost
        if peer.is_lost and not peer.is_new and peer.good < GOOD:
            peer.task = WAIT_TASK
            if sight.maintenance_ms:  # it counts at once: the host may be silent again in a moment
                peer.maintenance_until_ms = until(peer.maintenance_until_ms, sight, now)
            return
        if peer.state == tr.FAILED and peer.is_lost and now.wall_ms >= peer.maintenance_until_ms:
            is_same = sight.boot_id == peer.boot_id
            self._graceful.back(sight.node, now.ms, is_same_boot=is_same)
        self._graceful.heard(sight.node, sight.told, now.ms)
        is_asked = self._graceful.is_asked(sight.node, now.ms)
        state, why = seen_as(sight, marks, is_asked=is_asked), cause(peer, sight, marks)
        is_other = peer.said != (said := (causes.own_word(sight), *marks)) or was_silent
        peer.is_lost = peer.is_new = peer.is_kept = False
        peer.task, peer.boot_id = ANEW_TASK if is_asked else task(sight), sight.boot_id
        peer.maintenance_until_ms = until(peer.maintenance_until_ms, sight, now)
        named = {*sight.reasons, *marks} if state in tr.ENABLED else ()
        peer.reasons = {each: peer.reasons.get(each, max(now.wall_ms, 0)) for each in sorted(named)}
        if state is not None:
            self._set(peer, state, why, now)
            peer.said, peer.cause = said, why if is_other else peer.cause
        if peer.state[0] is Admin.LOCKED:
            peer.absent = ""
        elif peer.absent:
            peer.task = TO_LOCK_TASK

    def _unheard(self, peer: Peer, sight: Sight, now: Moment) -> None:
        if peer.misses < DEGRADE or peer.is_lost:
            return
        failure = self._policy.failure
        if peer.state in tr.ENABLED and failure is not Failure.NONE:
            peer.reasons.setdefault(HEARTBEAT, now.wall_ms)
        if peer.state in tr.ENABLED and failure in {Failure.FAIL, Failure.DEGRADE}:
            self._set(peer, tr.DEGRADED, "", now)
            peer.cause = causes.silent(DEGRADE, sight.ways)
        if self.held_back:
            peer.task = WAIT_TASK
            return
        if peer.misses < LOST:
            return
        peer.is_lost = True
        if peer.state not in tr.ENABLED and not self._graceful.is_asked(sight.node, now.ms):
            silent = tr.LOCKED_OFFLINE if peer.state[0] is tr.LOCKED_OFFLINE[0] else tr.OFFLINE
            self._set(peer, silent, f"nothing was heard of it for {LOST} ticks", now)
        elif failure is Failure.FAIL:
            peer.reasons.clear()
            peer.task, peer.lost_ms, peer.lost_wall_ms = WAIT_TASK, now.ms, max(now.wall_ms, 0)
            self._set(peer, tr.FAILED, "", now)
            peer.cause = causes.lost(LOST, sight.ways)

    def _set(self, peer: Peer, state: Triple, cause: str, now: Moment) -> None:
        if state != peer.state:
            peer.state, peer.cause, peer.since_ms = state, cause, now.wall_ms


def _serves(peer: Peer) -> bool:
    return peer.state in tr.ENABLED


def _locked(state: Triple) -> Triple:
    """Return the state of a silent host that is locked."""
    return tr.LOCKED_POWER_OFF if state == tr.POWER_OFF else tr.LOCKED_OFFLINE
