"""Inventory through storage: parts, history, and what does not fit."""

import pytest

from roost_central.inventory import apply, history
from roost_central.inventory.core import Unfit
from roost_central.ports import SystemClock
from roost_central.storage import inventory, nodes, sites
from roost_central.storage.engine import Database
from roost_protocol.digest import node_digest, section_digest
from roost_protocol.inventory import Delta, Section, SectionDelta, SnapshotPart

NODE = "lab.n1"


@pytest.fixture
async def connection(tmp_path):
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path}/x.db", clock=SystemClock())
    async with database.write() as connection:
        await sites.save(connection, [sites.SiteRecord("lab", 3, {}, None, None, 1, 1)])
        await nodes.save(connection, [nodes.NodeRecord(NODE, "lab", "n1", 1)])
        yield connection
    await database.close()


def digest_of(tree):
    return node_digest({name: section_digest(items, {}) for name, items in tree.items()})


def parts(tree, gen):
    """One part for each section."""
    return [
        SnapshotPart(
            v=1,
            gen=gen,
            boot_id=b"b" * 16,
            taken_ms=gen,
            part=number,
            parts=len(tree),
            full=True,
            digest=digest_of(tree),
            sections={name: Section(digest=section_digest(items, {}), as_of_ms=gen, items=items)},
        )
        for number, (name, items) in enumerate(tree.items(), start=1)
    ]


TREE = {"nic": {"a": {"driver": "ice"}}, "cpu": {"0": {"cores": 4}}}


async def test_a_snapshot_takes_effect_with_its_last_part_and_leaves_none_behind(connection):
    first, last = parts(TREE, 1)
    assert await apply.apply(connection, NODE, last, now_ms=1) is None
    assert await inventory.current(connection, NODE) is None
    head = await apply.apply(connection, NODE, first, now_ms=1)
    assert head.digest == digest_of(TREE)
    kept = await inventory.current(connection, NODE)
    assert {name: section.items for name, section in kept.sections.items()} == TREE
    assert await inventory.parts(connection, NODE, 1) == []


async def test_a_newer_snapshot_ends_the_waiting_for_an_older(connection):
    await apply.apply(connection, NODE, parts(TREE, 1)[0], now_ms=1)
    await apply.apply(connection, NODE, parts(TREE, 2)[0], now_ms=1)
    assert await inventory.parts(connection, NODE, 1) == []
    assert await apply.apply(connection, NODE, parts(TREE, 2)[1], now_ms=1)


async def test_the_past_is_told_from_the_changes_since(connection):
    await apply.apply(connection, NODE, parts({"nic": TREE["nic"]}, 1)[0], now_ms=100)
    old, new = {"a": {"driver": "ice"}}, {"a": {"driver": "mlx5"}, "b": {"mtu": 9_000}}
    delta = Delta(
        v=1,
        base_gen=1,
        gen=2,
        digest=digest_of({"nic": new}),
        sections={
            "nic": SectionDelta(
                base=section_digest(old, {}),
                digest=section_digest(new, {}),
                as_of_ms=2,
                put={"a": {"driver": "mlx5"}, "b": {"mtu": 9_000}},
            )
        },
    )
    await apply.apply(connection, NODE, delta, now_ms=200)
    assert await history.at(connection, NODE, 250) == {"nic": (new, {})}
    assert await history.at(connection, NODE, 150) == {"nic": (old, {})}
    assert await history.at(connection, NODE, 50) == {}


async def test_what_does_not_fit_writes_nothing(connection):
    delta = Delta(v=1, base_gen=8, gen=9, digest=b"x" * 8, sections={})
    assert isinstance(await apply.apply(connection, NODE, delta, now_ms=1), Unfit)
    assert await inventory.current(connection, NODE) is None
