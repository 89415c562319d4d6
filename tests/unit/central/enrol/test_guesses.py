"""Somebody who guesses the secret of a claim is an alarm, and cannot hide."""

import pytest
from boxes import DeskBox

from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.enrol import guesses
from roost_central.enrol.guesses import QUIET_MS, TOLD, TYPE, Guesses
from roost_central.enrol.refused import RefusedError
from roost_central.storage.claims import ClaimRecord, ClaimType
from roost_protocol.join_token import JoinToken, parse_token


def claim(id_="abc"):
    return ClaimRecord(id_, ClaimType.TOKEN, "lab", "jd", 1, 2)


@pytest.fixture
def book(office):
    return AlarmBook(shipped(), office.view, office.database, office.clock)


async def alarms(book):
    await book.change(list)
    return [(row.type, row.entity, row.params["count"]) for row in book.open_alarms()]


async def test_many_wrong_secrets_of_one_claim_are_an_alarm_while_they_go_on(office, book):
    counted = Guesses(book)
    for _ in range(TOLD - 1):
        counted.note(claim())
    counted.note(claim("other"))
    assert await alarms(book) == []
    counted.note(claim())
    assert await alarms(book) == [(TYPE, "central=roost,claim=abc", TOLD)]
    office.clock.ahead_ms = QUIET_MS + 1_000
    assert await alarms(book) == []


async def test_who_guesses_cannot_empty_the_count(book, monkeypatch):
    monkeypatch.setattr(guesses, "CLAIMS_MAX", 3)
    counted = Guesses(book)
    for _ in range(TOLD - 1):
        counted.note(claim())
    for n in range(10):
        counted.note(claim(f"other{n}"))
    counted.note(claim())
    assert [entity for _, entity, _ in await alarms(book)] == ["central=roost,claim=abc"]


async def test_a_wrong_secret_at_the_desk_is_counted(office, box):
    right = parse_token(await office.token())
    bad = str(JoinToken(right.claim, bytes(32), right.pin))
    counted = office.desk._deciding._strangers._guesses._bad
    for n in range(3):
        with pytest.raises(RefusedError):
            await office.desk.enrol(DeskBox(bytes([n]) * 32).request(office.desk, bad), "192.0.2.7")
    assert counted == {right.claim: 3}
