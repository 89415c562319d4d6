"""One lease at one node, and what reaches it: for the tests of its parts."""

from roost_agent.ha.lease import Lease
from roost_agent.ha.lease_events import (
    Armed,
    Eligible,
    GuardState,
    Received,
    Start,
    Tick,
    ViewChanged,
)
from roost_agent.ha.timing import DEFAULT
from roost_agent.ha.view import View
from roost_protocol.electorate import Electorate
from roost_protocol.ha import Kind, LeaseFrame, Nonce
from roost_protocol.voter_events import Configured, Send
from roost_protocol.voter_state import VoterState

BOOT = b"b" * 16
THREE = Electorate(7, (0, 1, 2), (0, 1, 2))
PAIR = Electorate(7, (0, 1), (0, 1), sticky=True)
ALL = View(frozenset({0, 1, 2}))
STOP_MS = 400
D1, D2, D3 = 6_000 - 500 - 400, 6_000 - 500, 6_000  # of a round sent at 0
QUORUM = Electorate(8, (0, 1, 2), (0, 1, 2))
TWO = Electorate(8, (0, 1), (0, 1, 2), sticky=True)


def lease(record=None, electorate=THREE, **more):
    state = VoterState(1, b"v" * 16, 3, BOOT, {"main": record} if record else {})
    given = {"hosts": (0, 1), "stop_ms": STOP_MS, "watchdog_ms": 0, "timing": DEFAULT}
    given |= {"state": state}
    return Lease("main", me=0, boot=BOOT, electorate=electorate, **given | more)


def follower(view=ALL, **more):
    one = lease(**more)
    one.handle(GuardState(), 0)
    one.handle(Eligible(True), 0)
    one.handle(ViewChanged(view), 0)
    return one


def frame(node, kind, **more):
    given = {
        "site": "lab", "node": node, "boot": bytes([node]) * 16, "inc": 1, "path": 0, "seq": 1,
        "boot_ms": 0, "period_ms": 500, "lhm": 1, "cfgver": 7, "echo": {}, "to": 0, "kind": kind,
        "name": "main", "epoch": 32, "nonce": Nonce(b"x" * 16, 1, 1), "owner": node,
        "owner_boot": bytes([node]) * 16,
    }  # fmt: skip
    return LeaseFrame(**given | more)


def answer(one, node, send, now_ms, kind=Kind.GRANT, **more):
    """Let a voter answer what was sent."""
    given = {"nonce": send.nonce, "epoch": send.epoch, "owner": 0, **more}
    return one.handle(Received(frame(node, kind, **given), 1), now_ms)


def only(effects, kind):
    return [effect for effect in effects if type(effect) is kind]


def stands(one, now_ms=0):
    """Let time pass until it asks; return its requests."""
    one.handle(Tick(0.0), now_ms)
    return only(one.handle(Tick(0.0), one.due_ms(now_ms)), Send)


def wins(one, sends, now_ms, voters=(0, 1)):
    """Grant both of its rounds; return what winning brings."""
    out = []
    for node in voters:
        out = answer(one, node, sends[0], now_ms)
    (first, *_) = only(out, Send)
    assert first.kind is Kind.ACQUIRE
    for node in voters:
        out = answer(one, node, first, now_ms)
    return out


def holder(now_ms=200, **more):
    """Return a lease that runs, of a round sent at ``now_ms``."""
    one = follower(**more)
    sends = stands(one)
    wins(one, sends, now_ms)
    assert one.handle(Armed(one.epoch), now_ms) == [Start(one.epoch)]
    return one


def question(node=1):
    return Received(frame(node, Kind.ATTEST, owner=None), None)


def under(one, electorate, now_ms=0, *, provable=frozenset(), accepted=None):
    return one.handle(Configured(electorate, provable, accepted), now_ms)


def renewal(one, now_ms):
    return only(one.handle(Tick(0.0), now_ms), Send)


def site_lease(**more):
    given = {"hosts": (0, 1, 2), "stop_ms": 0, "watchdog_ms": 0, "timing": DEFAULT}
    state = VoterState(1, b"v" * 16, 3, BOOT, {})
    one = Lease("site", me=0, boot=BOOT, electorate=THREE, state=state, **given | more)
    one.handle(GuardState(), 0)
    one.handle(Eligible(True), 0)
    one.handle(ViewChanged(ALL), 0)
    return one
