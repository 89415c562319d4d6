"""A site of whole HA cores whose nodes have an update, and what they say of it."""

from types import SimpleNamespace

from ha_cores import Cores

from roost_agent.ha.config import SITE_LEASE
from roost_agent.update.out_of_service import OutOfService
from roost_agent.update.site_lan import Lan
from roost_agent.update.site_members import SiteMembers
from roost_agent.update.site_standing import Head
from roost_agent.update.site_update import Here, SiteUpdate
from roost_agent.update.step import Step
from roost_protocol.host import Admin, Avail, Oper
from roost_protocol.update import Offer

NODES = ["lab.c0", "lab.c1", "lab.w1"]
OFFER = Offer(
    v=1, rollout="b" * 32, job="a" * 32, attempt=1, component="app/web", version="2.0",
    digest="0a" * 32, size=1, nodes=NODES, not_before_ms=0, not_after_ms=10,
)  # fmt: skip
STAGED, DONE = Head(Step.STAGED), Head(Step.END, "succeeded", committed=True)
AT_WORK = Head(Step.INSTALL)
SERVING = (Admin.UNLOCKED, Oper.ENABLED, Avail.AVAILABLE)


class UpdatedSite:
    """The cores, and on each node what an update asks of them; ``heads`` are the journals."""

    def __init__(self, folder, **said):
        self.cores = Cores(folder, **said)
        self.holder = self.cores.settled()
        self.lan = Lan(object(), 7_788)  # an identity is asked for, and not used here
        count = len(self.cores.boxes)
        self.heads = [STAGED] * count
        self.closed, self.hold = [""] * count, [""] * count
        self.own = [False] * count  # whether what is closed is a window of the node's own
        self.alarms = [None] * count  # that stand on them and the plan's word does not let pass
        self.reached = [True] * count
        self.hosts = [SimpleNamespace(core=SimpleNamespace(state=SERVING)) for _ in range(count)]
        self.of = [self.part(index) for index in range(count)]
        self.said = [None] * count

    def part(self, index):
        cores, box = self.cores, self.cores.boxes[index]
        runtime = SimpleNamespace(
            core=box.core, config=cores.config, conditions={},
            now_ms=lambda: cores.clock(box), tell=lambda event: cores.tell(index, event),
        )  # fmt: skip
        members = SiteMembers("lab", runtime, self.hosts[index])
        return SiteUpdate("lab", runtime, members, lan=self.lan)

    def service(self, index):
        """What takes a node out of service."""
        return OutOfService(self.hosts[index], None, self.of[index]._members)

    def turn(self, *, offer=OFFER, takes_down=True, ms=800):
        """Every node asks, and time passes for beats to go round; each may have its own offer."""
        for _ in range(3):  # heads go round, then the word of who coordinates
            for index, part in enumerate(self.of):
                if self.cores.boxes[index].is_up:
                    mine = offer[index] if isinstance(offer, list) else offer
                    self.said[index] = part.ask(
                        mine,
                        self.heads[index],
                        Here(
                            takes_down, self.closed[index], self.own[index], self.hold[index],
                            self.alarms[index], self.reached[index],
                        ),
                    )[1]  # fmt: skip
            self.cores.run(ms)
        return {NODES[i] for i, each in enumerate(self.said) if each and NODES[i] in each.go}

    @property
    def coordinator(self):
        held = [b.index for b in self.cores.boxes if b.is_up and b.lease(SITE_LEASE).is_held]
        return held[0]

    @property
    def told(self):
        """What whoever coordinates waits for, and its sentence."""
        one = self.said[self.coordinator]
        return one.why, one.sentence
