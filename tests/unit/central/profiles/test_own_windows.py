"""The windows that nodes should have by their profiles."""

from roost_central.ports import SystemClock
from roost_central.profiles.desired import DesiredRecord, Document
from roost_central.profiles.own_windows import own_windows
from roost_central.storage import desired
from roost_central.storage.engine import Database
from roost_protocol.window import Window

SAID = {"days": ["sun"], "start": "01:00", "minutes": 60, "timezone": "Europe/Berlin"}


async def test_windows_are_of_the_settings_that_nodes_should_have_now(tmp_path):
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path}/roost.db", clock=SystemClock())
    sections = {
        b"w": {"update-window": SAID},
        b"n": {"kernel": {}},
        b"z": {"update-window": SAID | {"timezone": "No/Where"}},
    }
    documents = [Document(key, key * 32, said, {}) for key, said in sections.items()]
    nodes = {"a.n1": b"w", "a.n2": b"n", "b.n1": b"z", "c.n1": b"w"}
    records = [DesiredRecord(node, 1, key, 1) for node, key in nodes.items()]
    async with database.write() as connection:
        await desired.save_documents(connection, documents)
        await desired.save(connection, records, [])
    found = await own_windows(database, ["a.n1", "a.n2", "b.n1", "d.n1"])
    await database.close()
    assert found == {"a.n1": Window((6,), "01:00", 60, "Europe/Berlin")}
