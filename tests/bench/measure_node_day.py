"""``inventory.bytes_per_node_day``: what this machine would tell of its inventory in a day.

The real probe is run again and again, as the agent does every six hours by default, and what moved
in between goes through the agent's ledger into reports. The day is the first of a node: the whole
snapshot, and four probes; a later day has the probes alone.
"""

import asyncio
from collections.abc import Callable, Iterator

from figure import QUICK, Figure

from roost_agent.inventory import ledger, snapshot
from roost_agent.wake.child import probe
from roost_protocol.codec import VERSION, encode, pack
from roost_protocol.envelope import Item, ItemKind, Lane, Report
from roost_protocol.inventory import InventoryDocument

PROBES = 3 if QUICK else 9
PAUSE_S = 2 if QUICK else 30  # between two: what moves by itself has time to
A_DAY = 4
NOW_MS = 1_800_000_000_000
NODE = "edge-00001.n1"
HEADER_BYTES = 64  # of MQTT, its topic and TLS, for each report


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Probe, and count what would be sent."""
    first, others, items = asyncio.run(_run(say))
    each = sum(others) / len(others)
    day = first + A_DAY * each
    note = (
        f"{items:,} items once: {first:,} bytes; then {len(others)} probes of this machine, "
        f"{each:,.0f} bytes each, {A_DAY} a day"
    )
    yield Figure("inventory.bytes_per_node_day", round(day), "B", "<= 50,000", note)


async def _run(say: Callable[[str], None]) -> tuple[int, list[int], int]:
    """Return the bytes of the first telling, what each later probe adds, and how many items."""
    known = ledger.Known()
    sent: list[int] = []
    for number in range(PROBES + 1):
        if number:
            await asyncio.sleep(PAUSE_S)
        document = await probe(())
        found = {
            name: snapshot.section(each.items, each.missing, as_of_ms=max(each.as_of_ms, 0))
            for name, each in document.sections.items()
        }
        change = ledger.probed(known, found, boot_id=b"b" * 16, now_ms=NOW_MS)
        documents = () if change is None else change.documents
        sent.append(sum(map(_report_bytes, documents)))
        known = known if change is None else change.known
        moved = ", ".join(sorted({name for each in documents for name in each.sections}))
        say(
            f"probe {number}: {sent[-1]:,} bytes" + (f", {moved} moved" if number and moved else "")
        )
    items = sum(len(each.items) for each in known.sections.values())
    return sent[0], sent[1:], items


def _report_bytes(document: InventoryDocument) -> int:
    """Return the bytes of a report with one document."""
    body, compressed = pack(document)
    report = Report(
        v=VERSION,
        node=NODE,
        incarnation=1,
        boot_id=b"b" * 16,
        path="p1",
        sent_ms=NOW_MS,
        lane=Lane.BULK,
        stream=b"s" * 16,
        prev=0,
        items=[Item(1, ItemKind.INVENTORY, NOW_MS, body, compressed)],
    )
    return HEADER_BYTES + len(encode(report))
