"""A voter with a disk, and what candidates ask of it."""

from roost_protocol.electorate import Electorate
from roost_protocol.ha import Kind, LeaseFrame, Nonce
from roost_protocol.terms import Terms
from roost_protocol.voter import Voter
from roost_protocol.voter_events import (
    Begin,
    Persist,
    Persisted,
    Request,
    Send,
)
from roost_protocol.voter_state import Record, VoterState

TERMS = Terms(6_000, 1_000, 100, 1_000)
P = 7_122
BOOT = {node: bytes([node]) * 16 for node in range(4)}
BEFORE = b"0" * 16  # the boot before
FRESH = Record(cfgver=7)
GRANTED = (Kind.GRANT, "")


class Disk:
    """A voter with a disk that takes everything at once, unless it is told not to."""

    def __init__(self, records=None, *, sticky=False, voters=(0, 1, 2), boot=BOOT[0], **more):
        given = {"guarded": True, "watchdogs": {"main": 0}, "nodes": voters} | more
        state = VoterState(1, b"v" * 16, 3, BOOT[0], {"main": FRESH} | (records or {}))
        self.voter = Voter(
            0,
            Electorate(7, voters, given["nodes"], sticky),
            TERMS,
            given["watchdogs"],
            state=given.get("state", state),
            boot=boot,
            guarded=given["guarded"],
            by_proof=given.get("by_proof", frozenset()),
            takes_proof=given.get("takes_proof", True),
        )
        self.stored = self.voter.state
        self.works = True
        self.said = self.do(Begin(), 0)

    def do(self, event, now_ms):
        """Return what the voter wants, with what follows once its writes are done."""
        out = []
        for effect in self.voter.handle(event, now_ms):
            out.append(effect)
            if isinstance(effect, Persist) and self.works:
                self.stored = effect.state
                out += self.do(Persisted(effect.token), now_ms)
        return out

    def ask(self, now_ms=0, age_ms=10, **fields):
        """Ask as a candidate does, and return the answer."""
        answers = [e for e in self.do(Request(frame(**fields), age_ms), now_ms) if type(e) is Send]
        return answers[0] if answers else None


def frame(node=1, kind=Kind.ACQUIRE, epoch=33, counter=1, **more):
    given = {
        "site": "lab", "node": node, "boot": BOOT[node], "inc": 1, "path": 0, "seq": 1,
        "boot_ms": 0, "period_ms": 500, "lhm": 1, "cfgver": 7, "echo": {}, "to": 0, "kind": kind,
        "name": "main", "epoch": epoch, "nonce": Nonce(bytes([node]) * 16, 1, counter),
        "owner": node, "owner_boot": more.get("boot", BOOT[node]),
    }  # fmt: skip
    return LeaseFrame(**given | more)


def told(answer):
    return (answer.kind, answer.reason)


def attest(disk, *nodes, now_ms=100, max_epoch=0, **more):
    nonce = Nonce(b"v" * 16, more.pop("inc", 4), 1)
    given = {"kind": Kind.ATTEST, "epoch": 0, "nonce": nonce, "max_epoch": max_epoch}
    for node in nodes:
        out = disk.do(Request(frame(node, **given | more), None), now_ms)
    return out


def asked(effects):
    return [effect.to for effect in effects if type(effect) is Send]
