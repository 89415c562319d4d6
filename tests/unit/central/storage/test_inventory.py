"""The inventory's own rows: digests of sections beside the sections, on each database."""

import sys
from pathlib import Path

from alembic import command

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from inventories import keep

from roost_central.ports import SystemClock
from roost_central.storage import inventory
from roost_central.storage.engine import Database
from roost_central.storage.explain import plan_lines

TREES = {
    "lab.n1": {"nic": {"a": {"driver": "ice"}}, "cpu": {"0": {"cores": 4}}},
    "lab.n2": {"disk": {"d": {"serial": "S1"}}},
}


async def digests_of(connection):
    kept = {node: await inventory.sections(connection, node) for node in TREES}
    return {node: {k: v.digest for k, v in sections.items()} for node, sections in kept.items()}


async def test_the_digests_of_all_sections_stand_in_one_row_whoever_wrote_them(
    database_url, at_revision
):
    database = await Database.open(database_url, clock=SystemClock())
    await keep(database, TREES)
    async with database.write() as connection:
        expected = await digests_of(connection)
        held = await inventory.held(connection, TREES)
        assert {node: each.digests for node, each in held.items()} == expected
        await at_revision(connection, command.downgrade, "0014")
        await at_revision(connection, command.upgrade, "head")
        held = await inventory.held(connection, TREES)
        assert {node: each.digests for node, each in held.items()} == expected, "of before"
    await keep(database, {"lab.n2": {}}, gen=2)
    async with database.read() as connection:
        held = await inventory.held(connection, [*TREES, "lab.n9"])
    assert held["lab.n2"].digests == {}
    assert (held["lab.n9"].gen, held["lab.n9"].digests) == (None, {})
    await database.close()


async def test_sections_are_read_by_node_and_name_in_any_number(database_url):
    database = await Database.open(database_url, clock=SystemClock())
    await keep(database, TREES)
    async with database.read() as connection:
        named = [("lab.n1", "nic"), ("lab.n2", "disk"), ("lab.n2", "nic")]
        found = await inventory.kept(connection, named)
        assert {key: inventory.section_of(row).items for key, row in found.items()} == {
            ("lab.n1", "nic"): TREES["lab.n1"]["nic"],
            ("lab.n2", "disk"): TREES["lab.n2"]["disk"],
        }
        many = [(f"lab.n{number}", "cpu") for number in range(2 * inventory.SECTIONS_MAX + 1)]
        assert list(await inventory.kept(connection, many)) == [("lab.n1", "cpu")]
        assert await inventory.kept(connection, []) == {}
    await database.close()


async def test_no_delta_reads_the_sections_of_the_whole_fleet(tmp_path):
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path}/roost.db", clock=SystemClock())
    asked = inventory.kept_statement([("lab.n1", "nic"), ("lab.n2", "disk")])
    async with database.read() as connection:
        lines = await plan_lines(connection, asked)
    assert not [line for line in lines if line.startswith("SCAN inventory_section")], lines
    assert any("(node=? AND section=?)" in line for line in lines), lines
    await database.close()
