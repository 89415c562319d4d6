"""The centre of a simulated site: the production SiteWitness, its clock, its disk, and the WAN.

Nodes reach it by frames of their own, with echoes as they are; the site's networks carry none of
them. The disk loses what was not acknowledged, or everything, or is an older one, of an earlier
start: one that goes back within a start is outside of what is assumed of any disk.
"""

from types import SimpleNamespace
from typing import TYPE_CHECKING

from roost_central.witness.core import SiteWitness
from roost_central.witness.events import FrameIn, Keep, Kept, Persisted, PersistFailed, Tell, Tick
from roost_protocol.configuration import WITNESS
from roost_protocol.ha import Kind, LeaseFrame

if TYPE_CHECKING:
    from sim.ha.world import World

WHOLE = 10_000
ASKS = frozenset({Kind.PREVOTE, Kind.ACQUIRE, Kind.RENEW})


def site_file(world: "World") -> SimpleNamespace:
    """Return what a node's Witness asks of the site's file."""
    plan = world.plan
    return SimpleNamespace(
        timing=plan.timing,
        wan_witness=plan.wan,
        voter_indices=lambda: plan.first_voters,
        cfgver=world.electorate.cfgver,
        is_sticky=plan.sticky,
        nodes=[SimpleNamespace(index=index) for index in range(plan.nodes)],
    )


class Centre:
    """See the module."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.index = WITNESS
        self.rate = WHOLE + world.plan.rates[-1]
        self.disk: Kept | None = None
        self.older: Kept | None = None  # as an earlier start left it
        self.life = 0
        self.core: SiteWitness | None = None
        self.disk_bad_until = self.wan_cut_until = 0
        self.node_cut_until: dict[int, int] = {}
        self.wait_until = 0
        self._last_at: dict[object, int] = {}  # a broker's connection keeps the order of its frames

    @property
    def is_on(self) -> bool:
        """Whether the process runs."""
        return self.core is not None

    @property
    def voter(self):
        """As the checkers look into it."""
        return None if self.core is None else self.core._voter

    def local(self) -> int:
        """Return CLOCK_BOOTTIME."""
        return self.clock0 + (self.world.now - self.booted) * self.rate // WHOLE

    def true(self, local: int) -> int:
        """Return the true time at which the clock first shows ``local``."""
        return self.booted - (-(local - self.clock0) * WHOLE // self.rate)

    def is_in_boot_wait(self) -> bool:
        """Whether promises of before this start may still be relied upon, reckoned anew."""
        return self.world.now < self.wait_until

    def start(self) -> None:
        """Start the process."""
        if self.core is not None:
            return
        world = self.world
        self.life += 1
        self.booted, self.clock0 = world.now, world.dice.randrange(5_000)
        self.writes: list[tuple[int, int, Kept]] = []
        self.disk_free, self.wake_at = 0, 0
        boot = b"centre" + self.life.to_bytes(10, "big")
        self.core = SiteWitness("lab", boot, 1_000_000 + world.now // 1_000, self.disk)
        self.wait_until = world.now + world.promise_true_ms
        world.checkers.started(WITNESS)
        if self.disk is not None:
            record = self.disk.state.records.get("main")
            world.checkers.of["main"].recovered(WITNESS, record.max_epoch if record else 0)
        self._do(self.core.start(self.local()))

    def end(self, for_ms: int) -> None:
        """Kill the process; a write on its way lands or does not."""
        if self.core is None:
            return
        landed = self.world.dice.randrange(len(self.writes) + 1)
        for _, _, kept in self.writes[:landed]:
            self.disk = kept
        self.core = None
        self.life += 1
        self.world.after(max(1, for_ms), self.start)

    def lose_disk(self, for_ms: int, *, is_older: bool) -> None:
        """Come back with nothing, or with what an earlier start had left."""
        self.end(for_ms)
        self.disk = self.older if is_older else None
        self.world.checkers.forgot(WITNESS)

    # -- frames --------------------------------------------------------------------------------

    def is_cut(self, node: int) -> bool:
        """Whether the WAN carries nothing between the centre and a node."""
        until = max(self.wan_cut_until, self.node_cut_until.get(node, 0))
        return self.world.now < until

    def carry(self, node: int, do, *args: object) -> None:
        """Carry a frame over the WAN, or lose it; some come twice, and some late."""
        dice, plan = self.world.dice, self.world.plan
        is_lost = self.is_cut(node) or dice.random() < self.world.loss / 2
        if is_lost and (self.world.is_healed or dice.random() > plan.replay / 4):
            return
        if is_lost:
            self.world.after(500 + dice.randrange(14_500), do, *args)
            return
        way = (node, do)
        at = self.world.now + dice.choice((15, 20, 30, 40, 80, 250))
        at = self._last_at[way] = max(at, self._last_at.get(way, 0))
        self.world.at(at, do, *args)
        if not self.world.is_healed and dice.random() < 0.02:
            self.world.at(at + dice.randrange(3_000), do, *args)

    def take(self, name: str, frame: LeaseFrame) -> None:
        """Take in a frame."""
        if self.core is None:
            return
        self._asked = frame
        self._do(self.core.handle(FrameIn(name, frame), self.local()))
        self._asked = None

    _asked: LeaseFrame | None = None

    def _do(self, effects: list) -> None:
        for effect in effects:
            if isinstance(effect, Tell):
                self._tell(effect)
            elif isinstance(effect, Keep):
                self._keep(effect)
        self._plan_wake()

    def _tell(self, tell: Tell) -> None:
        frame, asked = tell.frame, self._asked
        if frame.kind is Kind.GRANT and frame.name == "main" and asked and asked.kind in ASKS:
            is_prevote = asked.kind is Kind.PREVOTE
            checkers = self.world.checkers.of["main"]
            checkers.granted(WITNESS, frame.epoch, is_prevote=is_prevote)
        if frame.kind is Kind.GRANT and frame.name == "main" and frame.epoch:
            self.world.checkers.met["the witness granted"] += 1
        node = self.world.nodes[frame.to]
        self.carry(frame.to, node.coordinator.hear_afar, frame)

    # -- time and disk -------------------------------------------------------------------------

    def _plan_wake(self) -> None:
        due = None if self.core is None else self.core.due_ms()
        if due is None:
            return
        at = max(self.world.now + 1, self.true(due))
        if not self.world.now < self.wake_at <= at:
            self.wake_at = at
            self.world.at(at, self._wake, self.life, at)

    def _wake(self, life: int, at: int) -> None:
        if self.core is not None and life == self.life and at == self.wake_at:
            self._do(self.core.handle(Tick(), self.local()))

    def _keep(self, keep: Keep) -> None:
        took = self.world.dice.choice((1, 2, 5, 10, 300))
        self.disk_free = max(self.world.now + took, self.disk_free)
        self.writes.append((keep.life, keep.token, keep.kept))
        self.world.at(self.disk_free, self._written, self.life)

    def _written(self, life: int) -> None:
        if self.core is None or life != self.life:
            return
        of, token, kept = self.writes.pop(0)
        is_bad = self.world.now < self.disk_bad_until
        if not is_bad or self.world.dice.random() < 0.5:
            if self.disk is None or self.disk.state.inc != kept.state.inc:
                self.older = self.disk
            self.disk = kept
        event = PersistFailed(of, token) if is_bad else Persisted(of, token)
        self._do(self.core.handle(event, self.local()))
