"""Tokens, logins, and what an address loses by guessing."""

import asyncio
import contextlib
from http.cookies import SimpleCookie

import pytest
from sqlalchemy import event

from roost_central.access.core import Grant
from roost_central.access.throttle import ADDRESSES_MAX, FAILURES_MAX, WINDOW_MS, Throttle
from roost_central.api.auth import RECHECK_MS, Access
from roost_central.api.secret import digest, ensure_admin, new_token
from roost_central.api.sessions import SESSION_MS_MAX, SESSIONS_MAX, Sessions, TokenHash
from roost_central.api.token_hashes import READ_MS
from roost_central.storage import tokens

STATUS = "/api/v1/status"
WRONG = {"Authorization": "Bearer rtk_" + "b" * 52}


@pytest.fixture
async def cookie(central):
    """The Cookie header of a login."""
    answer = await central.client.post("/api/v1/session", json={"token": central.token})
    assert answer.status == 200
    morsel = SimpleCookie(answer.headers["Set-Cookie"])["roost_session"]
    return {"Cookie": f"roost_session={morsel.value}"}


async def test_the_admin_token_is_in_a_file_that_only_its_owner_reads(central, tmp_path):
    path = tmp_path / "admin.token"

    assert path.read_text() == central.token + "\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert central.token.startswith("rtk_")
    assert len(central.token) == 4 + 52


async def test_only_the_digest_of_a_token_is_stored(central):
    async with central.database.read() as connection:
        (kept,) = await tokens.load_all(connection)

    assert kept.hash == digest(central.token)
    assert central.token not in str(kept)


async def test_a_second_start_makes_no_second_token(central, tmp_path):
    async with central.database.write() as connection:
        again = await ensure_admin(
            connection, tmp_path / "admin.token", central.api.entropy, now_ms=1
        )

    assert again is None


async def test_a_replaced_token_is_refused_soon(central, tmp_path, clock):
    assert (await central.client.get(STATUS, headers=central.bearer)).status == 200
    async with central.database.write() as connection:
        fresh = await ensure_admin(
            connection, tmp_path / "admin.token", central.api.entropy, now_ms=1, renew=True
        )
    clock.now_ms += RECHECK_MS

    assert (await central.client.get(STATUS, headers=central.bearer)).status == 401
    bearer = {"Authorization": f"Bearer {fresh}"}
    assert (await central.client.get(STATUS, headers=bearer)).status == 200


async def test_a_login_is_a_cookie_that_no_script_and_no_other_page_can_use(central):
    answer = await central.client.post("/api/v1/session", json={"token": central.token})

    header = answer.headers["Set-Cookie"]
    assert "HttpOnly" in header
    assert "SameSite=Strict" in header
    assert central.token not in header


async def test_over_tls_the_cookie_is_bound_to_the_host(central, clock):
    access = Access(central.database, clock, central.api.entropy, is_secure=True)
    header, _ = access.begin(TokenHash(digest(central.token)))

    assert header.startswith("__Host-roost_session=")
    assert "; Secure" in header
    assert "Path=/;" in header


async def test_a_cookie_reads(central, cookie):
    assert (await central.client.get(STATUS, headers=cookie)).status == 200


async def test_a_cookie_writes_only_with_the_header_of_our_pages(central, cookie):
    path = "/api/v1/sites/new"

    without = await central.client.put(path, json={}, headers=cookie)
    assert (without.status, (await without.json(content_type=None))["code"]) == (403, "csrf")

    guarded = {**cookie, "X-Roost-CSRF": "1"}
    foreign = {**guarded, "Origin": "https://evil.example"}
    assert (await central.client.put(path, json={}, headers=foreign)).status == 403
    assert (
        await central.client.put(path, json={}, headers={**guarded, "Origin": "null"})
    ).status == 403

    own = {**guarded, "Origin": f"http://127.0.0.1:{central.port}"}
    assert (await central.client.put(path, json={}, headers=own)).status == 201


async def test_another_page_cannot_log_a_browser_in(central):
    answer = await central.client.post(
        "/api/v1/session", json={"token": central.token}, headers={"Origin": "https://evil.example"}
    )

    assert answer.status == 403


async def test_a_logout_ends_the_session(central, cookie):
    guarded = {**cookie, "X-Roost-CSRF": "1"}
    answer = await central.client.delete("/api/v1/session", headers=guarded)

    assert answer.status == 204
    assert (await central.client.get(STATUS, headers=cookie)).status == 401


async def test_a_session_ends_by_time(central, cookie, clock):
    clock.now_ms += SESSION_MS_MAX

    assert (await central.client.get(STATUS, headers=cookie)).status == 401


async def test_a_session_ends_with_its_token(central, cookie, clock):
    async with central.database.write() as connection:
        await tokens.delete(connection, "admin")
    clock.now_ms += RECHECK_MS

    assert (await central.client.get(STATUS, headers=cookie)).status == 401


class SlowDatabase:
    """The database, whose answers come when the test says so."""

    def __init__(self, database):
        self._database = database
        self.has_read, self.go_on = asyncio.Event(), asyncio.Event()

    @contextlib.asynccontextmanager
    async def read(self):
        async with self._database.read() as connection:
            yield connection
        self.has_read.set()
        await self.go_on.wait()


async def test_what_was_read_before_a_token_was_revoked_is_not_remembered_after_it(central, clock):
    slow = SlowDatabase(central.database)
    access = Access(slow, clock, central.api.entropy, is_secure=False)
    proof = TokenHash(digest(central.token))
    asked = asyncio.create_task(access.recheck(proof))
    await slow.has_read.wait()
    async with central.database.write() as connection:
        await tokens.delete(connection, "admin")
    access.forget()
    slow.go_on.set()
    assert await asked is not None, "it was asked before"
    assert await access.recheck(proof) is None


async def test_guessing_is_answered_a_few_times_only(central, clock):
    for _ in range(FAILURES_MAX):
        assert (await central.client.get(STATUS, headers=WRONG)).status == 401
    answer = await central.client.get(STATUS, headers=WRONG)

    assert answer.status == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 61

    clock.now_ms += WINDOW_MS
    assert (await central.client.get(STATUS, headers=WRONG)).status == 401


async def test_no_header_makes_another_address_of_who_guesses(central):
    names = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP", "True-Client-IP")
    for each in range(FAILURES_MAX):
        forged = dict.fromkeys(names, f"203.0.113.{each}")
        forged["Forwarded"] = f"for=203.0.113.{each}"
        assert (await central.client.get(STATUS, headers=WRONG | forged)).status == 401
    forged = dict.fromkeys(names, "203.0.113.99")
    assert (await central.client.get(STATUS, headers=WRONG | forged)).status == 429
    assert (await central.client.get(STATUS, headers=WRONG)).status == 429


async def test_guessing_does_not_lock_out_who_is_in(central, cookie):
    for _ in range(FAILURES_MAX + 1):
        await central.client.get(STATUS, headers=WRONG)

    assert (await central.client.get(STATUS, headers=central.bearer)).status == 200
    assert (await central.client.get(STATUS, headers=cookie)).status == 200
    login = await central.client.post("/api/v1/session", json={"token": central.token})
    assert login.status == 200


async def test_who_guesses_on_costs_the_database_nothing(central, clock):
    for _ in range(FAILURES_MAX + 1):
        await central.client.get(STATUS, headers=WRONG)
    asked = []
    event.listen(
        central.database._engine.sync_engine,
        "before_cursor_execute",
        lambda *each: asked.append(each[2]),
    )
    for each in range(50):
        guess = {"Authorization": f"Bearer {new_token(central.api.entropy)}"}
        assert (await central.client.get(STATUS, headers=guess)).status == 429, each
    assert asked == []
    clock.now_ms += READ_MS
    await central.client.get(STATUS, headers=WRONG)
    assert [each.split()[0] for each in asked] == ["BEGIN", "SELECT"]


async def test_a_token_made_meanwhile_is_let_in_from_an_address_that_guesses(
    central, person, clock
):
    for _ in range(FAILURES_MAX + 1):
        await central.client.get(STATUS, headers=WRONG)
    made = await person("ada", Grant("viewer"))  # as another process of the centre makes it
    assert (await central.client.get(STATUS, headers=made)).status == 429
    clock.now_ms += READ_MS
    assert (await central.client.get(STATUS, headers=made)).status == 200
    own = await person("bob", Grant("viewer"))
    central.api.access.forget()  # a change of this one's own
    assert (await central.client.get(STATUS, headers=own)).status == 200


async def test_a_stale_cookie_is_no_guess(central):
    for _ in range(FAILURES_MAX + 1):
        stale = await central.client.get(STATUS, headers={"Cookie": "roost_session=x"})
        assert stale.status == 401

    assert (await central.client.get(STATUS, headers=central.bearer)).status == 200


def test_the_sixth_failure_of_a_minute_waits_for_the_first_to_pass():
    throttle = Throttle()
    for at_ms in range(0, 5_000, 1_000):
        assert throttle.wait_ms("10.0.0.1", at_ms) == 0
        throttle.failed("10.0.0.1", at_ms)

    assert throttle.wait_ms("10.0.0.1", 10_000) == WINDOW_MS - 10_000
    assert throttle.wait_ms("10.0.0.2", 10_000) == 0
    assert throttle.wait_ms("10.0.0.1", WINDOW_MS) == 0


def test_the_addresses_of_one_ipv6_subscriber_count_together():
    throttle = Throttle()
    for n in range(FAILURES_MAX):
        throttle.failed(f"2001:db8::{n:x}", 0)

    assert throttle.wait_ms("2001:db8::ffff", 1) > 0
    assert throttle.wait_ms("2001:db8:0:1::1", 1) == 0


def test_the_throttle_is_bounded_in_addresses():
    throttle = Throttle()
    for n in range(FAILURES_MAX):
        throttle.failed("10.9.9.9", n)
    for n in range(ADDRESSES_MAX):
        throttle.failed(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", 10)

    assert throttle.wait_ms("10.9.9.9", 11) == 0


def test_sessions_are_bounded_and_the_oldest_goes_first():
    sessions = Sessions()
    for n in range(SESSIONS_MAX + 1):
        sessions.begin(f"id{n}", TokenHash(b"d"), 0)

    assert len(sessions) == SESSIONS_MAX
    assert sessions.find("id0", 1) is None
    assert sessions.find("id1", 1) is not None
