"""Small sites to drive the HA cores with: frames, and nodes that beat over paths that can fail."""

from roost_agent.ha.freshness import Freshness
from roost_agent.ha.matrix import Way
from roost_agent.ha.membership import Membership, Plan
from roost_agent.ha.membership_events import BeatHeard, MemberChanged, Tick
from roost_agent.ha.suspicion import JOINING_MS
from roost_protocol.ha import Beat, Echo

H_MS = 100
SITE = "lab"
DEFS = b"services"
WAYS = (Way("mgmt", 4, True), Way("cluster", 2, True), Way("cluster", 2, False))


def beat(node, seq, **more):
    """A beat; ``echo`` as {peer: (inc, seq, held_ms)}."""
    given = {"boot": b"boot-of-" + b"%08d" % node, "inc": 1, "path": 0, "boot_ms": 0, **more}
    echo = {peer: Echo(*each) for peer, each in given.pop("echo", {}).items()}
    rest = {"period_ms": H_MS, "lhm": 1, "cfgver": 7, "defs": DEFS, "seen": {}, "leases": {}}
    return Beat(site=SITE, node=node, seq=seq, echo=echo, **{**rest, "score": 1_000, **given})


class Node:
    """One node's freshness and membership, and what membership told."""

    def __init__(self, me, site, *, now_ms=0, inc=1):
        self.me, self.inc, self.site = me, inc, site
        self.defs = DEFS
        self.is_up = True
        peers = [each for each in range(site.count) if each != me]
        echoes = [way.brings_back for way in site.ways]
        self.fresh = Freshness(me, inc, peers=peers, echoes=echoes, h_ms=H_MS)
        plan = Plan(site.voters, frozenset(site.hosts), site.ways, DEFS)
        self.members = Membership(self.fresh, plan, now_ms=now_ms)
        self.told = []

    def do(self, event, now_ms):
        self.told += self.members.handle(event, now_ms)

    def beats(self, now_ms):
        """One round of beats, a copy for each path."""
        common = {
            "inc": self.inc,
            "boot_ms": now_ms + 1_000_000 * self.me,  # every machine was started at another time
            "echo": {
                peer: (each.inc, each.seq, each.held_ms)
                for peer, each in self.fresh.echoes(now_ms).items()
            },
            "seen": self.fresh.seen(now_ms),
            "lhm": self.members.lhm,
            "score": self.members.score,
            "defs": self.defs,
        }
        seq = self.fresh.sent(now_ms)
        return [beat(self.me, seq, path=path, **common) for path in range(len(self.site.ways))]

    def hear(self, frame, now_ms):
        heard = self.fresh.heard(frame.path, frame, now_ms)
        if getattr(heard, "is_first", False):
            self.do(BeatHeard(frame, self.fresh.request_age_ms(frame, now_ms)), now_ms)
        return heard


class Site:
    """Nodes 0 to ``count`` - 1 that beat every H_MS; time moves by ``run``.

    ``cut`` holds (sender, receiver, path) that carry nothing, None standing for any.
    """

    def __init__(self, count=3, *, ways=WAYS, voters=None, hosts=(0, 1)):
        self.count, self.ways = count, ways
        self.voters = tuple(range(count)) if voters is None else voters
        self.hosts = hosts
        self.now_ms = 1_000
        self.cut = set()
        self.nodes = [Node(me, self, now_ms=self.now_ms) for me in range(count)]

    def carries(self, sender, receiver, path):
        ways = ((a, b, c) for a in (sender, None) for b in (receiver, None) for c in (path, None))
        return not any(way in self.cut for way in ways)

    def run(self, ms):
        """Let time pass: a round of beats each H_MS, a tick of everyone each quarter of it."""
        end_ms = self.now_ms + ms
        while self.now_ms < end_ms:
            self.now_ms += H_MS // 4
            if self.now_ms % H_MS == 0:
                self._round()
            for node in self.nodes:
                if node.is_up:
                    node.do(Tick(), self.now_ms)
        return self

    def _round(self):
        frames = [each for node in self.nodes if node.is_up for each in node.beats(self.now_ms)]
        for frame in frames:
            for node in self.nodes:
                is_own_datagram = node.me == frame.node and not self.ways[frame.path].brings_back
                comes = not is_own_datagram and self.carries(frame.node, node.me, frame.path)
                if node.is_up and comes:
                    node.hear(frame, self.now_ms)

    def states(self, of):
        """What node ``of`` takes the others for."""
        node = self.nodes[of]
        return {peer: str(node.members.state(peer)) for peer in node.fresh.peers}


def settled(**more):
    """A site where all hear each other for long enough that nobody joins any more."""
    return Site(**more).run(JOINING_MS + 10 * H_MS)


def changes(node, kind=MemberChanged):
    """What a node's membership told, of one kind."""
    return [each for each in node.told if isinstance(each, kind)]
