"""Proof: a broker that forges, changes, redirects and repeats brings nothing into the centre.

``broker.hostile`` gives the centre's door (seals.py) what such a broker makes of sealed messages;
what is let in must be, byte by byte and on its topic, what a node said. ``replay.reports`` records
what a fleet reports and gives a centre the whole of it again, in three orders: nothing changes.
"""

import asyncio
import random
import tempfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

from memory_broker import Centre, running
from proof import Proof
from reporters import Reporter
from sqlalchemy import select

from roost_central.ingest.seals import Seals
from roost_central.storage import tables
from roost_protocol.alarm import Event
from roost_protocol.codec import encode
from roost_protocol.envelope import Gone
from roost_protocol.errors import ProtocolError
from roost_protocol.limits import SEAL_BYTES
from roost_protocol.seal import Seal, report_key
from roost_protocol.severity import Severity
from roost_protocol.topics import NodeId, NodeTopics, parse_up

MESSAGES = 1_000_000
REPLAYS = 3
REPORTS = 400  # of the recorded fleet
NODES = [NodeId(f"{site}.n{number}") for site in ("a", "b", "ab") for number in (1, 2, 11)]
KEY, OLD_KEY = bytes(range(32)), bytes(range(32, 64))
SPAN = 20_000  # messages between two words of progress

Said = tuple[str, bytes]  # topic, message


class Fleet:
    """Who is enrolled: two generations may speak, a third one was revoked."""

    revision = 0

    def is_known(self, node: str) -> bool:
        """See Identities."""
        return node in NODES

    def is_live(self, node: str, generation: int) -> bool:
        """See Identities."""
        return node in NODES and generation in {1, 2}

    def heard(self, node: str, generation: int) -> None:
        """See Identities."""

    def suspect(self, node: str, why: str) -> None:
        """See Identities."""


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Forge, then replay."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    runs = max(SPAN, round(MESSAGES * share))
    yield Proof(
        "broker.hostile",
        runs=runs,
        failures=_forge(say, dice, runs),
        seed=seed,
        note="messages of a broker that holds all that was ever said: let in is what a node said",
    )
    failures = asyncio.run(_replayed(say, dice, max(40, round(REPORTS * share))))
    yield Proof(
        "replay.reports",
        runs=REPLAYS,
        failures=failures,
        seed=seed,
        note="everything said again, in order, backwards and shuffled: the same rows and marks",
    )


def _forge(say: Callable[[str], None], dice: random.Random, runs: int) -> int:
    seals = Seals(Fleet(), (KEY, OLD_KEY), ("lo",))
    genuine = {message: topic for topic, message in _genuine(dice)}
    stock = [(topic, message) for message, topic in genuine.items()]
    wrong = heard = 0
    for number in range(runs):
        topic, message = hostile(dice, stock)
        try:
            body = seals.open(dice.choice(("lo", "wan")), parse_up(topic).node, topic, message)
        except ProtocolError:
            continue
        heard += 1
        if genuine.get(message) != topic or body != message[SEAL_BYTES:]:
            wrong += 1
            say(f"let in on {topic}: {message.hex()}")
        if number % SPAN == 0:
            say(f"{number:,} of {runs:,}, {heard:,} genuine ones let in")
    return wrong + (heard == 0)  # a door that is always shut proves nothing


def _genuine(dice: random.Random) -> Iterator[Said]:
    """Yield what the fleet says, by both ingest keys and both generations."""
    for node in NODES:
        topics = NodeTopics.of(node)
        for key in (KEY, OLD_KEY):
            for generation in (1, 2):
                seal = Seal(report_key(key, node, generation), generation)
                for topic in (topics.beat, topics.report, topics.gone):
                    body = _gone(node, dice)
                    yield topic, seal.seal(topic, body)


def _gone(node: str, dice: random.Random) -> bytes:
    return encode(
        Gone(
            v=1,
            node=node,
            boot_id=dice.randbytes(16),
            incarnation=dice.randrange(1 << 32),
            path="wan1",
            sent_ms=dice.randrange(1 << 40),
        )
    )


def hostile(dice: random.Random, stock: list[Said]) -> Said:
    """Return what a broker makes of what it has seen."""
    return dice.choice(TRICKS)(dice, dice.choice(stock), dice.choice(stock))


def _flipped(dice: random.Random, said: Said, _other: Said) -> Said:
    changed = bytearray(said[1])
    for _ in range(dice.randint(1, 3)):
        changed[dice.randrange(len(changed))] ^= dice.randint(1, 255)
    return said[0], bytes(changed)


def _renumbered(dice: random.Random, said: Said, _other: Said) -> Said:
    generation = dice.choice((0, 1, 2, 3, 1 << 31))
    return said[0], said[1][:2] + generation.to_bytes(4, "big") + said[1][6:]


def _sealed_by_another(dice: random.Random, said: Said, _other: Said) -> Said:
    """Seal with a key of its own, or one of a revoked generation."""
    key, generation = dice.choice(((dice.randbytes(32), 1), (KEY, 3)))
    node = NodeId(said[0].split("/")[3])
    return said[0], Seal(report_key(key, node, generation), generation).seal(said[0], b"\x80")


TRICKS: tuple[Callable[[random.Random, Said, Said], Said], ...] = (
    lambda _dice, said, _other: said,  # passes it on, once more
    lambda _dice, said, other: (other[0], said[1]),
    lambda dice, said, _other: (said[0], said[1][: dice.randrange(len(said[1]))]),
    lambda dice, said, _other: (said[0], said[1] + dice.randbytes(dice.randint(1, 9))),
    lambda _dice, said, other: (said[0], said[1][:SEAL_BYTES] + other[1][SEAL_BYTES:]),
    lambda _dice, said, _other: (said[0], said[1][SEAL_BYTES:]),  # its seal taken off
    _flipped,
    _renumbered,
    _sealed_by_another,
)


async def _replayed(say: Callable[[str], None], dice: random.Random, reports: int) -> int:
    failures = 0
    with tempfile.TemporaryDirectory(prefix="roost-replay-") as text:
        seals = Seals(Fleet(), (KEY,), ())
        async with running(Path(text), seals) as centre:
            for node in NODES:
                centre.register(node)
            recorded = list(_recorded(dice, reports))
            await centre.hears(recorded)
            before = await _state(centre)
            if before.count("\n") < reports:
                say("the fleet was not heard")
                return REPLAYS
            for name, again in (
                ("in order", recorded),
                ("backwards", recorded[::-1]),
                ("shuffled", dice.sample(recorded, len(recorded))),
            ):
                await centre.hears(again)
                if await _state(centre) != before:
                    say(f"all again {name}: it is not as it was")
                    failures += 1
    return failures


def _recorded(dice: random.Random, reports: int) -> Iterator[Said]:
    nodes = [Reporter(node) for node in NODES]
    for number in range(reports):
        node = dice.choice(nodes)
        text = f"said as number {number}"
        event = encode(
            Event(v=1, type="100.101", severity=Severity.MINOR, entity="cpu=0", text=text)
        )
        seal = Seal(report_key(KEY, node.node, 1), 1)
        topic = node.topics.report
        yield topic, seal.seal(topic, node.report(node.mark, [event]))
        node.mark += 1


async def _state(centre: Centre) -> str:
    """Return all events of nodes and every mark, in an order of their own, as text."""
    async with centre.database.read() as connection:
        marks = await connection.execute(select(tables.mark.c.node, tables.mark.c.seq))
        events = await connection.execute(
            select(tables.event.c.node, tables.event.c.text).where(tables.event.c.kind == "node")
        )
        rows = sorted(map(str, [*marks.all(), *events.all()]))
    return "\n".join([*rows, sha256(repr(rows).encode()).hexdigest()])
