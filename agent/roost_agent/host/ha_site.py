"""A site by its local HA: who is seen, who coordinates, what runs here and who could take it.

Asks and tells; decides nothing. Leaves to others: leases and groups (local HA), host states (core,
site).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from roost_agent.control.message import GoDown
from roost_agent.ha import core_events as ev
from roost_agent.ha.config import SITE_LEASE
from roost_agent.ha.fitness import unfit
from roost_agent.ha.lease_phase import Phase
from roost_agent.ha.leaving import Leaving
from roost_agent.ha.may_go_down import may_go_down
from roost_agent.ha.member import PRESENT
from roost_agent.host.around import Giving
from roost_agent.host.sight import Sight
from roost_protocol.host_word import HostWord, unpack

if TYPE_CHECKING:
    from roost_agent.ha.matrix import Report
    from roost_agent.ha.runtime import Runtime


class _Seen(msgspec.Struct):
    alive_ms: int = -1  # the last proof of its life that was counted
    ways_ms: list[int] = []  # the same of each path
    word: HostWord = msgspec.field(default_factory=HostWord)  # its last, kept while it is silent
    boot: bytes = b""


class HaSite:
    """See Site.

    Args:
        runtime: of local HA.
    """

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self._core = runtime.core
        me = runtime.core.who.node
        self._peers = {node.index: node.name for node in runtime.config.nodes if node.index != me}
        self._seen = {index: _Seen() for index in self._peers}
        self._ways = tuple(way.title for way in runtime.config.paths)

    @property
    def others(self) -> Sequence[str]:
        """See Site."""
        return tuple(self._peers.values())

    @property
    def beat_ms(self) -> int:
        """See Site."""
        return self._runtime.config.timing.beat_ms

    @property
    def is_ready(self) -> bool:
        """See Site."""
        leases = self._core.leases.values()
        return bool(leases) and all(lease.phase != Phase.UNKNOWN for lease in leases)

    def tell(
        self,
        word: int,
        bar: str,
        stop: str,
        absent: Collection[str] = (),
        anew: Collection[str] = (),
    ) -> None:
        """See Site."""
        self._runtime.tell(ev.HostIs(word, bar, self._bits(absent), self._bits(anew)))
        if self._runtime.shells.workload is not None:
            self._runtime.shells.workload.bar(stop)

    def turn(self) -> int | None:
        """See Site."""
        lease = self._core.leases.get(SITE_LEASE)
        return lease.epoch if lease is not None and lease.phase == Phase.HOLDING else None

    def sights(self) -> list[Sight]:
        """See Site: a host that others hear and this node does not is alive all the same."""
        matrix = self._core.members.matrix(self._runtime.now_ms())
        return [self._sight(index, name, matrix) for index, name in self._peers.items()]

    def goings(self) -> Mapping[str, tuple[int, int]]:
        """See Site."""
        members = self._core.members
        reports = {
            name: members.report(index)
            for index, name in self._peers.items()
            if members.state(index) in PRESENT
        }
        return {
            name: (int(unpack(told.host).going), told.as_of_ms)
            for name, told in reports.items()
            if told is not None
        }

    def is_with_most(self) -> bool:
        """See Site: it coordinates, or hears who does."""
        lease = self._core.leases.get(SITE_LEASE)
        if lease is None:
            return False
        if lease.is_held or not self._peers:
            return True
        holder = lease.belief(self._runtime.now_ms()).holder
        return holder in self._peers and self._core.members.is_there(holder)

    def absent(self) -> tuple[str, frozenset[str]] | None:
        """See Site; the word of a holder that is not heard now is of before."""
        if (told := self._holder()) is None:
            return None
        names = self._peers | {self._core.who.node: self._core.name_of(self._core.who.node)}
        locked = frozenset(name for index, name in names.items() if told[1].locks >> index & 1)
        return told[0], locked

    def anew(self) -> str:
        """See Site; as above."""
        told = self._holder()
        return told[0] if told is not None and told[1].anew >> self._core.who.node & 1 else ""

    def held(self) -> list[Giving]:
        """See Site."""
        core = self._core
        leaving = Leaving(core.members, core.leases, core.hosts)
        found = []
        for name, lease in core.leases.items():
            if name == SITE_LEASE or not lease.is_held:
                continue
            to = leaving.successor(name)
            found.append(
                Giving(name, why=self._why_nobody(name))
                if to is None
                else Giving(name, core.name_of(to))
            )
        return found

    def give(self, group: str, to: str, why: str, *, is_chosen: bool = False) -> str:
        """See Site."""
        lease = self._core.leases.get(group)
        if lease is None or lease.phase != Phase.HOLDING:
            return f"{group} moves already"
        index = next((each for each, name in self._peers.items() if name == to), None)
        told = self._runtime.tell(ev.Give(group, why, index, is_chosen))
        return "" if told is None or told.ok else told.sentence

    def may_go(self) -> str:
        """See Site."""
        told = may_go_down(self._core, self._runtime.now_ms())
        return told.sentence.removeprefix("no: ") if told.verdict is GoDown.NO else ""

    def missing(self) -> str:
        """See Site."""
        workload = self._runtime.shells.workload
        return "" if workload is None else workload.missing()

    def runs_nothing(self) -> bool:
        """See Site."""
        workload = self._runtime.shells.workload
        is_free = not any(
            lease.is_held for name, lease in self._core.leases.items() if name != SITE_LEASE
        )
        return is_free and (workload is None or workload.runs_nothing())

    def _holder(self) -> "tuple[str, Report] | None":
        """Return another node that coordinates and is heard, and what it told last."""
        lease, members = self._core.leases.get(SITE_LEASE), self._core.members
        if lease is None or lease.is_held:
            return None
        holder = lease.belief(self._runtime.now_ms()).holder
        if holder not in self._peers or not members.is_there(holder):
            return None
        told = members.report(holder)
        return None if told is None else (self._peers[holder], told)

    def _bits(self, names: Collection[str]) -> int:
        return sum(1 << index for index, name in self._peers.items() if name in names)

    def _sight(self, index: int, name: str, matrix: Mapping[int, Mapping[int, int]]) -> Sight:
        core, seen, now_ms = self._core, self._seen[index], self._runtime.now_ms()
        alive_ms = core.fresh.alive_as_of(index)
        is_heard = alive_ms is not None and alive_ms > seen.alive_ms
        if alive_ms is not None:
            seen.alive_ms = max(alive_ms, seen.alive_ms)
        told = core.members.report(index)
        if told is not None and core.members.is_there(index):
            seen.word = unpack(told.host)
        known = core.fresh.incarnation(index)
        seen.boot = seen.boot if known is None else known[1]
        is_relayed = any(
            row.get(index, 0) for node, row in matrix.items() if node not in {index, core.who.node}
        )
        word = seen.word
        return Sight(
            node=name,
            is_heard=is_heard or (is_relayed and seen.alive_ms >= 0),
            told=word.state,
            reasons=word.reasons,
            maintenance_ms=word.maintenance_min * 60_000,
            is_exhausted=word.is_exhausted,
            boot_id=seen.boot.hex(),
            stage=word.stage,
            ways=self._ways,
            by_way=self._by_way(index, seen),
            seen_by={
                core.name_of(node): row.get(index, 0)
                for node, row in matrix.items()
                if node not in {index, core.who.node}
            },
            uptime_ms=0 if told is None else told.uptime_ms + now_ms - told.as_of_ms,
        )

    def _by_way(self, index: int, seen: _Seen) -> int:
        """Return by which paths a host was heard since this was asked last, path n in bit n."""
        fresh = self._core.fresh
        now = [fresh.path_alive_as_of(index, n) for n in range(len(self._ways))]
        before, seen.ways_ms = seen.ways_ms, [-1 if each is None else each for each in now]
        return sum(
            1 << n for n, each in enumerate(seen.ways_ms) if each > (before[n] if before else -1)
        )

    def _why_nobody(self, group: str) -> str:
        core = self._core
        others = [host for host in core.hosts[group] if host != core.who.node]
        return (
            "; ".join(
                f"{core.name_of(host)}: {unfit(core.members, host, group)}" for host in others
            )
            or "it has no other host"
        )
