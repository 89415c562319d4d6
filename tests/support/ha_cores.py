"""A small site of whole HA cores: frames, disks, guards and services that a test can break."""

import heapq
import random
from pathlib import Path

import msgspec
from msgspec.structs import replace

from roost_agent.ha import core_events as ev
from roost_agent.ha import lease_events as le
from roost_agent.ha.config_file import load
from roost_agent.ha.core import Core
from roost_agent.ha.redundancy import RedundancyState
from roost_agent.ha.start import Before, Who
from roost_protocol.configuration import WITNESS
from roost_protocol.explain import Explain
from roost_protocol.ha import Beat
from roost_protocol.voter_events import Persist, PersistFailed
from roost_protocol.voter_state import VoterState

START_MS = 100_000
FILE = """
profile = "fast"
voters = [{voters}]
{more}
networks = [{{name="mgmt", weight=4}}, {{name="cluster", weight=2}}]
paths = [
  {{driver="mqtt", broker="c0", network="mgmt"}},
  {{driver="mqtt", broker="c1", network="cluster"}},
  {{driver="udp", network="cluster"}},
  {{driver="udp", network="mgmt"}},
]
{nodes}
[[group]]
name = "main"
model = "2N"
hosts = ["c0", "c1"]
[[service]]
name = "db"
group = "main"
run = {{start=["/bin/db"]}}
budget = {{stop_s=0.2}}
[[group]]
name = "web"
model = "2N"
hosts = ["c1", "c0"]
requires_active = ["main"]
[[service]]
name = "front"
group = "web"
run = {{start=["/bin/front"]}}
budget = {{stop_s=0.1}}
[[group]]
name = "logs"
model = "N"
hosts = ["c0", "c1"]
[[service]]
name = "log"
group = "logs"
run = {{start=["/bin/log"]}}
"""
NODE = """
[[node]]
name = "{name}"
index = {index}
address = {{mgmt="10.0.0.{n}", cluster="10.0.1.{n}"}}
"""


def site_file(names=("c0", "c1", "w1"), voters=None, more='witness = "node"'):
    """The text of a site's file."""
    nodes = "".join(
        NODE.format(name=name, index=index, n=index + 1) for index, name in enumerate(names)
    )
    said = ", ".join(f'"{name}"' for name in (voters or names))
    return FILE.format(voters=said, more=more, nodes=nodes)


class Box:
    """One node: its disk and its guard outlive its core."""

    def __init__(self, index):
        self.index = index
        self.state = VoterState.blank(bytes([index + 1]) * 16)
        self.inc = 0
        self.boot = bytes([index]) * 16
        self.holds = {}  # lease -> (epoch, d3)
        self.runs = {}  # lease -> epoch
        self.told = []  # what the core did, but for frames
        self.is_up = False
        self.disk_fails = False
        self.guard = "well"  # or gone, or refuses
        self.offset_ms = 7_000_000 * (index + 1)  # every machine was started at another time
        self.core = None
        self.due_ms = 0  # the site's time: when its core wants a tick

    def of(self, kind, **fields):
        """The effects of one kind."""
        return [
            each
            for each in self.told
            if isinstance(each, kind)
            and all(getattr(each, name) == value for name, value in fields.items())
        ]

    def lease(self, name="main"):
        return self.core.leases[name]


class Cores:
    """Time moves by ``run``; ``cut`` holds (sender, receiver, path), None standing for any."""

    def __init__(self, folder: Path, *, seed=1, replaced=("", ""), text=site_file, **said):
        self.folder = folder
        file = folder / "ha.toml"
        file.write_text(text(**said).replace(*replaced))
        self.config = load(file)
        self.now_ms = START_MS
        self.cut = set()
        self.afar = lambda _box, _frame: None  # takes frames to a witness at the centre
        self.dice = random.Random(seed)  # noqa: S311 - the same seed gives the same run
        self.boxes = [Box(index) for index in range(len(self.config.nodes))]
        self._queue = []  # a heap of (when, order, box, incarnation, event)
        self._order = 0

    def start(self, *which, redundancy=RedundancyState.NORMAL, guarded=True, eligible=True):
        """Start the agents of some nodes, or of all."""
        for index in which or range(len(self.boxes)):
            box = self.boxes[index]
            box.inc, box.is_up = box.inc + 1, True
            who = Who("lab", index, box.boot, box.inc)
            before = Before(box.state, redundancy, dict(box.holds) if guarded else None)
            box.core = Core(who, self.config, before, self.clock(box))
            self._do(box, box.core.start(self.clock(box)))
            if eligible:
                self.tell(index, ev.Eligible("main", ok=True))
        return self

    def reboot(self, index):
        """Lose power: what ran is gone, the guard's holds and the kernel's boot id too."""
        box = self.boxes[index]
        box.is_up = False
        box.holds, box.runs = {}, {}
        box.boot = bytes([box.boot[0] + 100]) * 16

    def clock(self, box):
        return self.now_ms + box.offset_ms

    def tell(self, index, event):
        """Give a node an event; return its answer to an order."""
        box = self.boxes[index]
        return self._do(box, box.core.handle(event, self.clock(box)))

    def run(self, ms):
        """Let time pass."""
        end_ms = self.now_ms + ms
        while self.now_ms < end_ms:
            self.now_ms = min(max(self._next_ms(), self.now_ms + 1), end_ms)
            self._deliver()
            for box in self.boxes:
                if box.is_up and box.due_ms <= self.now_ms:
                    self.tell(box.index, le.Tick(self.dice.random()))
        return self

    def _next_ms(self):
        due = [box.due_ms for box in self.boxes if box.is_up]
        return min([*due, *(each[0] for each in self._queue[:1])], default=self.now_ms + 1)

    def until(self, true, ms=60_000):
        """Let time pass until something holds; return after how long."""
        start_ms = self.now_ms
        while not true():
            assert self.now_ms - start_ms < ms, "it did not come to that"
            self.run(10)
        return self.now_ms - start_ms

    def holders(self, lease="main"):
        """Who runs a lease's group."""
        return [box.index for box in self.boxes if lease in box.runs]

    def settled(self):
        """Start all, and run until one holds the group and everybody votes."""
        self.start()
        self.until(lambda: len(self.holders()) == 1)
        self.run(12_000)
        return self.holders()[0]

    def later(self, box, ms, event):
        """Give a node an event in a while."""
        self._later(box, ms, event)

    def _later(self, box, ms, event):
        self._order += 1
        heapq.heappush(self._queue, (self.now_ms + ms, self._order, box, box.inc, event))

    def _deliver(self):
        while self._queue and self._queue[0][0] <= self.now_ms:
            _, _, box, inc, event = heapq.heappop(self._queue)
            if box.is_up and box.inc == inc:
                if isinstance(event, ev.OfLease) and isinstance(event.event, le.StopConfirmed):
                    box.runs.pop(event.lease, None)
                self._do(box, box.core.handle(event, self.clock(box)))

    def _do(self, box, effects):
        # As the agent does: what was due is asked for after each event, not at each moment.
        box.due_ms = box.core.due_ms(self.clock(box)) - box.offset_ms
        answer = None
        for effect in effects:
            if isinstance(effect, ev.Send):
                self._send(box, effect.frame)
                continue
            box.told.append(effect)
            match effect:
                case Persist():
                    self._persist(box, effect)
                case ev.Arm() | ev.Disarm():
                    self._guard(box, effect)
                case ev.Start(lease, epoch):
                    box.runs[lease] = epoch
                case ev.Stop(lease, epoch):
                    self._later(box, 20, ev.OfLease(lease, le.StopConfirmed(epoch)))
                case le.Answer():
                    answer = effect
                case ev.Raise() | ev.Clear() | ev.Keep() | ev.Watch() | Explain():
                    pass
        return answer

    def _persist(self, box, effect):
        if box.disk_fails:
            self._later(box, 3, PersistFailed(effect.token))
            return
        box.state = msgspec.msgpack.decode(effect.state.blob(), type=VoterState)
        self._later(box, 3, ev.Persisted(effect.token, 3))

    def _guard(self, box, effect):
        if box.guard == "gone":
            self._later(box, 1, le.GuardLost())
        elif isinstance(effect, ev.Disarm):
            box.holds.pop(effect.lease, None)
            self._later(box, 1, ev.OfLease(effect.lease, le.Disarmed(effect.epoch)))
        elif box.guard == "refuses":
            refused = le.ArmRefused(effect.epoch, "no-watchdog", lasts=True)
            self._later(box, 1, ev.OfLease(effect.lease, refused))
        else:
            box.holds[effect.lease] = (effect.epoch, effect.deadlines and effect.deadlines[2])
            self._later(
                box,
                1,
                ev.OfLease(effect.lease, le.Armed(effect.epoch, effect.deadlines is not None)),
            )

    def _send(self, sender, frame):
        if not isinstance(frame, Beat) and frame.to == WITNESS:
            self.afar(sender, frame)
            return
        for path, way in enumerate(self.config.paths):
            for box in self.boxes:
                is_own = box is sender
                if is_own and not (isinstance(frame, Beat) and way.driver == "mqtt"):
                    continue
                if not isinstance(frame, Beat) and frame.to != box.index:
                    continue
                if self._carries(sender.index, box.index, path):
                    delay_ms = self.dice.randint(1, 4)
                    self._later(box, delay_ms, ev.FrameIn(path, replace(frame, path=path)))

    def _carries(self, sender, receiver, path):
        return not self.cut or not any(
            (a, b, c) in self.cut
            for a in (sender, None)
            for b in (receiver, None)
            for c in (path, None)
        )
