"""Three hosts of a site, their disks and their coordinator, against rules that are kept apart.

A Hypothesis machine over the pure cores: agents are killed between two actions, machines boot, the
LAN is cut, the coordinator changes, all who watch begin anew at once, machines lose their power,
people lock, unlock, recover and maintain. MOVES is hosts.md section 2,
written down again: the product's table is not asked whether the product is right.
"""

from dataclasses import dataclass, field

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from roost_agent.host.action import Action, Check, Keep, Moved, Reboot
from roost_agent.host.around import Power
from roost_agent.host.core import ENABLE, SETTLED_MS, TICK_MS, HostCore
from roost_agent.host.enable import Facts
from roost_agent.host.event import (
    Begin,
    Event,
    Lock,
    Look,
    LostOften,
    Maintain,
    NotRebooted,
    Recover,
    Unlock,
)
from roost_agent.host.evidence import MINOR
from roost_agent.host.graceful import TRIES
from roost_agent.host.kept import Kept, Locked
from roost_agent.host.ladder import RECOVERIES
from roost_agent.host.moment import Moment
from roost_agent.host.peer import LOST, UNTIL_MS
from roost_agent.host.resets import Answered, Reset, Resets
from roost_agent.host.resets import Tick as SilentNow
from roost_agent.host.sight import Sight
from roost_agent.host.site import GOOD, QUIET_MS, SiteHosts
from roost_protocol.host import Admin, Avail, Oper, is_legal

Triple = tuple[Admin, Oper, Avail]

NAMES = ("n1", "n2", "n3")
WALL_MS = 1_800_000_000_000
OLD_MS = 10_000_000  # of uptime: the site does not power up
WORDS = {
    "L-off": (Admin.LOCKED, Oper.DISABLED, Avail.OFFLINE),
    "L-on": (Admin.LOCKED, Oper.DISABLED, Avail.ONLINE),
    "off": (Admin.UNLOCKED, Oper.DISABLED, Avail.OFFLINE),
    "test": (Admin.UNLOCKED, Oper.DISABLED, Avail.INTEST),
    "fail": (Admin.UNLOCKED, Oper.DISABLED, Avail.FAILED),
    "avail": (Admin.UNLOCKED, Oper.ENABLED, Avail.AVAILABLE),
    "degr": (Admin.UNLOCKED, Oper.ENABLED, Avail.DEGRADED),
}
MOVES = frozenset(
    (WORDS[before], WORDS[after])
    for before, after in (
        line.split(" > ")
        for line in """\
L-off > L-on
off > test
L-on > test
test > avail
test > fail
fail > test
avail > degr
degr > avail
avail > fail
degr > fail
avail > L-on
degr > L-on
test > L-on
fail > L-on
off > L-off""".splitlines()
    )
)
FAILED, INTEST = WORDS["fail"], WORDS["test"]
SERVING = frozenset({WORDS["avail"], WORDS["degr"]})

names = st.sampled_from(NAMES)


@dataclass
class Box:
    """One machine: what runs on it, what its disk holds, what is wrong with it."""

    name: str
    boot: int = 1
    core: HostCore | None = None
    disk: Kept | None = None
    is_cut: bool = False
    dies_after: int | None = None  # so many actions of the next event
    facts: Facts = field(default_factory=Facts)
    critical: str = ""
    quorum: str = ""
    reasons: dict[str, int] = field(default_factory=dict)
    beat: Triple | None = None  # what it told last
    told_until: int = 0  # of its maintenance, UTC, as it was heard last
    has_power: bool = True
    returns: int = 0  # lost and back without a boot, since it was out of service by its own word
    failures: dict[str, int] = field(default_factory=dict)  # durable, since the last pardon
    served_ms: int | None = None
    helper: str = "reboots"  # or refuses, or is silent
    asked: Reboot | None = None  # of roost-helper, and not answered yet
    board: str = "resets"  # or refuses, or is unsure
    lost_ms: int | None = None  # when the coordinator failed it for its silence
    was_reset: bool = False  # since then, or may have been
    rebooted: dict[str, int] = field(default_factory=dict)  # since the last pardon, by cause
    reboots_ms: list[int] = field(default_factory=list)  # when machines were restarted by it

    @property
    def boot_id(self) -> str:
        """Of its boot."""
        return f"{ord(self.name[1]):02x}{self.boot:030x}"

    @property
    def is_exhausted(self) -> bool:
        """Whether it failed more often of one cause than it may be tried again."""
        return any(
            count > RECOVERIES[c].attempts + self.has_tried(c) for c, count in self.failures.items()
        )

    def has_tried(self, cause: str) -> bool:
        """Whether the boot that runs is one that its disk says was ordered for a cause."""
        reboots = [] if self.disk is None else self.disk.reboots
        return any(
            each.cause == cause and not each.is_over and each.boot_id != self.boot_id
            for each in reboots
        )

    @property
    def is_to_reboot(self) -> bool:
        """Whether its disk says that a reboot of this boot was ordered, and it did not come."""
        reboots = [] if self.disk is None else self.disk.reboots
        return any(
            each.cause in self.failures and not each.is_over and each.boot_id == self.boot_id
            for each in reboots
        )

    @property
    def is_heard(self) -> bool:
        """Whether others hear it."""
        return self.core is not None and not self.is_cut


class HostMachine(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.ms = OLD_MS
        self.boxes = {name: Box(name) for name in NAMES}
        self.site: SiteHosts | None = None
        self.turn = ""
        self.turn_ms = 0
        self.epoch = 0
        self.resets = Resets()
        self.misses = dict.fromkeys(NAMES, 0)
        self.good = dict.fromkeys(NAMES, 0)
        self.unheard = set(NAMES)  # since the turn began
        self.stormy = 0  # ticks since several fell silent together
        self.away = set(NAMES)  # not heard yet, or written off until it is heard for long enough
        self.unseen = set(NAMES)  # not heard since this watcher began
        self.remembered: set[str] = set()  # failed before that, and not back for long enough since
        for box in self.boxes.values():
            self.start(box)

    @property
    def now(self) -> Moment:
        """The clocks."""
        return Moment(self.ms, WALL_MS + self.ms)

    # -- what happens ---------------------------------------------------------------------------

    @initialize(times=st.sampled_from([0, 12, 31]))
    def begins(self, times: int) -> None:
        """All of them have begun, and serve by now or not."""
        self.tick(times)

    @rule(times=st.integers(1, 14))
    def tick(self, times: int) -> None:
        """Seconds pass."""
        for _ in range(times):
            self.ms += TICK_MS
            self.look()
            self.coordinate()

    @rule(seconds=st.sampled_from([31, 121, 601, 3_601]))
    def leap(self, seconds: int) -> None:
        """Much time passes in which nothing changed."""
        self.ms += seconds * 1_000
        self.look()

    @rule(
        name=names,
        config=st.sampled_from(["", "refused"]),
        health=st.sampled_from(["", "", None, "disk: bad"]),
        processes=st.sampled_from(["", "", "nginx is down"]),
        services=st.sampled_from(["", "logs not active here"]),
        critical=st.sampled_from(["", "", "nginx is gone"]),
        quorum=st.sampled_from(["", "", "", "sm is gone"]),
        reasons=st.sampled_from([{}, {"clock": 1}, {"clock": 1, "resource": 2}]),
    )
    def changes(
        self, name: str, critical: str, quorum: str, reasons: dict[str, int], **facts: str | None
    ) -> None:
        """Something breaks or is mended."""
        box = self.boxes[name]
        box.quorum = quorum
        box.facts, box.critical, box.reasons = Facts(**facts), critical, reasons

    @rule(name=names, critical=st.booleans(), times=st.integers(1, 4))
    def fails_again_and_again(self, name: str, critical: bool, times: int) -> None:
        """One of them is ill for a while, whatever is tried."""
        box = self.boxes[name]
        for _ in range(times):
            box.critical = "nginx is gone" if critical else ""
            box.facts = Facts(health="" if critical else "disk: bad")
            self.tick(12)
            self.leap(601)

    @rule(name=names, helper=st.sampled_from(["reboots", "refuses", "is silent"]))
    def has_a_helper(self, name: str, helper: str) -> None:
        """What roost-helper there does with what it is asked."""
        self.boxes[name].helper = helper

    @rule(name=names, board=st.sampled_from(["resets", "refuses", "is unsure"]))
    def has_a_board(self, name: str, board: str) -> None:
        """What its board controller does with an order to reset it."""
        self.boxes[name].board = board

    @rule(name=names, times=st.integers(1, 3))
    def is_silent_for_long(self, name: str, times: int) -> None:
        """Its LAN is gone for so long that it is reset."""
        self.boxes[name].is_cut = True
        self.tick(12)
        for _ in range(times):
            self.leap(601)
            self.tick(2)

    @rule(name=names, times=st.integers(1, TRIES + 1))
    def comes_and_goes(self, name: str, times: int) -> None:
        """Its LAN is lost and back again and again, and nothing else is."""
        box = self.boxes[name]
        for _ in range(times):
            box.is_cut = True
            self.tick(LOST + 1)
            box.is_cut = False
            self.tick(GOOD)

    @rule(name=names, seconds=st.sampled_from([60, 7_200]), cut=st.booleans())
    def is_silent_in_maintenance(self, name: str, seconds: int, cut: bool) -> None:
        """An operator is at work on it, and takes its LAN or its machine away for long."""
        box = self.boxes[name]
        self.maintain(name, seconds)
        self.tick(2)
        box.is_cut, box.core = box.is_cut or cut, box.core if cut else None
        self.tick(LOST + 1)
        self.leap(601)
        self.tick(2)

    @rule(name=names)
    def loses_its_power(self, name: str) -> None:
        """Somebody switches it off."""
        self.boxes[name].core, self.boxes[name].has_power = None, False

    @rule(name=names)
    def has_power(self, name: str) -> None:
        """Somebody switches it on; it boots, or hangs until it is started."""
        self.boxes[name].has_power = True

    @rule()
    def watchers_restart(self) -> None:
        """All agents that watch begin anew at once: they know what their disks hold."""
        if self.site is None or not self.site.may_tell(self.now):
            return  # what is not told is not kept either
        kept = msgspec.json.decode(msgspec.json.encode(self.site.memory()), type=Locked)
        failed = {name for name, state in self.states().items() if state == FAILED}
        self.watch(kept)
        assert kept.failed.keys() <= failed
        self.remembered = set(kept.failed)
        self.unseen -= self.remembered

    @rule(name=names, before=st.booleans(), boots=st.booleans())
    def is_silent_while_watchers_restart(self, name: str, before: bool, boots: bool) -> None:
        """It is silent for long; those who watch begin anew before it is due a reset, or after."""
        self.boxes[name].is_cut = True
        self.tick(LOST + 1)
        self.leap(121 if before else 601)
        self.tick(2)
        self.watchers_restart()
        self.tick(2)
        self.leap(601)
        self.tick(2)
        self.boxes[name].is_cut = not boots

    @rule(name=names)
    def is_mended(self, name: str) -> None:
        """Nothing is wrong any more."""
        box = self.boxes[name]
        box.facts, box.critical, box.quorum, box.reasons = Facts(), "", "", {}

    @rule(name=names)
    def is_cut(self, name: str) -> None:
        """Its LAN goes or comes."""
        self.boxes[name].is_cut = not self.boxes[name].is_cut

    @rule(name=names, actions=st.integers(0, 3))
    def is_killed(self, name: str, actions: int) -> None:
        """Its agent is killed, after so many actions of what it does next."""
        self.boxes[name].dies_after = actions

    @rule(name=names)
    def is_killed_now(self, name: str) -> None:
        """Its agent is killed between two events."""
        self.boxes[name].core = None

    @rule(name=names, boots=st.booleans())
    def starts(self, name: str, boots: bool) -> None:
        """Its agent starts again, or its machine does."""
        box = self.boxes[name]
        if boots:
            box.core, box.boot = None, box.boot + 1
        if box.core is None:
            box.has_power = True
            self.start(box)

    @rule(name=names)
    def lock(self, name: str) -> None:
        """An operator takes it out of service."""
        box = self.boxes[name]
        if box.core is not None and box.core.state[0] is Admin.UNLOCKED:
            self.told(box, Lock("ann", "fan"))
            if box.core is not None:
                assert box.core.state == WORDS["L-on"]

    @rule(name=names)
    def unlock(self, name: str) -> None:
        """An operator puts it into service."""
        box = self.boxes[name]
        if box.core is not None and box.core.state == WORDS["L-on"]:
            self.told(box, Unlock("ann", "done"))

    @rule(name=names)
    def recover(self, name: str) -> None:
        """An operator lets it begin from nought."""
        box = self.boxes[name]
        if box.core is not None and box.core.state == FAILED:
            self.told(box, Recover("ann"))

    @rule(name=names, seconds=st.sampled_from([0, 60, 7_200]))
    def maintain(self, name: str, seconds: int) -> None:
        """An operator is at work on it."""
        box = self.boxes[name]
        if box.core is not None:
            self.told(box, Maintain(self.now.wall_ms + seconds * 1_000 if seconds else 0))

    @rule()
    def coordinator_changes(self) -> None:
        """Another has the lease of the site."""
        self.turn = ""

    # -- what is asserted -----------------------------------------------------------------------

    @invariant()
    def states_are_whole(self) -> None:
        """Each is legal, degraded for a reason, and keeps services off where it must."""
        for box in self.boxes.values():
            if (core := box.core) is None:
                continue
            assert is_legal(*core.state)
            assert (core.state == WORDS["degr"]) == bool(core.reasons)
            if core.state[0] is Admin.LOCKED or core.state == FAILED:
                assert core.bar
            if core.state in SERVING:
                assert not core.bar
            core.said(box.name, 1)

    def start(self, box: Box) -> None:
        """Start its agent from what its disk holds."""
        disk, box.core = box.disk, HostCore(box.boot_id)
        box.dies_after = None
        actions = self.told(box, Begin(disk))
        state, is_same_boot = box.core.state, disk is not None and disk.boot_id == box.boot_id
        if disk is not None and disk.admin is Admin.LOCKED:
            assert state == WORDS["L-on"], "a restart is no unlock"
        elif disk is not None and is_same_boot and disk.is_enabled:
            assert state == WORDS["avail"], "its agent alone started: nothing"
            assert Check() not in actions
        elif box.is_exhausted or box.is_to_reboot:
            assert state == FAILED, "a restart forgot that it failed too often"
        else:
            assert state == INTEST, "who booted goes through the sequence"
            assert Check() in actions

    def look(self) -> None:
        """Have each host look at itself; what it knows of others is their last beat."""
        heard = {box.name: box.beat for box in self.boxes.values() if box.is_heard}
        for box in self.boxes.values():
            if box.core is not None:
                self.looks(box, heard)
        for box in self.boxes.values():
            if box.core is not None:
                box.beat = box.core.state

    def looks(self, box: Box, heard: dict[str, Triple | None]) -> None:
        """Have one host look at itself, and judge what comes of it."""
        core = box.core
        assert core is not None
        others = [] if box.is_cut else [told for n, told in heard.items() if n != box.name]
        serve = any(told in SERVING for told in others)
        before, was_exhausted, boot = core.state, box.is_exhausted, box.boot
        is_maintained = core.maintenance_until_ms > self.now.wall_ms
        self.told(box, Look(box.facts, box.reasons, box.critical, not serve, serve, box.quorum))
        if box.asked is not None:
            assert serve, "rebooted, and nobody else serves"
            assert not is_maintained, "rebooted under the hands of an operator"
            self.helps(box)
        if box.core is None or box.boot != boot:
            return
        if not serve and before != FAILED:
            assert core.state != FAILED, "nobody else serves"
        if before == FAILED and was_exhausted and serve:
            assert core.state == FAILED, "nothing more by itself"
        assert core.state[0] is before[0], "only a person locks or unlocks"
        if core.state in SERVING:
            assert core.reasons.keys() - {ENABLE} == box.reasons.keys(), "reasons are not those"

    def told(self, box: Box, event: Event) -> list[Action]:
        """Give it an event, and do what follows up to its death."""
        core = box.core
        assert core is not None
        at = core.state
        actions = core.handle(event, self.now)
        if isinstance(event, Begin):
            at = WORDS["off" if core.state[0] is Admin.UNLOCKED else "L-off"]
        pardons = isinstance(event, Lock | Unlock | Recover)
        for number, action in enumerate(actions):
            if box.dies_after == number:
                box.core = box.dies_after = None
                break
            if isinstance(action, Moved):
                assert action.before == at, "a change that nobody was told"
                assert (at, action.after) in MOVES
                at = action.after
            elif isinstance(action, Keep):
                self.kept(box, action.kept, pardons=pardons)
            elif isinstance(action, Reboot):
                assert box.disk is not None
                last = box.disk.reboots[-1]
                assert (last.boot_id, last.is_over) == (box.boot_id, False), "not kept first"
                box.asked = action
        else:
            assert core.state == at, "a change that nobody was told"
            self.has_kept(box, core)
        self.serves(box)
        return actions

    def kept(self, box: Box, kept: Kept, *, pardons: bool) -> None:
        """See what goes to the disk: a count goes back by a pardon or an hour of service alone."""
        settled = box.served_ms is not None and self.ms - box.served_ms >= SETTLED_MS
        if not pardons and not settled:
            for cause, count in box.failures.items():
                assert kept.attempts.get(cause, 0) >= count, "a failure is forgotten"
        box.failures = {str(cause): count for cause, count in kept.attempts.items()}
        if pardons or settled:
            box.rebooted = {}
        box.disk = kept

    def helps(self, box: Box) -> None:
        """Have roost-helper, or a watchdog, do with a wish to be restarted what it does."""
        asked, box.asked = box.asked, None
        assert asked is not None
        if box.helper == "refuses" and box.core is not None:
            self.told(box, NotRebooted("no"))
        if box.helper != "reboots":
            return
        assert box.disk is not None
        cause = box.disk.reboots[-1].cause
        box.rebooted[cause] = box.rebooted.get(cause, 0) + 1
        assert box.rebooted[cause] == 1, "a second reboot for one fault"
        box.reboots_ms = [each for each in box.reboots_ms if self.ms - each < 86_400_000]
        box.reboots_ms.append(self.ms)
        assert len(box.reboots_ms) <= 2, "more than two within a day"
        box.core, box.boot = None, box.boot + 1
        self.start(box)

    def has_kept(self, box: Box, core: HostCore) -> None:
        """After an event that it lived through its disk says what people have decided."""
        if box.disk is not None:
            assert box.disk.admin is core.state[0]
            assert box.disk.maintenance_until_ms == core.maintenance_until_ms
        if core.state == FAILED:
            assert box.failures, "it failed, and its disk does not know"

    def serves(self, box: Box) -> None:
        """Note since when it serves."""
        if box.core is None or box.core.state not in SERVING:
            box.served_ms = None
        elif box.served_ms is None:
            box.served_ms = self.ms

    # -- the coordinator ------------------------------------------------------------------------

    def coordinate(self) -> None:
        """Have whoever coordinates take in a second, and look at what it says."""
        alive = [box.name for box in self.boxes.values() if box.is_heard]
        if self.turn not in alive:
            if not alive:
                self.turn, self.site = "", None
                return
            self.turn, self.epoch = alive[self.ms // TICK_MS % len(alive)], self.epoch + 1
            self.watch(Locked())
        assert self.site is not None
        others = [box for box in self.boxes.values() if box.name != self.turn]
        before = self.states()
        for box in others:
            is_heard = box.is_heard
            self.misses[box.name] = 0 if is_heard else self.misses[box.name] + 1
            self.good[box.name] = self.good[box.name] + 1 if is_heard else 0
        silent = [each for each in others if self.misses[each.name] >= MINOR]
        fresh = sum(each.name not in self.away for each in silent)
        self.stormy = 0 if fresh >= 2 else self.stormy + 1
        self.site.tick([self.sight(box) for box in others], self.ms, self.now)
        self.remembered -= {each.name for each in others if self.good[each.name] >= GOOD}
        self.unheard -= {each.name for each in others if each.is_heard} - self.remembered
        is_late = self.ms - self.turn_ms >= QUIET_MS
        assert self.site.may_tell(self.now) == (is_late or not self.unheard)
        self.judge(before)
        self.reads_power()
        self.has_recover()
        epoch = self.epoch
        lost, boards = tuple(self.site.lost(self.now)), set(NAMES)
        for asked in self.resets.handle(
            SilentNow(epoch, lost, self.site.held_back, boards), self.now
        ):
            self.is_reset(asked)

    def watch(self, kept: Locked) -> None:
        """Have an agent begin to watch, with what its disk holds."""
        self.site, self.resets, self.turn_ms = SiteHosts(self.now, kept=kept), Resets(), self.ms
        self.misses, self.good = dict.fromkeys(NAMES, 0), dict.fromkeys(NAMES, 0)
        self.stormy, self.away, self.unheard = 0, set(NAMES), set(NAMES) - {self.turn}
        self.unseen, self.remembered = set(NAMES), set()

    def sight(self, box: Box) -> Sight:
        """Return how the coordinator sees a host: of one that is silent, what it told last."""
        if box.is_heard and box.core is not None:
            box.told_until = box.core.maintenance_until_ms
        left_ms = max(box.told_until - self.now.wall_ms, 0)
        return Sight(box.name, box.is_heard, box.beat, box.boot_id, self.ms, maintenance_ms=left_ms)

    def reads_power(self) -> None:
        """Have the board controllers of silent hosts read."""
        assert self.site is not None
        for node in self.site.out():
            box = self.boxes[node]
            assert not box.is_heard, "out, and it speaks"
            self.site.powered(node, Power(box.has_power, self.ms), self.now)
            is_off = self.states()[node][2] is Avail.POWER_OFF
            assert is_off == (not box.has_power), "its power is not what is read"

    def has_recover(self) -> None:
        """Have hosts that came back too often run their recovery, as the beats say it."""
        assert self.site is not None
        for name in self.site.anew(self.now):
            box = self.boxes[name]
            assert box.returns > TRIES, "too early"
            if box.core is None or box.is_cut or box.core.state not in SERVING:
                continue
            others = [each for each in self.boxes.values() if each.is_heard and each is not box]
            is_last = all(each.beat not in SERVING for each in others)
            before = box.core.state
            is_held = is_last or bool(box.core.maintenance_until_ms)
            self.told(box, LostOften(self.turn, is_last=is_last))
            if box.core is not None:
                assert box.core.state == (before if is_held else FAILED)

    def is_reset(self, asked: Reset) -> None:
        """Have a board controller do with an order what it does, and judge that it came."""
        box = self.boxes[asked.node]
        assert asked.epoch == self.epoch, "without the lease"
        assert not box.is_heard, "reset, and it speaks"
        assert self.stormy, "reset while several are silent"
        assert box.lost_ms is not None
        assert self.ms - box.lost_ms >= 300_000, "reset too early"
        assert not box.was_reset, "a second reset for one loss"
        assert box.has_power, "reset, and it has none"
        idle_ms = self.now.wall_ms - box.told_until
        assert idle_ms >= 300_000 - UNTIL_MS, "reset in its maintenance, or too early after it"
        if box.board != "refuses":
            box.was_reset = True
        if box.board == "resets":
            box.core, box.boot = None, box.boot + 1
            self.start(box)
        why = {"resets": "", "refuses": "refused: no", "is unsure": "timeout: late"}[box.board]
        told = Answered(asked.node, why, may_have_been=box.board == "is unsure")
        self.resets.handle(told, self.now)

    def states(self) -> dict[str, Triple]:
        """Return the hosts as the coordinator has them."""
        hosts = [] if self.site is None else self.site.hosts()
        return {each.node: (each.admin, each.oper, each.avail) for each in hosts}

    def judge(self, before: dict[str, Triple]) -> None:
        """Look at what it says of each."""
        for name, state in self.states().items():
            assert is_legal(*state)
            box, was = self.boxes[name], before.get(name)
            if was == FAILED and name in self.away and state in SERVING:
                assert self.good[name] >= GOOD, "back with its first word"
            if box.is_heard:
                is_back = name in self.unseen or self.good[name] >= GOOD
                self.away -= {name} if is_back else set()
                self.unseen.discard(name)
            elif state != was and state not in SERVING:
                self.away.add(name)
            if state == FAILED and was in SERVING and not box.is_heard:
                box.lost_ms, box.was_reset = self.ms, False
                assert self.misses[name] >= LOST, "failed too early"
                assert self.stormy, "several are silent: that is the network"
            if self.misses[name] > LOST and state in SERVING:
                assert self.stormy * TICK_MS <= 10_000, "lost, and nobody says so"
            self.counts_return(box, was)
            assert self.site is not None
            if self.good[name] >= GOOD and not (
                state == FAILED and name in self.site.anew(self.now)
            ):
                assert state == box.beat, "it speaks, and is not what it says"

    def counts_return(self, box: Box, was: Triple | None) -> None:
        """Count how often it came back, at least as often as the product may."""
        if box.is_heard and self.good[box.name] == GOOD and was == FAILED:
            box.returns += 1
