"""Whatever happens on the way, the centre's inventory of a node ends as the node's own.

The agent's ledger speaks, the centre's batch over SQLite hears, and between them documents are
lost, doubled, held back and put out of order, far beyond what outbox and marks let happen.
"""

import asyncio

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import select

from roost_agent.inventory import ledger
from roost_agent.inventory.snapshot import section
from roost_central.inventory import apply, history
from roost_central.inventory.core import Unfit
from roost_central.inventory.index import index_rows
from roost_central.ports import SystemClock
from roost_central.storage import inventory, nodes, sites, tables
from roost_central.storage.engine import Database
from roost_protocol.digest import node_digest, section_digest
from roost_protocol.inventory import SnapshotPart

ASKED_MAX = 2  # times a node is asked for all of it until the two are equal
BOOT = b"b" * 16

names = st.sampled_from(["nic", "disk", "pci", "module"])
items = st.sampled_from(["a", "b", "a.b", "eui.1"])
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 2),
    st.sampled_from(["x", "4.10", "4.9", ""]),
    st.lists(st.integers(0, 1), max_size=2),
)
fields = st.dictionaries(st.sampled_from(["driver", "firmware", "mtu", "size_bytes"]), values)
missing = st.dictionaries(
    st.sampled_from(["a.driver", "a.b.firmware", "*"]), st.sampled_from(["denied", "busy"])
)
trees = st.dictionaries(names, st.tuples(st.dictionaries(items, fields), missing), max_size=3)
places = st.integers(0, 7)
steps = st.one_of(
    st.tuples(st.just("probe"), trees),
    st.tuples(st.just("probe"), trees),
    st.tuples(st.just("ask"), st.one_of(st.none(), st.lists(names, min_size=1, max_size=2))),
    st.tuples(st.just("hear"), st.lists(st.tuples(places, st.booleans()), max_size=5)),
    st.tuples(st.just("hear"), st.lists(st.tuples(st.just(0), st.just(False)), max_size=5)),
    st.tuples(st.just("lose"), places),
    st.tuples(st.just("cut"), places),
    st.tuples(st.just("forget"), st.none()),
)
courses = st.lists(steps, max_size=25)


class Node:
    """A node that speaks by the product's ledger, and what it said that is still on its way."""

    def __init__(self):
        self.known = ledger.Known()
        self.on_its_way = []
        self.digests = set()  # of every state that it told

    def probe(self, tree):
        """Find these sections now."""
        found = {
            name: section(items, missing, as_of_ms=1) for name, (items, missing) in tree.items()
        }
        self._say(ledger.probed(self.known, found, boot_id=BOOT, now_ms=1))

    def ask(self, names):
        """Be asked for all of it, or for some sections."""
        self._say(ledger.asked(self.known, names, boot_id=BOOT, now_ms=1))

    def cut(self, place):
        """Say a snapshot that is on its way in as many parts as it has sections."""
        if not self.on_its_way:
            return
        place %= len(self.on_its_way)
        whole = self.on_its_way[place]
        if isinstance(whole, SnapshotPart) and whole.parts == 1 and whole.sections:
            self.on_its_way[place : place + 1] = [
                replace(whole, part=number, parts=len(whole.sections), sections={name: each})
                for number, (name, each) in enumerate(whole.sections.items(), start=1)
            ]

    def forget(self, _):
        """Come back with another disk."""
        self.known = ledger.Known()

    def lose(self, place):
        """Lose a document on the way."""
        self.taken([(place, False)])

    def taken(self, places):
        """Return the documents at some places on the way; those that are kept come again."""
        found = []
        for place, is_kept in places:
            if self.on_its_way:
                number = place % len(self.on_its_way)
                found.append(self.on_its_way[number])
                if not is_kept:
                    del self.on_its_way[number]
        return found

    def _say(self, change):
        if change is not None:
            self.known = change.known
            self.digests.add(change.known.digest)
            self.on_its_way += change.documents


class Centre:
    """The centre's half for one node: its batches, and what must hold after each."""

    def __init__(self, database, name):
        self.database = database
        self.name = name
        self.now_ms = 0
        self.past = {}

    async def hear(self, documents, node):
        """Take documents in by one transaction; return whether one of them did not fit."""
        self.now_ms += 1
        async with self.database.write() as connection:
            batch = apply.Batch(connection, now_ms=self.now_ms)
            for document in documents:
                batch.add(self.name, document)
            outcomes = await batch.flush()
        kept = await self.kept()
        if kept is not None:
            assert kept.digest in node.digests, "it never was like this"
            assert kept.digest == node_digest({k: v.digest for k, v in kept.sections.items()})
            for each in kept.sections.values():
                assert each.digest == section_digest(each.items, each.missing)
        self.past[self.now_ms] = tree_of(kept)
        return any(isinstance(each.result, Unfit) for each in outcomes)

    async def kept(self):
        async with self.database.read() as connection:
            return await inventory.current(connection, self.name)

    async def check(self, node):
        """See that all that is kept is what the node has, and its past what it was."""
        kept = await self.kept()
        own = node.known
        assert (kept.gen, kept.digest) == (own.gen, own.digest)
        assert {k: v.digest for k, v in kept.sections.items()} == {
            k: v.digest for k, v in own.sections.items()
        }
        values = tables.inventory_value.c
        async with self.database.read() as connection:
            found = await connection.execute(
                select(values["class"], values.item, values.field, values.text, values.number)
                .where(values.node == self.name)
                .order_by(values["class"], values.item, values.field)
            )
            assert [tuple(row) for row in found] == sorted(
                (
                    (row.section, row.item, row.field, row.text, row.number)
                    for each in kept.sections.values()
                    for row in index_rows(each)
                ),
                key=lambda row: row[:3],
            )
            for at_ms, was in self.past.items():
                then = await history.at(connection, self.name, at_ms)
                assert digests(then) == digests(was), f"the past at {at_ms}"


def tree_of(kept):
    return {} if kept is None else {k: (v.items, v.missing) for k, v in kept.sections.items()}


def digests(tree):
    return {name: section_digest(*both) for name, both in tree.items()}


async def follow(course, database, name):
    """Let a course happen to a node, then heal the way, and see that both sides are equal."""
    async with database.write() as connection:
        await nodes.save(connection, [nodes.NodeRecord(name, "lab", name.partition(".")[2], 1)])
    node, centre = Node(), Centre(database, name)
    for what, how in course:
        if what == "hear":
            await centre.hear(node.taken(how), node)
        else:
            getattr(node, what)(how)
    node.probe({"nic": ({"a": {"driver": "last"}}, {})})
    for _ in range(ASKED_MAX + 1):
        is_unfit = await centre.hear(node.on_its_way, node)
        node.on_its_way = []
        kept = await centre.kept()
        if not is_unfit and kept is not None and kept.digest == node.known.digest:
            break
        node.ask(None)  # what a beat with another digest ends in
    await centre.check(node)


def converge(cases, seed_):
    """Follow so many courses; return how many."""
    ran = 0

    async def opened():
        database = await Database.open("sqlite+aiosqlite://", clock=SystemClock())
        async with database.write() as connection:
            await sites.save(connection, [sites.SiteRecord("lab", 3, {}, None, None, 1, 1)])
        return database

    with asyncio.Runner() as runner:
        database = runner.run(opened())

        def check(course):
            nonlocal ran
            ran += 1
            runner.run(follow(course, database, f"lab.n{ran}"))

        limits = settings(
            max_examples=cases,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        try:
            seed(seed_)(limits(given(courses)(check)))()
        finally:
            runner.run(database.close())
    return ran


def test_whatever_happens_on_the_way_both_sides_end_equal():
    assert converge(60, 7) >= 60
