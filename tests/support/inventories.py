"""Inventories of nodes in a database, taken in as a node's own snapshots are."""

from roost_central.inventory.apply import Batch
from roost_central.storage import nodes, sites
from roost_central.storage.nodes import NodeRecord
from roost_central.storage.sites import SiteRecord
from roost_protocol.digest import node_digest, section_digest
from roost_protocol.inventory import Section, SnapshotPart


def snapshot(tree, gen=1, taken_ms=1):
    """A whole inventory in one part; ``tree`` is section to items, or to (items, missing)."""
    both = {
        name: given if isinstance(given, tuple) else (given, {}) for name, given in tree.items()
    }
    sections = {
        name: Section(
            digest=section_digest(items, missing), as_of_ms=taken_ms, items=items, missing=missing
        )
        for name, (items, missing) in both.items()
    }
    return SnapshotPart(
        v=1,
        gen=gen,
        boot_id=b"b" * 16,
        taken_ms=taken_ms,
        part=1,
        parts=1,
        full=True,
        digest=node_digest({name: each.digest for name, each in sections.items()}),
        sections=sections,
    )


async def keep(database, trees, *, gen=1, now_ms=1):
    """Take in one inventory for each node, ``SITE.NODE``; the rows are made where they are not."""
    async with database.write() as connection:
        there = {each.node for each in await nodes.load_all(connection)}
        fresh = [node for node in trees if node not in there]
        kept = {each.site for each in await sites.load_all(connection)}
        places = [(node, *node.split(".")) for node in fresh]
        new = dict.fromkeys(site for _, site, _ in places if site not in kept)
        await sites.save(connection, [SiteRecord(site, 1, {}, None, None, 1, 0) for site in new])
        await nodes.save(connection, [NodeRecord(*place, created_ms=0) for place in places])
        batch = Batch(connection, now_ms=now_ms)
        for node, tree in trees.items():
            batch.add(node, snapshot(tree, gen, now_ms))
        await batch.flush()
