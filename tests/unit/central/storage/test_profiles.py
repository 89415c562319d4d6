"""Profiles and desired documents over both engines: kept for good, shared, in parts."""

from roost_central.profiles.desired import DesiredChange, DesiredRecord, document_of
from roost_central.profiles.layer import ProfileChange, ProfileRecord
from roost_central.storage import desired, profiles

FIRST = ProfileRecord("fleet", 1, "f.toml", "[profile]\n", "ann", 1_000)
ONE = document_of(
    {"time": {"servers": ["ntp1"]}, "kernel": {"sysctl": {"vm.swappiness": 10}}},
    {("time", "servers"): "fleet", ("kernel", "sysctl", "vm.swappiness"): "region"},
    b"digest-of-one",
)
NONE = document_of({}, {}, b"digest-of-none")


async def test_a_profile_is_replaced_and_removed_and_each_text_stays(database):
    second = ProfileRecord("fleet", 2, "f.toml", "[profile]\n# \u00fc\n", "bob", 2_000)
    async with database.write() as connection:
        assert await profiles.last_revision(connection, "fleet") == 0
        await profiles.save(connection, FIRST, "first")
        await profiles.save(connection, second, "second")
        assert await profiles.load(connection) == [second]
        assert await profiles.revisions(connection) == {"fleet": 2}
        await profiles.remove(connection, ProfileChange("fleet", 3, None, "cid", 3_000, "over"))
    async with database.read() as connection:
        assert await profiles.load(connection) == []
        assert await profiles.last_revision(connection, "fleet") == 3
        history = await profiles.history(connection, "fleet")
    told = [(each.revision, each.source, each.reason) for each in history]
    assert told == [(3, None, "over"), (2, second.source, "second"), (1, FIRST.source, "first")]


async def test_a_document_comes_back_with_its_settings_and_reasons(database):
    async with database.write() as connection:
        await desired.save_documents(connection, [ONE, NONE])
        await desired.save_documents(connection, [ONE])  # it is there
    async with database.read() as connection:
        assert await desired.documents(connection, [ONE.key, NONE.key, b"absent"]) == {
            ONE.key: ONE,
            NONE.key: NONE,
        }


async def test_heads_are_read_for_some_or_for_all_in_parts(database, monkeypatch):
    records = [DesiredRecord(f"s{n}.n1", n + 1, ONE.key, 1_000, "x" * n) for n in range(7)]
    async with database.write() as connection:
        await desired.save(connection, records, [])
        changed = DesiredRecord("s3.n1", 9, NONE.key, 2_000)
        await desired.save(connection, [changed], [])
    monkeypatch.setattr(desired, "READ_MAX", 3)
    async with database.read() as connection:
        assert await desired.heads(connection) == {
            each.node: each for each in [*records[:3], changed, *records[4:]]
        }
        some = await desired.heads(connection, ["s1.n1", "absent.n1"])
        assert some == {"s1.n1": records[1]}
        monkeypatch.setattr(desired, "READ_MAX", 7)
        assert len(await desired.heads(connection)) == 7


async def test_generations_are_listed_newest_first_and_found_one_by_one(database):
    made = [DesiredChange("a.n1", n, ONE.key, n * 1_000, "ann", f"for {n}") for n in range(1, 5)]
    other = DesiredChange("b.n1", 1, NONE.key, 1_000, "ann", "")
    async with database.write() as connection:
        await desired.save(connection, [], [*made, other])
    async with database.read() as connection:
        assert await desired.generations(connection, "a.n1") == made[::-1]
        page = await desired.generations(connection, "a.n1", before=4, limit=2)
        assert page == [made[2], made[1]]
        assert await desired.generation(connection, "a.n1", 2) == made[1]
        assert await desired.generation(connection, "a.n1", 9) is None
