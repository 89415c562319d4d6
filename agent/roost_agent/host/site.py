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
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from roost_agent.host import cause as causes
from roost_agent.host import transitions as tr
from roost_agent.host.evidence import MINOR, EvidenceLog
from roost_agent.host.kept import Failed, Locked
from roost_agent.host.ladder import EXHAUSTED
from roost_agent.host.moment import Moment
from roost_agent.host.resets import AFTER_MS, Lost
from roost_agent.host.transitions import Triple
from roost_protocol.host import TASK_CHARS_MAX, Admin, Evidence, HostSaid

DEGRADE, LOST = 6, 10  # ticks missed in a row (StarlingX's counts)
GOOD: Final = 10  # ticks heard in a row until a lost host is back
MNFA_THRESHOLD: Final = 2  # hosts over MINOR at once
MNFA_EXIT_MS: Final = 3_000
QUIET_MS: Final = 30_000
POWER_UP_MS: Final = 600_000  # of uptime: who is younger has just powered up
DEAD_OFFICE_MS: Final = 300_000  # for which nobody is failed then
HEARTBEAT: Final = "heartbeat-ha"
UNTIL_MS: Final = 120_000  # within which an end is the same end, told by the minute
WAIT_TASK: Final = "graceful recovery wait"
MUTED_TASK: Final = "in maintenance: nothing is done about it"
TO_LOCK_TASK: Final = "is to be locked: it was silent then"
AGAIN_TASK: Final = "recovers by itself"


class Failure(StrEnum):
    """What a lost heartbeat does (``heartbeat_failure_action``)."""

    FAIL = "fail"
    DEGRADE = "degrade"
    ALARM = "alarm"
    NONE = "none"


class Policy(msgspec.Struct, frozen=True):
    """What is done about silence.

    Attributes:
        failure: of one host.
        mnfa_threshold: hosts that are silent together; so many blame the network.
        mnfa_timeout_ms: for how long it is to blame at most; 0: for as long as they are silent.
    """

    failure: Failure = Failure.FAIL
    mnfa_threshold: int = MNFA_THRESHOLD
    mnfa_timeout_ms: int = 0


USUAL: Final = Policy()


class Sight(msgspec.Struct, frozen=True):
    """One other host at a tick.

    Attributes:
        is_heard: evidence that it was alive since the last tick came, by any path.
        told: how it says that it stands; None: it never said so.
        boot_id: in hexadecimal digits; empty: it was never heard.
        reasons: why it is degraded, by its own word.
        maintenance_ms: for how long nothing is to be done about it by itself; 0: as ever.
        is_exhausted: it failed too often, and is not tried again by itself.
        stage: that it is being enabled by, or that failed, by its own word.
        ways: the names of the paths; ``by_way``: by which of them it was heard, path n in bit n.
        seen_by: other hosts to the paths by which they say that they hear it.
    """

    node: str
    is_heard: bool
    told: Triple | None = None
    boot_id: str = ""
    uptime_ms: int = 0
    reasons: frozenset[str] = frozenset()
    maintenance_ms: int = 0
    is_exhausted: bool = False
    stage: str = ""
    ways: tuple[str, ...] = ()
    by_way: int = 0
    seen_by: Mapping[str, int] = MappingProxyType({})


class _Peer(msgspec.Struct):
    state: Triple = tr.OFFLINE
    since_ms: int = 0
    cause: str = "not heard yet"
    task: str = ""
    misses: int = 0
    good: int = 0
    boot_id: str = ""
    uptime_ms: int = 0
    is_lost: bool = True  # not heard for so long that GOOD ticks are asked of it
    is_new: bool = True
    is_kept: bool = False  # it was failed before this agent's start, and is not back since
    lost_ms: int = 0  # when it was failed for its silence or let go by its maintenance, boot clock
    lost_wall_ms: int = 0  # the same, UTC; in a maintenance the time of the loss itself
    absent: str = ""  # it was locked while it was silent, and has not taken it up: by whom, and why
    maintenance_until_ms: int = 0  # UTC
    reasons: dict[str, int] = {}


class SiteHosts:
    """See the module.

    Args:
        now: when it began to listen.
        policy: what is done about silence.
        locked: the hosts that were locked when they were heard last, before that.
        absent: those that were locked while they were silent: name to by whom and why.
        failed: those that were failed for their silence.
    """

    def __init__(
        self,
        now: Moment,
        policy: Policy = USUAL,
        locked: Collection[str] = (),
        absent: Mapping[str, str] = MappingProxyType({}),
        failed: Mapping[str, Failed] = MappingProxyType({}),
    ) -> None:
        self._log = EvidenceLog()
        self.is_mnfa = False
        self.is_dead_office = False
        self._began_ms = now.ms
        self._policy = policy
        self._mnfa_ms: int | None = None  # since when several are silent together
        self._few_ms: int | None = None  # since when fewer are silent than blame the network
        self._peers: dict[str, _Peer] = {}
        self._locked = frozenset(locked)
        self._absent, self._failed = dict(absent), dict(failed)
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
        return Locked(self.locked(), self.absent(), self._failed_now())

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
        self._set(peer, tr.LOCKED_OFFLINE, said, now)

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
                    self._set(peer, tr.LOCKED_OFFLINE, peer.absent, now)

    def serving(self) -> list[str]:
        """Return the names of those that are enabled, and not lost where a loss fails nobody."""
        peers = self._peers.items()
        return sorted(node for node, peer in peers if peer.state in tr.ENABLED and not peer.is_lost)

    @property
    def held_back(self) -> str:
        """Why nothing is done about silent hosts; empty: nothing holds back."""
        if self.is_mnfa:
            return "several hosts are silent together: the network is to blame"
        return "the whole site powered up a moment ago" if self.is_dead_office else ""

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

    def tick(self, sights: Iterable[Sight], uptime_ms: int, now: Moment) -> None:
        """Take in a second.

        Args:
            sights: of all other hosts of the site.
            uptime_ms: of this machine.
            now: of this tick.
        """
        seen, self._has_looked = list(sights), True
        self._peers = {
            each.node: self._peers.get(each.node) or self._new(each.node, now) for each in seen
        }
        for each in seen:
            self._count(self._peers[each.node], each, now)
        self._log.tick(seen, now)
        self._blame(now)
        self._power_up(uptime_ms, now)
        for each in seen:
            peer = self._peers[each.node]
            if each.is_heard:
                self._heard(peer, each, now)
            else:
                self._unheard(peer, each, now)
                _mute(peer, now)

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

    def _new(self, node: str, now: Moment) -> _Peer:
        said = self._absent.get(node, "")
        if said:
            return _Peer(tr.LOCKED_OFFLINE, cause=said, absent=said)
        if node in self._locked:
            return _Peer(tr.LOCKED_OFFLINE)
        failed = self._failed.pop(node, None)  # of once: who left the site and is back is new
        if failed is None or self._policy.failure is not Failure.FAIL:
            return _Peer()
        return _again(failed, now)

    def _failed_now(self) -> dict[str, Failed]:
        unseen = {} if self._has_looked else self._failed
        return unseen | {
            node: Failed(peer.since_ms, peer.lost_wall_ms, peer.boot_id, peer.maintenance_until_ms)
            for node, peer in self._peers.items()
            if peer.state == tr.FAILED and peer.is_lost
        }

    def _count(self, peer: _Peer, sight: Sight, now: Moment) -> None:
        if sight.is_heard:
            if peer.misses >= MINOR:
                self._log.note(sight.node, f"heard again after {peer.misses} ticks", now)
            peer.misses, peer.good, peer.uptime_ms = 0, peer.good + 1, sight.uptime_ms
        else:
            peer.misses, peer.good = peer.misses + 1, 0
            if peer.misses == MINOR and not peer.is_lost:
                self._log.note(sight.node, f"silent for {MINOR} ticks", now)

    def _blame(self, now: Moment) -> None:
        """Blame the network, not the hosts, where several fall silent together."""
        fresh = sum(peer.misses >= MINOR and not peer.is_lost for peer in self._peers.values())
        if fresh >= self._policy.mnfa_threshold:
            self._mnfa_ms = now.ms if self._mnfa_ms is None else self._mnfa_ms
            limit_ms = self._policy.mnfa_timeout_ms
            self.is_mnfa = not limit_ms or now.ms - self._mnfa_ms < limit_ms
            self._few_ms = None
        elif self._mnfa_ms is not None:
            self._few_ms = now.ms if self._few_ms is None else self._few_ms
            if now.ms - self._few_ms >= MNFA_EXIT_MS:
                self.is_mnfa, self._few_ms, self._mnfa_ms = False, None, None

    def _power_up(self, uptime_ms: int, now: Moment) -> None:
        """Tell the power-up of a whole site by the age of its boots."""
        known = [uptime_ms, *(peer.uptime_ms for peer in self._peers.values() if _is_known(peer))]
        young = sum(each < POWER_UP_MS for each in known)
        is_young = uptime_ms < POWER_UP_MS and 2 * young >= len(known)
        self.is_dead_office = is_young and now.ms - self._began_ms < DEAD_OFFICE_MS

    def _heard(self, peer: _Peer, sight: Sight, now: Moment) -> None:
        peer.reasons.pop(HEARTBEAT, None)
        if peer.is_lost and not peer.is_new and peer.good < GOOD:
            peer.task = WAIT_TASK
            return
        cause = _cause(peer, sight)
        peer.is_lost = peer.is_new = peer.is_kept = False
        peer.task, peer.boot_id = _task(sight), sight.boot_id
        peer.maintenance_until_ms = _until_ms(peer.maintenance_until_ms, sight, now)
        serves = sight.told in tr.ENABLED
        peer.reasons = {
            each: peer.reasons.get(each, max(now.wall_ms, 0))
            for each in sorted(sight.reasons if serves else ())
        }
        if sight.told is not None:
            self._set(peer, sight.told, cause, now)
        if peer.state[0] is Admin.LOCKED:
            peer.absent = ""
        elif peer.absent:
            peer.task = TO_LOCK_TASK

    def _unheard(self, peer: _Peer, sight: Sight, now: Moment) -> None:
        if peer.misses < DEGRADE or peer.is_lost:
            return
        failure = self._policy.failure
        if peer.state in tr.ENABLED and failure is not Failure.NONE:
            peer.reasons.setdefault(HEARTBEAT, now.wall_ms)
        if peer.state in tr.ENABLED and failure in {Failure.FAIL, Failure.DEGRADE}:
            self._set(peer, tr.DEGRADED, causes.silent(peer.misses, sight.ways), now)
        if self.is_mnfa or self.is_dead_office:
            peer.task = WAIT_TASK
            return
        if peer.misses < LOST:
            return
        peer.is_lost = True
        if peer.state not in tr.ENABLED:
            silent = tr.LOCKED_OFFLINE if peer.state[0] is tr.LOCKED_OFFLINE[0] else tr.OFFLINE
            self._set(peer, silent, f"nothing was heard of it for {LOST} ticks", now)
        elif failure is Failure.FAIL:
            peer.reasons.clear()
            peer.task, peer.lost_ms, peer.lost_wall_ms = WAIT_TASK, now.ms, max(now.wall_ms, 0)
            self._set(peer, tr.FAILED, causes.lost(LOST, sight.ways), now)

    def _set(self, peer: _Peer, state: Triple, cause: str, now: Moment) -> None:
        if state != peer.state:
            peer.state, peer.cause, peer.since_ms = state, cause, now.wall_ms


def _again(failed: Failed, now: Moment) -> _Peer:
    """Return a host as the agent before this one had it.

    A loss of the future is one before the clock was set: nobody knows what was done about it since,
    so it is old enough for that to be done.
    """
    age_ms = now.wall_ms - failed.lost_ms
    return _Peer(
        tr.FAILED,
        since_ms=failed.since_ms,
        cause=f"{causes.lost(LOST, ())}, before this agent started",
        task=WAIT_TASK,
        boot_id=failed.boot_id,
        is_new=False,
        is_kept=True,
        lost_ms=now.ms - (age_ms if age_ms >= 0 else AFTER_MS),
        lost_wall_ms=failed.lost_ms,
        maintenance_until_ms=failed.maintenance_until_ms,
    )


def _is_known(peer: _Peer) -> bool:
    """Whether it is known for how long a host has been up."""
    return bool(peer.boot_id) and not peer.is_kept


def _mute(peer: _Peer, now: Moment) -> None:
    """Have nothing done about a silent host in its maintenance: what is done counts from its end.

    It cannot say itself when that is over, so its end is told here.
    """
    is_failed = peer.state == tr.FAILED and peer.is_lost
    if now.wall_ms < peer.maintenance_until_ms:
        if is_failed:
            peer.task, peer.lost_ms = MUTED_TASK, now.ms
        return
    if is_failed and peer.maintenance_until_ms:
        peer.lost_wall_ms = max(peer.lost_wall_ms, peer.maintenance_until_ms)
    peer.maintenance_until_ms = 0
    peer.task = WAIT_TASK if peer.task == MUTED_TASK else peer.task


def _until_ms(was_ms: int, sight: Sight, now: Moment) -> int:
    """Return until when a host is in maintenance, UTC: it tells for how long, by the minute."""
    until_ms = now.wall_ms + sight.maintenance_ms if sight.maintenance_ms else 0
    is_same = was_ms and until_ms and abs(until_ms - was_ms) <= UNTIL_MS
    return was_ms if is_same else until_ms


def _cause(peer: _Peer, sight: Sight) -> str:
    said = causes.own_word(sight)
    if peer.is_new or not peer.is_lost:
        return said
    if sight.boot_id == peer.boot_id:
        return f"heard again: it never went down; {said}"
    return f"heard again: it booted meanwhile; {said}"


def _task(sight: Sight) -> str:
    """Return what is under way with a host that speaks."""
    if sight.is_exhausted:
        return EXHAUSTED
    return AGAIN_TASK if sight.told == tr.FAILED else ""
