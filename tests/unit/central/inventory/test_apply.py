"""Inventory through storage: parts, history, and what does not fit."""

from itertools import pairwise

import pytest
from sqlalchemy import event, select

from roost_central.inventory import apply, history
from roost_central.inventory.core import Unfit
from roost_central.inventory.starred import STARRED
from roost_central.ports import SystemClock
from roost_central.storage import inventory, nodes, sites, tables
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


async def apply_one(connection, document, *, now_ms):
    """Apply a document in a batch of its own."""
    batch = apply.Batch(connection, now_ms=now_ms)
    batch.add(NODE, document)
    (outcome,) = await batch.flush()
    return outcome.result


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
    assert await apply_one(connection, last, now_ms=1) is None
    assert await inventory.current(connection, NODE) is None
    head = await apply_one(connection, first, now_ms=1)
    assert head.digest == digest_of(TREE)
    kept = await inventory.current(connection, NODE)
    assert {name: section.items for name, section in kept.sections.items()} == TREE
    assert await inventory.parts(connection, NODE, 1) == []


async def test_a_newer_snapshot_ends_the_waiting_for_an_older(connection):
    await apply_one(connection, parts(TREE, 1)[0], now_ms=1)
    await apply_one(connection, parts(TREE, 2)[0], now_ms=1)
    assert await inventory.parts(connection, NODE, 1) == []
    assert await apply_one(connection, parts(TREE, 2)[1], now_ms=1)


async def test_the_past_is_told_from_the_changes_since(connection):
    await apply_one(connection, parts({"nic": TREE["nic"]}, 1)[0], now_ms=100)
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
    await apply_one(connection, delta, now_ms=200)
    assert await history.at(connection, NODE, 250) == {"nic": (new, {})}
    assert await history.at(connection, NODE, 150) == {"nic": (old, {})}
    assert await history.at(connection, NODE, 50) == {}


async def test_what_does_not_fit_writes_nothing(connection):
    delta = Delta(v=1, base_gen=8, gen=9, digest=b"x" * 8, sections={})
    assert isinstance(await apply_one(connection, delta, now_ms=1), Unfit)
    assert await inventory.current(connection, NODE) is None


def whole(tree, gen):
    """The same in one part."""
    sections = {
        name: Section(digest=section_digest(items, {}), as_of_ms=gen, items=items)
        for name, items in tree.items()
    }
    return SnapshotPart(
        v=1,
        gen=gen,
        boot_id=b"b" * 16,
        taken_ms=gen,
        part=1,
        parts=1,
        full=True,
        digest=digest_of(tree),
        sections=sections,
    )


def step(before, after, gen):
    """The delta that leads from one tree to another, by whole sections."""
    changed = {}
    for name in before.keys() | after.keys():
        old = section_digest(before[name], {}) if name in before else None
        if name not in after:
            changed[name] = SectionDelta(base=old, digest=None, as_of_ms=gen)
        elif before.get(name) != after[name]:
            gone = sorted(before.get(name, {}).keys() - after[name].keys())
            changed[name] = SectionDelta(
                base=old,
                digest=section_digest(after[name], {}),
                as_of_ms=gen,
                put=after[name],
                gone=gone,
            )
    return Delta(v=1, base_gen=gen - 1, gen=gen, digest=digest_of(after), sections=changed)


async def kept(connection, node):
    found = await inventory.current(connection, node)
    return {name: section.items for name, section in found.sections.items()}


async def values(connection):
    rows = await connection.execute(select(tables.inventory_value))
    return {tuple(row)[:4] for row in rows}


async def test_what_a_node_says_later_in_a_batch_builds_on_what_it_said_before(connection):
    trees = [
        TREE,
        {"nic": {"a": {"driver": "mlx5"}}, "cpu": TREE["cpu"]},
        {"cpu": TREE["cpu"]},
        {"nic": {"b": {"driver": "igb"}}, "cpu": {"0": {"cores": 8}}},
    ]
    batch = apply.Batch(connection, now_ms=5)
    batch.add(NODE, whole(trees[0], 1))
    for gen, (before, after) in enumerate(pairwise(trees), start=2):
        batch.add(NODE, step(before, after, gen))
    heads = [outcome.result for outcome in await batch.flush()]
    assert [head.gen for head in heads] == [1, 2, 3, 4]
    assert await kept(connection, NODE) == trees[-1]
    assert {(item, field) for _, _, item, field in await values(connection)} == {
        *(("b", field) for field in STARRED["nic"]),
        *(("0", field) for field in STARRED["cpu"]),
    }, "nothing of what went is found any more"
    changes = await inventory.changes(connection, NODE)
    assert {change.gen for change in changes} == {1, 2, 3, 4}


async def test_what_goes_and_comes_back_within_a_batch_is_found(connection):
    without = {"nic": {"b": {"driver": "igb"}}, "cpu": TREE["cpu"]}
    await apply_one(connection, whole(TREE, 1), now_ms=5)
    before = await values(connection)
    batch = apply.Batch(connection, now_ms=6)
    batch.add(NODE, step(TREE, without, 2))
    batch.add(NODE, step(without, TREE, 3))
    await batch.flush()
    assert await kept(connection, NODE) == TREE
    assert await values(connection) == before


async def test_parts_of_a_snapshot_and_what_follows_may_share_a_batch(connection):
    batch = apply.Batch(connection, now_ms=5)
    for document in (*reversed(parts(TREE, 1)), parts(TREE, 2)[0], whole(TREE, 3)):
        batch.add(NODE, document)
    heads = [outcome.result for outcome in await batch.flush()]
    assert [head and head.gen for head in heads] == [None, 1, None, 3]
    assert await inventory.parts(connection, NODE, 2) == [], "a whole one ends the waiting"
    assert await kept(connection, NODE) == TREE


async def test_the_statements_of_a_batch_do_not_grow_with_its_nodes(connection):
    names = [f"lab.m{number}" for number in range(40)]
    await nodes.save(
        connection, [nodes.NodeRecord(name, "lab", name.partition(".")[2], 1) for name in names]
    )
    statements = []

    def count(_connection, _cursor, statement, *_):
        statements.append(statement)

    engine = connection.engine.sync_engine
    event.listen(engine, "before_cursor_execute", count)
    after = {"nic": {"a": {"driver": "mlx5"}}, "cpu": TREE["cpu"]}
    for document in (whole(TREE, 1), step(TREE, after, 2), step(after, TREE, 3)):
        batch = apply.Batch(connection, now_ms=5)
        statements.clear()
        for name in names:
            batch.add(name, document)
        await batch.flush()
        assert len(statements) < len(names) / 3, statements
    event.remove(engine, "before_cursor_execute", count)
    for name in names:
        assert await kept(connection, name) == TREE
