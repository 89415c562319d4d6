"""A drill: paths of this node are cut, or its broker stopped, for a while; and what happened then.

Frames are dropped in this agent, both ways, so nothing of the machine is touched and a drill ends
with its time or with the agent. Leaves to others: pre-checks (drill_order), what others make of it.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from roost_agent.ha import state_report
from roost_agent.ha.decisions import Roles
from roost_agent.ha.drill_order import Plan
from roost_agent.ha.peer_path import CARRIES
from roost_agent.ha.runtime import Runtime
from roost_agent.ports import Clock
from roost_protocol.explain import Explain
from roost_protocol.ha_report import HaRole

SAMPLE_S: Final = 0.1
RECOVER_S_MAX: Final = 60.0  # after its end, for all paths to carry again
CHANGES_MAX: Final = 64  # of roles, told one by one
HA_ALARMS: Final = "400."


class Drill:
    """What one drill saw on this node. Pure.

    Args:
        plan: what is done.
        roles: of this node as it begins.
        now_ms: the boot clock.
    """

    def __init__(self, plan: Plan, roles: Roles, now_ms: int) -> None:
        self.plan = plan
        self.begun_ms = now_ms
        self.ends_ms = now_ms + plan.seconds * 1_000
        self.gaps_ms: dict[str, int] = {}  # the longest silence of each peer, over its best path
        self.changes: list[dict[str, Any]] = []
        self.alarms: dict[str, str] = {}  # that were not there before
        self.recovered_ms: int | None = None  # from its end until every path carried again
        self.is_over = False
        self._roles = dict(roles)
        self._before: frozenset[str] | None = None

    def saw(self, roles: Roles, ages_ms: Mapping[str, int | None], now_ms: int) -> None:
        """Take in a sample.

        Args:
            roles: of this node.
            ages_ms: by peer, since the last proof that it lived.
            now_ms: the boot clock.
        """
        for peer, age_ms in ages_ms.items():
            self.gaps_ms[peer] = max(self.gaps_ms.get(peer, 0), age_ms or 0)
        for group, (role, epoch) in roles.items():
            before, _ = self._roles.get(group, (HaRole.STANDBY, 0))
            if (role is HaRole.ACTIVE) != (before is HaRole.ACTIVE):
                self._change(group, role, epoch, now_ms)
            self._roles[group] = (role, epoch)

    def stands(self, alarms: Mapping[str, str]) -> None:
        """Take in what alarms stand; the first time those of before."""
        if self._before is None:
            self._before = frozenset(alarms)
        self.alarms |= {key: text for key, text in alarms.items() if key not in self._before}

    def looked(self, *, is_whole: bool, now_ms: int) -> bool:
        """Take in whether every path carries, past the end; return whether the drill is over."""
        if is_whole:
            self.recovered_ms = now_ms - self.ends_ms
        self.is_over = is_whole or now_ms - self.ends_ms >= RECOVER_S_MAX * 1_000
        return self.is_over

    def result(self, now_ms: int) -> dict[str, Any]:
        """Return what happened so far, as plain data."""
        return {
            "what": self.plan.what,
            "seconds": self.plan.seconds,
            "over": self.is_over,
            "left_s": max(0, self.ends_ms - now_ms) / 1_000,
            "role_changes": self.changes,
            "gaps_ms": self.gaps_ms,
            "alarms": sorted(self.alarms.values()),
            "recovered_ms": self.recovered_ms,
        }

    def sentence(self) -> str:
        """Return what happened, in one sentence."""
        gap_ms = max(self.gaps_ms.values(), default=0)
        back = "not all paths are back"
        if self.recovered_ms is not None:
            back = f"all paths back {self.recovered_ms / 1_000:.1f} s after its end"
        return (
            f"drill over: {self.plan.what} for {self.plan.seconds} s; role changes here: "
            f"{len(self.changes)}, longest silence of a peer {gap_ms / 1_000:.1f} s, new alarms "
            f"here: {len(self.alarms)}, {back}"
        )

    def _change(self, group: str, role: HaRole, epoch: int, now_ms: int) -> None:
        if len(self.changes) < CHANGES_MAX:
            change = {"group": group, "role": str(role), "epoch": epoch}
            self.changes.append(change | {"after_ms": now_ms - self.begun_ms})


class Drills:
    """The drills of one node, one at a time.

    Attributes:
        latest: the one that is on, or the last one.
    """

    def __init__(self, clock: Clock) -> None:
        self.latest: Drill | None = None
        self._clock = clock
        self._begun = asyncio.Event()

    @property
    def is_on(self) -> bool:
        """Whether one is."""
        return self.latest is not None and not self.latest.is_over

    def begin(self, runtime: Runtime, plan: Plan) -> None:
        """Begin one; the pre-checks are the caller's."""
        now_ms = self._clock.boot_ms()
        self.latest = Drill(plan, state_report.roles(runtime.core), now_ms)
        runtime.shells.peers.muted = plan.cut
        if plan.stops_broker and runtime.shells.broker is not None:
            runtime.shells.broker.hold(now_ms + plan.seconds * 1_000)
        said = f"drill: {plan.what} for {plan.seconds} s, ordered on the node"
        runtime.explain(Explain(said, {"drill": plan.what, "seconds": plan.seconds}))
        self._begun.set()

    async def run(self, runtime: Runtime) -> None:
        """Carry drills through, until cancelled; then nothing is cut any more."""
        try:
            while True:
                await self._begun.wait()
                self._begun.clear()
                drill = self.latest
                if drill is None:
                    continue
                await self._watch(runtime, drill)
                what, changes = drill.plan.what, len(drill.changes)
                runtime.explain(Explain(drill.sentence(), {"drill": what, "changes": changes}))
        finally:
            runtime.shells.peers.muted = frozenset()

    async def _watch(self, runtime: Runtime, drill: Drill) -> None:
        while True:
            now_ms = self._clock.boot_ms()
            core = runtime.core
            peers = core.fresh.peers
            ages = {core.name_of(peer): core.fresh.age_ms(peer, now_ms) for peer in peers}
            drill.saw(state_report.roles(core), ages, now_ms)
            if runtime.shells.alarms is not None:
                drill.stands(runtime.shells.alarms.standing(HA_ALARMS))
            if now_ms >= drill.ends_ms:
                runtime.shells.peers.muted = frozenset()
                if drill.looked(is_whole=is_whole(runtime), now_ms=now_ms):
                    return
            elif runtime.shells.broker is not None and not drill.plan.stops_broker:
                runtime.shells.broker.echoed()  # that our own frames are missing is not its fault
            await asyncio.sleep(SAMPLE_S)


def is_whole(runtime: Runtime) -> bool:
    """Whether every path to every peer that is there carries."""
    members = runtime.core.members
    return all(
        state in CARRIES
        for peer in runtime.core.fresh.peers
        if members.is_there(peer)
        for state in members.paths(peer).values()
    )
