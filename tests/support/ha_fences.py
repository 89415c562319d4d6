"""A small site of whole HA cores with a fence of each node: power that a test, or a peer, cuts."""

from ha_cores import Cores, site_file

from roost_agent.ha import core_events as ev
from roost_agent.ha.fence.core import FenceCore
from roost_agent.ha.fence.event import (
    Ask,
    Drive,
    Driven,
    Elsewhere,
    Keep,
    Kept,
    NoProof,
    Power,
    Proven,
    Tick,
    Tried,
    Verb,
)
from roost_agent.ha.fence.situation import situation
from roost_agent.ha.gateway import Gateways
from roost_protocol.explain import Explain

STEP_MS = 500
UUIDS = [f"11111111-2222-3333-4444-55555555555{index}" for index in range(5)]
FENCES = "".join(
    f'[[fence]]\nnode = "{name}"\ndriver = "command"\ncommand = ["/x"]\nuuid = "{UUIDS[index]}"\n'
    for index, name in enumerate(("c0", "c1"))
)


def fenced_file(**said):
    """The text of a site's file in which c0 and c1 have a fence."""
    return site_file(**said) + FENCES


def _hard_file(**said):
    """The file in which `main` is hard, by fencing."""
    text = fenced_file(**said)
    for line, more in (
        ('name = "main"\n', 'hard_by = "fence"'),
        ('name = "db"\n', 'exclusive = "hard"'),
    ):
        text = text.replace(line, f"{line}{more}\n", 1)
    return text


class Fenced(Cores):
    """Each core has fencing beside it; ``power`` and ``bmc`` are what the devices do.

    Attributes:
        bmc: node to what its device does: well, dead, stuck.
        power: as the devices say it.
        boots: whether a node that is switched on comes up, with another boot.
        told: (node, effect) of fencing.
    """

    def __init__(self, folder, *, hard_by_fence=False, **said):
        super().__init__(folder, text=_hard_file if hard_by_fence else fenced_file, **said)
        self.bmc = dict.fromkeys(range(2), "well")
        self.power = dict.fromkeys(range(2), Power.ON)
        self.boots = True
        self.has_carrier = True
        self.gateway = None  # whether each node's answers; None: it has none
        self.gateways = [Gateways(self.config.timing.age_ms_max) for _ in self.boxes]
        self.fencing = {}
        self.fenced = {}
        self.acts = []
        self._looks_ms = self.now_ms + STEP_MS  # when fencing looks at its core next

    def start(self, *which, **how):
        super().start(*which, **how)
        for index in which or range(len(self.boxes)):
            now_ms = self.clock(self.boxes[index])
            self.fencing[index] = FenceCore(index, dict(enumerate(UUIDS[:2])), now_ms=now_ms)
            self.fenced[index] = {}
            self.tell(index, ev.Unfenced("not tested yet"))
        return self

    def run(self, ms):
        end_ms = self.now_ms + ms
        while self.now_ms < end_ms:
            super().run(min(self._looks_ms, end_ms) - self.now_ms)
            if self.now_ms == self._looks_ms:
                self._looks_ms += STEP_MS
                for box in self.boxes:
                    if box.is_up and box.core.leases:
                        self._look(box)
        return self

    def of(self, kind, **fields):
        """The effects of one kind, with who did it."""
        return [
            (index, each)
            for index, each in self.acts
            if isinstance(each, kind)
            and all(getattr(each, name) == value for name, value in fields.items())
        ]

    def cuts(self):
        """Who switched whom off."""
        return [(index, each.node) for index, each in self.of(Drive, verb=Verb.OFF)]

    def lose_power(self, index):
        self.power[index] = Power.OFF
        self.reboot(index)

    def _look(self, box):
        core = self.fencing[box.index]
        for node, boot in box.core.voter.fenced.items():
            if self.fenced[box.index].get(node) != boot:
                self.fenced[box.index][node] = boot
                self._tell(box, Elsewhere(node, boot))
        gateways, now_ms = self.gateways[box.index], self.clock(box)
        if self.gateway:
            gateways.answered(now_ms)
        has_carrier = self.has_carrier
        seen = situation(box.core, now_ms, has_carrier=has_carrier, gateways=gateways)
        self._tell(box, seen)
        due_ms = core.due_ms(self.clock(box))
        if due_ms is not None and due_ms <= self.clock(box):
            self._tell(box, Tick(0.5))

    def _tell(self, box, event):
        for effect in self.fencing[box.index].handle(event, self.clock(box)):
            self.acts.append((box.index, effect))
            match effect:
                case Ask(owner, lease, epoch):
                    self.tell(box.index, ev.Yield(owner, lease, epoch))
                case Keep(token):
                    self._tell(box, Kept(token))
                case Drive(token, node, verb):
                    self._tell(box, self._driven(token, node, verb))
                case Proven(node, boot, by):
                    self.fenced[box.index][node] = boot
                    self.tell(box.index, ev.Proven(node, by, boot))
                case NoProof(sentence):
                    self.tell(box.index, ev.NoProof(sentence))
                case Tried(node, fault):
                    if node == box.index:
                        self.tell(box.index, ev.Unfenced(fault))
                case Explain():
                    box.told.append(effect)

    def _driven(self, token, node, verb):
        if self.bmc[node] == "dead":
            return Driven(token, Power.UNKNOWN, "", "no answer within 10 s")
        if verb is Verb.OFF and self.bmc[node] == "well" and self.power[node] is Power.ON:
            self.lose_power(node)
        if verb is Verb.ON and self.power[node] is Power.OFF:
            self.power[node] = Power.ON
            if self.boots:
                self.start(node)
        return Driven(token, self.power[node], UUIDS[node])
