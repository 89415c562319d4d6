"""Proof: at the fleet's live broker nobody writes or reads what its certificate does not give.

The oracle is the table of docs/brokers.md, written down here a second time. What a broker takes is
its MQTT 5 answer to a publication; what it hands out is seen before a message that must come.
"""

import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from ca import Pki
from cert_listeners import SERVER_NAME, FleetBroker
from mqtt_peer import NOT_AUTHORISED, Peer
from proof import Proof

from roost_protocol.certificate import Holder, Kind
from roost_protocol.topics import NodeTopics

PAIRS = 500
NODES = ("a.n1", "a.n10", "a.n2", "aa.n1", "a-b.n1", "ab.n1", "svc-ingest.n1", "z.9")  # look alike
INGEST, OTHER, ALL = "svc_ingest", "svc_northbound", "svc_all"
WRITES = ("up", ("beat", "report", "gone", "ha"))
READS = ("down", ("receipt", "order", "ha"))
LEVELS = ("roost", "v1", "00", "1f", "up", "down", "beat", "report", "gone", "ha", "receipt",
          "order", "canary", "x", "noc", "", "$SYS", "svc_ingest", *NODES)  # fmt: skip


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Try random pairs of an identity and a topic, to write and to read."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    runs, wrong = max(20, round(PAIRS * share)), 0
    with tempfile.TemporaryDirectory(prefix="roost-acl-") as text, ExitStack() as stack:
        broker = FleetBroker(
            Pki(Path(text) / "fleet"), set(), more_rules=f"\nuser {ALL}\ntopic write #\n"
        )
        pki = broker.pki
        stack.enter_context(broker.running())
        holders = {node: Holder(Kind.NODE, node) for node in NODES}
        holders |= {name: Holder(Kind.SERVICE, name[4:]) for name in (INGEST, OTHER, ALL)}
        peers = {}
        for name, holder in holders.items():
            shown = pki.issue(holder)
            files = (shown.chain_file, shown.key_file)
            peers[name] = stack.enter_context(
                Peer(broker.port, broker.root, files, name=SERVER_NAME)
            )
        for name in (*NODES, INGEST, OTHER):
            peers[name].subscribe("#")
        for number in range(runs):
            who, topic = dice.choice([*NODES, INGEST, OTHER]), _topic(dice)
            for what, may, did in (
                ("write", _may_write(who, topic), _writes(peers[who], topic)),
                ("read", _may_read(who, topic), _hears(peers, who, topic, number)),
            ):
                if may is not did:
                    wrong += 1
                    say(f"{who} {what} {topic!r}: {did}, and should be {may}")
    note = "identity and topic, written to and read from at a live broker, beside the oracle"
    yield Proof("acl.oracle", runs=2 * runs, failures=wrong, seed=seed, note=note)


def _topic(dice: random.Random) -> str:
    """Return a topic: a right one, one with a level changed, one level more or less, or any."""
    node = dice.choice(NODES)
    topics = NodeTopics.of(node)
    right = [topics.beat, topics.report, topics.gone, topics.receipt, topics.order, topics.ha_down]
    levels = dice.choice([*right, "roost/v1/canary/x"]).split("/")
    match dice.randrange(4):
        case 0:
            pass
        case 1:
            levels[dice.randrange(len(levels))] = dice.choice(LEVELS)
        case 2:
            levels.insert(dice.randrange(len(levels) + 1), dice.choice(LEVELS))
        case _:
            levels = [dice.choice(LEVELS) for _ in range(dice.randint(1, 7))]
    return "/".join(levels) or "x"


def _may_write(who: str, topic: str) -> bool:
    levels = topic.split("/")
    more = who == INGEST and (_is_below(levels, "down") or _is_canary(levels))
    return more or _is_own(levels, who, WRITES)


def _may_read(who: str, topic: str) -> bool:
    levels = topic.split("/")
    more = who == INGEST and (_is_below(levels, "up") or _is_canary(levels))
    return more or _is_own(levels, who, READS)


def _is_own(levels: list[str], who: str, side: tuple[str, tuple[str, ...]]) -> bool:
    match levels:
        case ["roost", "v1", _, node, way, leaf]:
            return node == who and way == side[0] and leaf in side[1]
    return False


def _is_below(levels: list[str], way: str) -> bool:
    return levels[:2] == ["roost", "v1"] and len(levels) > 4 and levels[4] == way


def _is_canary(levels: list[str]) -> bool:
    return levels[:3] == ["roost", "v1", "canary"]


def _writes(peer: Peer, topic: str) -> bool:
    return peer.publish(topic, b"written") != NOT_AUTHORISED


def _hears(peers: dict[str, Peer], who: str, topic: str, number: int) -> bool:
    """Say something there, then where it must be heard; return whether the first came too."""
    payload, last = b"%d" % number, b"last %d" % number
    peer = peers[who]
    peers[ALL].publish(topic, payload)
    mine = f"roost/v1/00/{who}/down/receipt"
    peers[ALL].publish(mine, last)
    heard = False
    while (said := peer.next()) is not None and said[1] != last:
        heard |= said[1] == payload
    if said is None:
        raise AssertionError(f"{who} does not hear what is its own")
    return heard
