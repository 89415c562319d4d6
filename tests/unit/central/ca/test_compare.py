"""The signer's record beside the audit log, both real."""

from functools import partial

import pytest
from ca import new_key, request_of

from roost_central.access.chain import Act
from roost_central.access.signatures import KEYS, NUMBERS
from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.ca import names
from roost_central.ca.compare import TYPE, Comparison
from roost_central.ca.own import OwnCertificate
from roost_central.enrol.proof import key_hash
from roost_central.fleet.view import FleetView
from roost_central.ports import SystemClock
from roost_central.signer import program
from roost_central.signer.client import Signer
from roost_central.storage import audit
from roost_central.storage.engine import Database
from roost_protocol.certificate import Holder, Kind


class Scene:
    """A comparison, and somebody who asks the signer."""

    def __init__(self, pki, database):
        self.database = database
        self.book = AlarmBook(shipped(), FleetView(), database, SystemClock())
        self.signer = Signer(pki.socket)
        self.comparison = Comparison(self.signer, database, self.book, SystemClock())

    async def alarms(self):
        await self.book.change(list)
        return [row.type for row in self.book.open_alarms()]

    async def missing(self):
        found = await self.comparison.compare()
        assert (await self.alarms() == [TYPE]) is bool(found.missing or found.fault)
        return [row.n for row in found.missing]

    async def sign(self, node="n1", *, noted=True):
        key = new_key()
        if noted:
            await self.note(f"edge.{node}", **{KEYS: [key_hash(key.public_key()).hex()]})
        await self.signer.issue_node(request_of(key), site="edge", node=node, generation=1)

    async def note(self, about, **detail):
        async with self.database.write() as connection:
            await audit.add(connection, Act(1, "ann", "admin", "enrol.approve", about, detail))


@pytest.fixture
async def scene(own_pki, tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path}/roost.db"
    database = await Database.open(url, clock=SystemClock())
    async with own_pki.serving():
        scene = Scene(own_pki, database)
        yield scene
        await scene.signer.close()
    await database.close()


async def test_it_begins_where_the_record_ends_when_it_is_compared_first(scene):
    await scene.sign(noted=False)
    assert await scene.missing() == []
    async with scene.database.read() as connection:
        [row] = await audit.page(connection, before=None, limit=9)
    assert (row.act.action, row.act.detail["row"]) == ("signatures.begin", 1)


async def test_a_signature_that_nobody_asked_for_is_an_alarm_that_stays(scene):
    await scene.missing()
    await scene.sign()
    assert await scene.missing() == []
    await scene.sign("n2", noted=False)
    await scene.sign("n3")
    assert await scene.missing() == [2]
    again = Comparison(scene.signer, scene.database, scene.book, SystemClock())
    assert [row.n for row in (await again.compare()).missing] == [2]


async def test_somebody_may_say_why_it_is_well_and_the_alarm_ends(scene):
    await scene.missing()
    await scene.sign(noted=False)
    assert await scene.missing() == [1]
    early, now = 1, SystemClock().wall_ms()
    for at_ms, alarms in ((early, [TYPE]), (now, [])):
        detail = {NUMBERS: [1]}
        act = Act(at_ms, "ann", "admin", "signatures.accept", "record", detail, reason="a test")
        await scene.comparison.accept(act)
        assert await scene.alarms() == alarms


async def test_many_pages_of_both_are_gone_along(scene, monkeypatch):
    monkeypatch.setattr(audit, "PAGE_MAX", 3)
    await scene.missing()
    for number in range(7):
        await scene.sign(f"n{number}")
    record = scene.signer.rows
    monkeypatch.setattr(scene.signer, "rows", partial(record, limit=2))
    await scene.sign("n8", noted=False)
    assert await scene.missing() == [8]


async def test_the_centres_own_certificates_are_explained(scene, own_pki, tmp_path):
    await scene.missing()
    for kind, name in ((Kind.SERVER, "enrol"), (Kind.SERVICE, "ingest")):
        own = OwnCertificate(
            tmp_path / "tls" / name, Holder(kind, name), scene.signer, SystemClock(), scene.database
        )
        assert await own.ensure()
    assert await scene.missing() == []
    await scene.signer.issue_server(request_of(new_key()), name="enrol")
    assert await scene.missing() == [3]


@pytest.fixture
async def restarted(own_pki, tmp_path):
    """Compare, let the folder be changed while no signer runs, compare again."""
    url = f"sqlite+aiosqlite:///{tmp_path}/roost.db"
    database = await Database.open(url, clock=SystemClock())

    async def restarted(change, *, signed=3, late=()):
        async with own_pki.serving():
            scene = Scene(own_pki, database)
            await scene.missing()
            for _ in range(signed):
                await scene.sign()
            await scene.missing()
            for noted in late:
                await scene.sign(noted=noted)
            await scene.signer.close()
        change(own_pki.signer_dir)
        async with own_pki.serving():
            await scene.sign("n9", noted=False)
            found = await scene.comparison.compare()
            await scene.signer.close()
        return found

    yield restarted
    await database.close()


async def test_an_archived_record_is_gone_on_with(restarted):
    found = await restarted(program.archived)
    assert (found.fault, [row.n for row in found.missing]) == ("", [2])


async def test_what_was_signed_before_a_record_was_put_aside_is_compared_too(restarted):
    found = await restarted(program.archived, late=(True, False, True))
    assert (found.fault, [row.n for row in found.missing]) == ("", [5, 2])
    assert found.n == 2


async def test_a_record_that_was_put_aside_and_taken_away_is_told(restarted):
    found = await restarted(lambda folder: program.archived(folder).unlink(), late=(False,))
    assert "begun anew" in found.fault


async def test_a_record_that_was_cut_is_told(restarted):
    def cut(folder):
        log = folder / names.LOG
        log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:1]))

    assert "begun anew" in (await restarted(cut)).fault


async def test_a_record_that_was_cut_and_filled_up_is_told(restarted):
    def cut(folder):
        log = folder / names.LOG
        log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:2]))

    assert "not the row that was compared" in (await restarted(cut)).fault
