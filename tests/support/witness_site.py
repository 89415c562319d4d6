"""The nodes of a pair, as their witness at the centre hears them."""

from roost_central.witness.core import SiteWitness
from roost_central.witness.events import FrameIn, Keep, Persisted, Tell
from roost_protocol.configuration import WITNESS, Configuration, Joined
from roost_protocol.enlistment import Enlistment
from roost_protocol.ha import Echo, Kind, LeaseFrame, Nonce

BOOT = {0: b"0" * 16, 1: b"1" * 16}
BORN = 1_000
FILE = Configuration(7 << 20, (0, 1), sticky=True)
SAID = Enlistment(FILE, (0, 1), 6_000, 1_000, 100, 1_000, {"site": 0, "main": 0})


def asked(node, **more):
    """A frame of a node to the witness."""
    given = {
        "site": "lab", "node": node, "boot": BOOT[node], "inc": 1, "path": 0, "seq": 1,
        "boot_ms": 0, "period_ms": 500, "lhm": 1, "cfgver": FILE.cfgver, "echo": {}, "to": WITNESS,
        "kind": Kind.ENLIST, "name": "site", "epoch": 0, "nonce": Nonce(b"v" * 16, 1, 1),
        "owner": node, "owner_boot": BOOT[node],
    }  # fmt: skip
    return LeaseFrame(**given | more)


class Pair:
    """The witness of a pair, with a disk that works or keeps what it was told for later."""

    def __init__(self, kept=None, boot=b"w" * 16, born=BORN):
        self.disk = kept
        self.works = True
        self.waiting = []
        self.told = []  # (name, frame), the newest last
        self.seq = {0: 0, 1: 0}
        self.echo = {}
        self.core = SiteWitness("lab", boot, born, kept)
        self.do(self.core.start(0), 0)

    def do(self, effects, now_ms):
        """Have done what it wants."""
        for effect in effects:
            if isinstance(effect, Tell):
                self.told.append((effect.name, effect.frame))
                at = effect.frame.to
                self.echo[at] = Echo(effect.frame.inc, effect.frame.seq, 0), now_ms
            elif isinstance(effect, Keep):
                self.waiting.append(effect)
                if self.works:
                    self.land(now_ms)

    def land(self, now_ms):
        """Let what waits for the disk be there."""
        while self.waiting:
            keep = self.waiting.pop(0)
            self.disk = keep.kept
            self.do(self.core.handle(Persisted(keep.life, keep.token), now_ms), now_ms)

    def says(self, node, now_ms=0, speaker=None, **more):
        """Let a node say something; return what it is answered."""
        self.seq[node] += 1
        if node in self.echo and "echo" not in more:
            echo, since_ms = self.echo[node]
            more["echo"] = {WITNESS: Echo(echo.inc, echo.seq, now_ms - since_ms)}
        before = len(self.told)
        frame = asked(node, **{"seq": self.seq[node]} | more)
        self.do(self.core.handle(FrameIn(speaker or f"c{node}", frame), now_ms), now_ms)
        answers = [f for _, f in self.told[before:] if f.to == node and f.kind is not Kind.ATTEST]
        return answers[-1] if answers else None

    def enlists(self, node, now_ms=0, said=SAID, **more):
        """Let a node say what its file says; twice, as the first time it has nothing to echo."""
        if node not in self.echo:
            self.says(node, now_ms, enlistment=said, **more)
        return self.says(node, now_ms, enlistment=said, **more)

    def joins(self, now_ms=0):
        """Have it vote, as the third of the site."""
        self.enlists(0, now_ms)
        self.enlists(1, now_ms)
        answer = self.enlists(0, now_ms)
        life = Joined(WITNESS, answer.boot, answer.inc)
        cfg = Configuration(FILE.cfgver + 1, (0, 1, WITNESS), sticky=False, joined=life)
        more = {"cfg": cfg, "cfgver": cfg.cfgver, "epochs": {"main": 32}}
        self.says(0, now_ms, kind=Kind.CFG_COMMIT, **more)
        return cfg

    def attest(self, node, now_ms, lease, epoch=0):
        """Let a node answer what it was asked last of a lease: what it holds."""
        asks = [
            f for _, f in self.told if f.kind is Kind.ATTEST and (f.to, f.name) == (node, lease)
        ]
        more = {"name": lease, "epoch": epoch, "nonce": asks[-1].nonce, "cfgver": asks[-1].cfgver}
        self.says(node, now_ms, kind=Kind.ATTEST, **more)

    def asks(self, node, now_ms, kind=Kind.ACQUIRE, epoch=None):
        """Let a node ask for the lease of the group; return the answer's kind and reason."""
        more = {"name": "main", "epoch": 64 + node if epoch is None else epoch}
        more["cfgver"] = self.core._voter.electorate.cfgver
        answer = self.says(node, now_ms, kind=kind, **more)
        return answer and (answer.kind, answer.reason)
