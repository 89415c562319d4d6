"""One node's fencing, and the devices that it drives, with a clock that moves by hand."""

from roost_agent.ha.fence.core import FenceCore
from roost_agent.ha.fence.event import (
    Case,
    Drive,
    Driven,
    Keep,
    KeepFailed,
    Kept,
    Power,
    Situation,
    Tick,
    Verb,
)

ME, OWNER, OTHER = 1, 0, 2
BOOT, LATER = b"a" * 16, b"b" * 16
UUIDS = {
    ME: "11111111-2222-3333-4444-555555555551",
    OWNER: "11111111-2222-3333-4444-555555555550",
    OTHER: "",
}
LOST = Case("main", OWNER, 32, BOOT, is_heard=True, may_off=True, wait_ms=300)
PAIR = Situation(
    cases=(LOST,), boots={OWNER: BOOT}, holders={"main": OWNER}, is_sticky=True, present=frozenset()
)


class Fence:
    """A fence core whose clock moves by hand, and the devices that it drives."""

    def __init__(self, situation=PAIR, **known):
        self.core = FenceCore(ME, UUIDS, **known)
        self.now_ms = known.get("now_ms", 0)
        self.told = []
        self.tell(situation)
        self.power = {ME: Power.ON, OWNER: Power.ON, OTHER: Power.ON}
        self.faults = {}
        self.uuids = dict(UUIDS)
        self.obeys = True
        self.disk = ""

    def tell(self, event):
        effects = self.core.handle(event, self.now_ms)
        self.told += effects
        return effects

    def of(self, kind, **fields):
        return [
            each
            for each in self.told
            if isinstance(each, kind)
            and all(getattr(each, name) == value for name, value in fields.items())
        ]

    def cuts(self):
        return self.of(Drive, verb=Verb.OFF)

    def run(self, ms):
        """Let time pass; devices and the disk answer at once."""
        end_ms = self.now_ms + ms
        while self.now_ms < end_ms:
            due_ms = self.core.due_ms(self.now_ms)
            self.now_ms = min(end_ms, max(self.now_ms, end_ms if due_ms is None else due_ms))
            self.do(self.tell(Tick(0.5)))
        return self

    def do(self, effects):
        for effect in effects:
            if isinstance(effect, Drive):
                self.do(self.tell(self.driven(effect)))
            elif isinstance(effect, Keep) and self.disk:
                self.do(self.tell(KeepFailed(effect.token, self.disk)))
            elif isinstance(effect, Keep):
                self.do(self.tell(Kept(effect.token)))

    def driven(self, drive):
        node = drive.node
        if drive.verb is not Verb.STATUS and self.obeys:
            self.power[node] = Power(str(drive.verb))
        return Driven(drive.token, self.power[node], self.uuids[node], self.faults.get(node, ""))


def trials_are_over(fence):
    fence.told.clear()
    return fence
