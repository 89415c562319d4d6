"""``query.fleet_50k_ms``: real queries over a large fleet in SQLite, from text to a page of nodes.

The fleet is made row by row as ``inventory/index.py`` makes them, in a file on disk. Each query is
asked as ``GET /api/v1/nodes`` asks it: parsed, its inventory parts by the index, the rest in
memory, and the first 100 nodes with the count of all.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from figure import QUICK, Figure, percentile

from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.api.alarm_sight import AlarmSight
from roost_central.api.inventory_tests import inventory_tests
from roost_central.api.listing import Ask, select
from roost_central.api.lists import nodes_listing, unhurried
from roost_central.fleet.query import parse
from roost_central.fleet.view import FleetView
from roost_central.inventory.facts import Items, Section
from roost_central.inventory.index import index_rows
from roost_central.ports import SystemClock
from roost_central.storage import inventory, nodes, sites
from roost_central.storage.engine import Database
from roost_central.storage.nodes import NodeRecord
from roost_central.storage.sites import SiteRecord
from roost_protocol.inventory import Value
from roost_protocol.topics import shard_of

NODES = 2_000 if QUICK else 50_000
NODES_A_SITE = 4
BATCH = 500  # nodes of one transaction
ROUNDS = 3 if QUICK else 20
NOW_MS = 1_800_000_000_000
NO_FIRMWARE = 0.01  # of the NICs do not tell it
Fields = dict[str, Value]
QUERIES = (
    "inv.disk.serial=SN0000123x0",
    "inv.nic.mac=02:00:00:03:04:d2",
    "inv.nic{driver=ice firmware<4.20}",
    "inv.pci{vendor_id=8086 device_id=0d5c}",
    "count(inv.disk{type=nvme})>=3",
    "inv.nic.firmware=null",
    "inv.system{product_name:*R650* bios_version<1.9}",
    "region=r03 inv.os.kernel<5.15 age>1h",
    "inv.gpu.model:*A100* !label.tier:lab",
    "carrier=carB inv.nic.firmware<3.5 inv.hugepages.count=0 age<1h",
)


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Fill a fleet, then ask each query in turn."""
    with tempfile.TemporaryDirectory(prefix="roost-query-") as folder:
        took, rows, size = asyncio.run(_run(Path(folder), say))
    slowest = max(took, key=lambda text: percentile(took[text], 50))
    medians = f"median of the slowest {percentile(took[slowest], 50):.0f} ms ({slowest})"
    note = f"{NODES:,} nodes, {rows:,} indexed values, {size:,} MiB on disk; {medians}"
    every = [ms for each in took.values() for ms in each]
    yield Figure("query.fleet_50k_ms", round(percentile(every, 99), 1), "ms", "<= 200", note)


async def _run(folder: Path, say: Callable[[str], None]) -> tuple[dict[str, list[float]], int, int]:
    file = folder / "roost.db"
    database = await Database.open(f"sqlite+aiosqlite:///{file}", clock=SystemClock())
    dice = random.Random(7)  # noqa: S311 - repeatable, not secret
    view = FleetView()
    rows = 0
    for start in range(0, NODES, BATCH):
        rows += await _fill(database, view, range(start, min(start + BATCH, NODES)), dice)
        say(f"{start + BATCH:,} of {NODES:,} nodes, {rows:,} values")
    book = AlarmBook(shipped(), view, database, SystemClock())
    listing = nodes_listing(AlarmSight(book, view, is_whole=True))
    ordered = sorted(view.nodes.values(), key=lambda row: row.node)
    took: dict[str, list[float]] = {text: [] for text in QUERIES}
    found: dict[str, int] = {}
    for _ in range(ROUNDS):
        for text in QUERIES:
            began = time.perf_counter()
            query = parse(text)
            items = await inventory_tests(database, query, NOW_MS, listing, ordered)
            ask = Ask(query, limit=100, count=True)
            page = await unhurried(select(listing, ordered, ask, NOW_MS, items))
            took[text].append(1000 * (time.perf_counter() - began))
            found[text] = page.count or 0
    await database.close()
    for text, count in found.items():
        say(f"{percentile(took[text], 50):7.1f} ms  {count:6,} nodes  {text}")
        if count == 0:
            raise AssertionError(f"{text} finds nothing: the fleet is not what it was made to be")
    return took, rows, file.stat().st_size // 2**20


async def _fill(database: Database, view: FleetView, some: range, dice: random.Random) -> int:
    """Make nodes of a batch; return how many values were indexed."""
    names: list[tuple[str, str, str]] = []
    values = []
    for number in some:
        site, name = f"edge-{number // NODES_A_SITE:05}", f"n{number % NODES_A_SITE + 1}"
        names.append((f"{site}.{name}", site, name))
        row = view.add_site(site, shard_of(site))
        row.labels = {
            "region": f"r{number // NODES_A_SITE % 10:02}",
            "carrier": f"car{'ABC'[number // NODES_A_SITE % 3]}",
            "tier": "lab" if number % 7 == 0 else "gold",
        }
        node = view.add_node(f"{site}.{name}", site, name)
        node.heard_ms = NOW_MS - (7_200_000 if number % 5 == 0 else 5_000)
        for section in _sections(number, dice):
            values += [(node.node, value) for value in index_rows(section)]
    async with database.write() as connection:
        kept = [SiteRecord(each, 1, {}, None, None, 1, 0) for _, each, _ in names]
        await sites.save(connection, list({each.site: each for each in kept}.values()))
        await nodes.save(connection, [NodeRecord(*each, created_ms=0) for each in names])
        await inventory.save_values(connection, values)
    return len(values)


def _sections(number: int, dice: random.Random) -> Iterator[Section]:
    """Yield what a small edge server says of itself."""
    trees: dict[str, Items] = {
        "system": {"system": _system(number, dice)},
        "os": {"os": _os(dice)},
        "cpu": {"0": {"model_name": "Intel(R) Xeon(R) Gold 6338N", "microcode": "0xd0003a5"}},
        "memory": {"memory": {"total_bytes": 2**36}},
        "hugepages": {
            f"node{n}/1048576kB": {"size_bytes": 2**30, "count": dice.randrange(3)} for n in (0, 1)
        },
        "dimm": {f"A{n}": _dimm(number, n) for n in range(8)},
        "nic": _nics(number, dice),
        "disk": {f"eui.{number:08x}{n}": _disk(number, n, dice) for n in range(4)},
        "pci": {f"0000:{n:02x}:00.0": _pci(number, n) for n in range(10)},
        "filesystem": {
            f"u{number:08x}{n}": {"type": "ext4", "mountpoint": f"/srv/{n}"} for n in range(6)
        },
    }
    if number % 20 == 0:
        gpu: Fields = {"model": "NVIDIA A100-PCIE-40GB", "driver_version": "535.1"}
        trees["gpu"] = {"g": gpu | {"memory_bytes": 2**35}}
    for name, items in trees.items():
        yield Section(name=name, gen=1, digest=b"", as_of_ms=1, cost_ms=0, items=items, missing={})


def _system(number: int, dice: random.Random) -> Fields:
    return {
        "sys_vendor": "Dell Inc.",
        "product_name": dice.choice(("PowerEdge R650", "PowerEdge XR12", "PowerEdge XR8620t")),
        "product_serial": f"SVC{number:07}",
        "bios_version": f"{dice.randrange(1, 3)}.{dice.randrange(12)}.1",
    }


def _os(dice: random.Random) -> Fields:
    kernel = f"{dice.choice(('5.10', '5.15', '6.1'))}.{dice.randrange(90)}"
    return {"name": "Debian", "version": "12", "kernel": kernel, "arch": "x86_64"}


def _dimm(number: int, n: int) -> Fields:
    serial = f"D{number:07}{n}"
    return {"size_bytes": 2**35, "type": "DDR4", "part": "M393A4K40DB3", "serial": serial}


def _nics(number: int, dice: random.Random) -> Items:
    driver = dice.choice(("ice", "i40e", "ixgbe", "mlx5_core", "bnxt_en", "igb"))
    firmware = f"{dice.randrange(2, 10)}.{dice.randrange(0, 40)}"
    macs = [f"02:00:00:0{n}:{number >> 8:02x}:{number & 255:02x}" for n in range(6)]
    return {
        f"{mac} 0000:17:00.{n}": {
            "ifname": f"ens{n}",
            "driver": driver,
            "firmware": None if dice.random() < NO_FIRMWARE else firmware,
            "speed_mbps": 25_000,
            "mac": mac,
        }
        for n, mac in enumerate(macs)
    }


def _disk(number: int, n: int, dice: random.Random) -> Fields:
    return {
        "size_bytes": 960_197_124_096,
        "type": "nvme" if n < number % 4 else "ssd",
        "model": "SAMSUNG MZQL2960",
        "serial": f"SN{number:07}x{n}",
        "firmware": f"GDC{dice.randrange(9)}602Q",
        "rotational": False,
    }


def _pci(number: int, n: int) -> Fields:
    device = "0d5c" if n == 0 and number % 11 == 0 else f"{n:04x}"
    return {"vendor_id": "8086", "device_id": device, "class_id": "020000", "driver": "ice"}
