"""Proof: what nobody can take in is counted, kept for a look and told; it stops no stream."""

import asyncio
import random
import tempfile
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from broker import Broker
from central_process import CentralProcess
from proof import Proof
from reporters import Reporter, connected, event
from waiting import until

from roost_protocol.envelope import ItemKind
from roost_protocol.limits import MESSAGE_BYTES_MAX

POISONS = 300
KEPT_BYTES = 4_096  # of each, as docs/api.md says
HEALTHY = 5  # nodes that report all the while
EVERY_S = 0.1
TOLD = "280.807"
PAGE = 1_000
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Poison:
    """Something that is said and what of it must be kept; an item's report is receipted."""

    payload: bytes
    kept: bytes
    is_item: bool


def poison(node: Reporter, dice: random.Random) -> Poison:
    """Return a message, or an item of a sound report, that nobody can take in."""
    noise = dice.randbytes(dice.randint(1, 3_000))
    sound = node.events(0, 3)
    whole = [
        b"\xc0" + noise,  # nil, and no message is
        sound[: dice.randrange(1, len(sound))],  # cut off
        Reporter("lab.n1").events(0, 1),  # in another's name
        node.report(0, []).replace(b"wan1", b"WAN1"),  # a name that is none
        bytes(MESSAGE_BYTES_MAX + 1),  # more than a message may have
    ]
    items = [
        (b"\xc1" + noise, ItemKind.EVENT),
        (event(1)[:-1], ItemKind.ALARM),
        (noise, ItemKind.JOB),  # of a later release
    ]
    if dice.random() < 0.5:
        payload = dice.choice(whole)
        return Poison(payload, payload[:KEPT_BYTES], is_item=False)
    body, kind = dice.choice(items)
    return Poison(node.report(0, [body], kind=kind), body[:KEPT_BYTES], is_item=True)


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Poison the centre from many nodes while others report."""
    count = max(3, round(POISONS * share))
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    nodes = [Reporter(f"bad{n}.n1") for n in range(count)]
    poisons = {node.node: poison(node, dice) for node in nodes}
    with tempfile.TemporaryDirectory(prefix="roost-poison-") as folder:
        broker = Broker(Path(folder), more="max_queued_messages 10000\n")
        central = CentralProcess(Path(folder), broker.url)
        try:
            broker.start()
            central.start()
            central.ready()
            asyncio.run(_say_all(broker.port, nodes, poisons))
            faults = asyncio.run(_faults(central, poisons))
        finally:
            central.kill()
            broker.kill()
    for fault in faults[:5]:
        say(fault)
    yield Proof(
        "poison.kept",
        runs=count,
        failures=len(faults),
        seed=seed,
        note=f"P9: {sum(not each.is_item for each in poisons.values())} messages and "
        f"{sum(each.is_item for each in poisons.values())} items that nobody can take in: each "
        f"counted, kept with its first {KEPT_BYTES:,} bytes, told by an event; streams go on",
    )


async def _say_all(port: int, nodes: list[Reporter], poisons: dict[str, Poison]) -> None:
    """Say each poison; behind an item a sound event, which must be receipted."""
    healthy = [Reporter(f"good.n{n}") for n in range(1, HEALTHY + 1)]
    async with connected(port, [*nodes, *healthy]) as reporters, asyncio.TaskGroup() as group:
        talks = [group.create_task(reporters.talk(it, every_s=EVERY_S)) for it in healthy]
        before = [it.mark for it in healthy]
        for node in nodes:
            each = poisons[node.node]
            await reporters.client.publish(node.topics.report, each.payload, qos=1)
            if each.is_item:
                await reporters.client.publish(node.topics.report, node.events(1, 1), qos=1)
        spoilt = [node for node in nodes if poisons[node.node].is_item]
        what = "receipts past the poison"
        await until(lambda: all(node.mark == 2 for node in spoilt), what, seconds=PATIENCE_S)
        what = "the others' progress"
        await until(
            lambda: all(it.mark > was for it, was in zip(healthy, before, strict=True)), what
        )
        for talk in talks:
            talk.cancel()


async def _faults(central: CentralProcess, poisons: dict[str, Poison]) -> list[str]:
    """Compare what the centre's API shows with what was said."""

    def look(path: str) -> list[dict]:
        return list(central.get(f"/api/v1/{path}limit={PAGE}")["items"])

    what = "all of it kept"
    await until(lambda: len(look("dead-letters?")) >= len(poisons), what, seconds=PATIENCE_S)
    kept = {letter["node"]: b64decode(letter["payload"]) for letter in look("dead-letters?")}
    told = {each["node"] for each in look(f"events?filter=kind:{TOLD}&")}
    ingest = central.get("/api/v1/status")["ingest"]
    faults = [
        f"{node}: kept {kept.get(node, b'')[:20]!r}, told {node in told}"
        for node, each in poisons.items()
        if kept.get(node) != each.kept or node not in told
    ]
    counted = {"letters": ingest["dead_letters"], "refused": sum(ingest["refused"].values())}
    faults += [f"{n} {what} counted" for what, n in counted.items() if n != len(poisons)]
    return faults
