"""The child that polls for the centre: fed, heard, told when it dies, and begun again."""

import asyncio
import contextlib
import sys
from types import SimpleNamespace

import msgspec
import pytest

from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.boards import poller as polling
from roost_central.boards.core import BoardRecord
from roost_central.boards.poller import ENTITY, TYPE, BoardPoller
from roost_central.boards.vault import Vault
from roost_central.fleet.view import FleetView
from roost_central.ports import SystemClock, SystemEntropy
from roost_central.storage import bmc_reports, boards, nodes, sites
from roost_central.storage.engine import Database
from roost_protocol.bmc_report import BmcReport
from roost_protocol.board_lines import Found, Logged, Told
from roost_protocol.boards import BoardAccess
from roost_protocol.entity import key_id

SECRET = "canary-of-the-poller"
REPORT = BmcReport(v=1, node="n1", by="redfish", power="on")
TOLD = Told(
    node="lab.n1", report=REPORT, learned={"pin": "aa"},
    found=[Found("200.813", "bmc=n1,sensor=CPU", 3, {"value": 95, "unit": "C", "limit": 90})],
)  # fmt: skip
LOGGED = Logged(node="lab.n1", record=7, at="now", text="n1: a fan died", severity=3)
# Notes what it is told, says its words, and stays until its input ends, or ends at once.
CHILD = """
import sys
line = sys.stdin.readline()
with open(sys.argv[1], "a") as file:
    file.write(line)
if sys.argv[2]:
    print(sys.argv[2], flush=True)
for line in sys.stdin if sys.argv[3] == "stay" else ():
    with open(sys.argv[1], "a") as file:
        file.write(line)
sys.exit(0 if sys.argv[3] == "stay" else 3)
"""


@pytest.fixture
async def scene(tmp_path):
    clock, entropy = SystemClock(), SystemEntropy()
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path}/roost.db", clock=clock)
    vault = Vault.of(tmp_path, entropy)
    async with database.write() as connection:
        await sites.save(connection, [sites.SiteRecord("lab", 1, {}, None, None, 1, 1)])
        await nodes.save(connection, [nodes.NodeRecord("lab.n1", "lab", "n1", 1)])
    book = AlarmBook(shipped(), FleetView(), database, clock)
    async with database.read() as connection:
        await book.load(connection)
    yield SimpleNamespace(
        database=database, vault=vault, book=book, clock=clock, entropy=entropy, folder=tmp_path
    )
    await database.close()


async def put(scene, reached_by="centre"):
    access = BoardAccess(host="127.0.0.1", user="roost")
    secret = scene.vault.close("lab.n1", SECRET)
    async with scene.database.write() as connection:
        await boards.save(
            connection, BoardRecord("lab.n1", access, secret, None, 1, "ada", reached_by)
        )


@contextlib.asynccontextmanager
async def running(scene, *words, how="stay"):
    said = b"\n".join(msgspec.json.encode(each) for each in words).decode()
    child = (sys.executable, "-c", CHILD, str(scene.folder / "heard"), said, how)
    made = BoardPoller(
        scene.database, scene.vault, scene.book, scene.clock, scene.entropy, child=child
    )
    task = asyncio.get_running_loop().create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(true, seconds=20):
    async with asyncio.timeout(seconds):
        while not (found := await true()):  # noqa: ASYNC110 - a real child does it
            await asyncio.sleep(0.05)
    return found


def heard(scene):
    file = scene.folder / "heard"
    return file.read_text().splitlines() if file.exists() else []


async def standing(scene):
    """The open alarms, once what waits is written."""
    await scene.book.change(list)
    return {row.type: row for row in scene.book.open_alarms()}


async def test_boards_are_told_by_a_pipe_and_what_is_said_is_kept_as_a_nodes_word(scene):
    await put(scene)
    async with running(scene, TOLD, LOGGED) as poller:
        rows = await until(lambda: _with(scene, "200.813"))
        row = rows["200.813"]
        assert (row.site, row.node, row.entity) == (
            "lab", "lab.n1", "site=lab,node=n1,bmc=n1,sensor=CPU",
        )  # fmt: skip
        async with scene.database.read() as connection:
            found = await bmc_reports.find(connection, "lab.n1")
            assert (found.speaker, found.report) == ("central", REPORT)
            assert await boards.load_learned(connection) == {"lab.n1": b'{"pin":"aa"}'}
        (line,) = heard(scene)
        assert SECRET in line
        assert SECRET not in " ".join(poller._child), "never an argument"
        await put(scene)
        poller.changed()
        await until(lambda: _of(len(heard(scene)) == 2))
        assert '"learned":{"pin":"aa"}' in heard(scene)[1]
        await put(scene, "site")
        poller.changed()
        await until(lambda: _gone(scene, "200.813"))
        await until(lambda: _of(poller._process is None))
    async with scene.database.read() as connection:
        assert await boards.load_learned(connection) == {}
    assert TYPE not in await standing(scene), "it ended, as it was meant to"


async def _of(found):
    return found


async def _with(scene, type_):
    found = await standing(scene)
    return found if type_ in found else None


async def _gone(scene, type_):
    return type_ not in await standing(scene)


async def test_a_child_that_dies_is_an_alarm_and_begun_again_until_it_is_well(scene, monkeypatch):
    monkeypatch.setattr(polling, "RESTART_S", (0.01, 0.05))
    monkeypatch.setattr(polling, "WELL_S", 0)
    await put(scene)
    async with running(scene, TOLD, how="die"):
        rows = await until(lambda: _with(scene, TYPE))
        assert rows[TYPE].text.endswith("its child ended, status 3")
        await until(lambda: _of(len(heard(scene)) >= 3))
    assert scene.book.find(key_id(TYPE, ENTITY)).is_open
    alive = msgspec.json.decode(b'{"type":"alive","boards":1}')
    async with running(scene, alive):
        await until(lambda: _gone(scene, TYPE))


async def test_a_child_that_says_nothing_is_killed(scene, monkeypatch):
    monkeypatch.setattr(polling, "SILENT_S", 0.2)
    monkeypatch.setattr(polling, "RESTART_S", (0.01, 0.05))
    await put(scene)
    async with running(scene):
        rows = await until(lambda: _with(scene, TYPE))
    assert "said nothing for 0.2 s" in rows[TYPE].text


async def test_where_it_does_not_run_nothing_is_reached(scene):
    async with running(scene) as poller:
        assert (await poller.reach("lab.n1")).fault == "child"
        assert not poller.learn_anew("lab.n1")
