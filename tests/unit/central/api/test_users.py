"""Accounts, passwords and tokens: who may make whom, and what a change ends."""

import asyncio
from collections import Counter

import pytest

from roost_central.access.core import Grant
from roost_central.access.password import hashed, is_password
from roost_central.access.throttle import FAILURES_MAX, WINDOW_MS
from roost_central.api.logins import AT_ONCE_MAX, WAITING_MAX, Passwords
from roost_central.api.problem import ApiError
from roost_central.storage import accounts, audit, tokens

USERS, TOKENS = "/api/v1/users", "/api/v1/tokens"
PASSWORD = "correct horse battery"
R1 = "region:r01"
ADMIN1 = Grant("admin", "region:r01")


@pytest.fixture
async def ann(central, ask):
    """An operator of region r01 with a password."""
    grants = [{"role": "operator", "on": R1}]
    body = {"name": "ann", "password": PASSWORD, "grants": grants}
    status, user = await ask(central.bearer, "POST", USERS, body)
    assert status == 201
    return user


@pytest.fixture
def log_in(central):
    """Log in with a name and a password; return (status, headers of the session)."""

    async def log_in(user, password):
        body = {"user": user, "password": password}
        async with central.client.post("/api/v1/session", json=body) as answer:
            cookie = answer.headers.get("Set-Cookie", "").partition(";")[0]
            return answer.status, {"Cookie": cookie, "X-Roost-CSRF": "1"}

    return log_in


async def acts(central, count):
    async with central.database.read() as connection:
        rows = await audit.page(connection, before=None, limit=count)
    return [(row.act.actor, row.act.action, row.act.object, row.act.outcome) for row in rows]


def test_a_password_is_kept_as_a_slow_hash_with_its_parameters():
    stored = hashed(PASSWORD, b"s" * 16)
    assert stored.startswith("scrypt$15$8$3$")
    assert PASSWORD not in stored
    assert is_password(PASSWORD, stored)
    assert not is_password(PASSWORD + " ", stored)
    assert not is_password(PASSWORD, stored.replace("scrypt", "plain"))


async def test_a_user_logs_in_and_may_what_the_grants_say(ann, log_in, ask, central):
    assert (ann["grants"], ann["password"]) == ([{"role": "operator", "on": "region:r01"}], True)
    status, session = await log_in("ann", PASSWORD)
    assert status == 200
    me = (await ask(session, "GET", "/api/v1/me"))[1]
    assert (me["name"], me["via"], me["everywhere"]) == ("ann", "password", [])
    assert me["permissions"] == ["read", "alarm", "host"]
    assert [row["site"] for row in (await ask(session, "GET", "/api/v1/sites"))[1]["items"]] == [
        "alpha"
    ]
    assert (await ask(session, "GET", USERS))[0] == 403
    assert (await acts(central, 2))[0] == ("ann", "session.begin", "ann", "done")
    assert (await ask(central.bearer, "GET", f"{USERS}/ann"))[1]["login"] is not None


async def test_neither_answer_nor_log_nor_database_holds_a_password(
    ann, central, log_in, caplog, tmp_path
):
    await log_in("ann", PASSWORD)
    await log_in("ann", "wrong password here")
    await log_in("a secret typed as a name", "x")
    assert PASSWORD not in str(ann) + caplog.text
    for path in tmp_path.iterdir():
        data = path.read_bytes()
        for secret in (PASSWORD, "wrong password here", "a secret typed as a name"):
            assert secret.encode() not in data


async def test_a_wrong_name_and_a_wrong_password_are_refused_alike_and_recorded(
    ann, central, log_in
):
    assert (await log_in("ann", "wrong password"))[0] == 401
    assert (await log_in("bob", PASSWORD))[0] == 401
    assert await acts(central, 2) == [
        ("unknown", "session.begin", "unknown", "refused"),
        ("ann", "session.begin", "ann", "refused"),
    ]


async def test_an_account_is_not_guessed_at(ann, log_in, clock, monkeypatch, central):
    checked = 0
    check = central.api.logins.passwords.check

    async def counted(*given):
        nonlocal checked
        checked += 1
        return False if given[0] != PASSWORD else await check(*given)

    monkeypatch.setattr(central.api.logins.passwords, "check", counted)
    for _ in range(FAILURES_MAX):
        assert (await log_in("ann", "wrong"))[0] == 401
    assert (await log_in("ann", PASSWORD))[0] == 429
    assert checked == FAILURES_MAX
    clock.now_ms += WINDOW_MS
    assert (await log_in("ann", PASSWORD))[0] == 200


async def test_slow_hashes_are_few_and_who_comes_too_late_is_sent_away(central):
    passwords = Passwords(central.api.entropy)
    passwords._waiting = WAITING_MAX
    with pytest.raises(ApiError) as refused:
        await passwords.check("x", None, lambda: None)
    assert refused.value.code == "busy"


async def test_asking_at_once_gives_no_more_guesses_than_asking_in_turn(ann, log_in):
    asked = [log_in("ann", f"wrong {each}") for each in range(WAITING_MAX)]
    answers = Counter(status for status, _ in await asyncio.gather(*asked))

    assert answers[401] <= FAILURES_MAX + AT_ONCE_MAX - 1
    assert answers[401] + answers[429] == WAITING_MAX


@pytest.mark.parametrize("name", ["central", "local", "unknown"])
async def test_nobody_is_called_what_the_audit_log_calls_nobody(central, ask, name):
    body = {"name": name, "grants": [{"role": "viewer", "on": R1}]}
    status, problem = await ask(central.bearer, "POST", USERS, body)

    assert (status, problem["code"]) == (409, "conflict")
    assert "take another" in problem["detail"]


@pytest.mark.parametrize("password", ["short", "x" * 129, "ann12345678901"])
async def test_a_weak_password_is_refused_with_the_bound(central, ask, password):
    status, problem = await ask(
        central.bearer, "POST", USERS, {"name": "ann", "password": password}
    )
    assert (status, problem["errors"][0]["field"]) == (422, "password")


async def test_a_change_of_password_ends_the_sessions_and_needs_the_present_one(ann, log_in, ask):
    _, session = await log_in("ann", PASSWORD)
    path, new = f"{USERS}/ann/password", "another horse battery"
    assert (await ask(session, "PUT", path, {"password": new, "current": "wrong one"}))[0] == 422
    assert (await ask(session, "PUT", path, {"password": new, "current": PASSWORD}))[0] == 204
    assert (await ask(session, "GET", "/api/v1/me"))[0] == 401
    assert (await log_in("ann", PASSWORD))[0] == 401
    assert (await log_in("ann", new))[0] == 200


async def test_who_is_disabled_or_removed_is_out_at_once_with_tokens_and_sessions(
    ann, log_in, ask, central
):
    _, session = await log_in("ann", PASSWORD)
    _, made = await ask(session, "POST", TOKENS, {"name": "ci"})
    token = {"Authorization": f"Bearer {made['token']}"}
    assert (await ask(token, "GET", "/api/v1/me"))[1]["via"] == "token:ci"
    body = {"grants": ann["grants"], "disabled": True}
    assert (await ask(central.bearer, "PUT", f"{USERS}/ann", body))[0] == 200
    for who in (session, token):
        assert (await ask(who, "GET", "/api/v1/me"))[0] == 401
    assert (await log_in("ann", PASSWORD))[0] == 401
    assert (await ask(central.bearer, "PUT", f"{USERS}/ann", body | {"disabled": False}))[0] == 200
    assert (await ask(token, "GET", "/api/v1/me"))[0] == 200
    assert (await ask(session, "GET", "/api/v1/me"))[0] == 401  # of before
    assert (await ask(central.bearer, "DELETE", f"{USERS}/ann"))[0] == 204
    assert (await ask(token, "GET", "/api/v1/me"))[0] == 401
    async with central.database.read() as connection:
        assert [each.name for each in await tokens.load_all(connection)] == ["admin"]


async def test_nobody_gives_more_than_one_holds(central, person, ask):
    who = await person("regional", ADMIN1)
    good = {"name": "bob", "grants": [{"role": "admin", "on": "region:r01"}]}
    assert (await ask(who, "POST", USERS, good))[0] == 201
    for grant in ({"role": "viewer"}, {"role": "viewer", "on": "region:r02"}):
        status, problem = await ask(who, "POST", USERS, {"name": "eve", "grants": [grant]})
        assert (status, problem["code"]) == (403, "not-allowed")
        status, _ = await ask(who, "PUT", f"{USERS}/bob", {"grants": [grant]})
        assert status == 403
    assert (await ask(who, "PUT", f"{USERS}/admin", {"grants": []}))[0] == 403
    assert (await ask(who, "DELETE", f"{USERS}/admin"))[0] == 403
    password = {"password": PASSWORD}
    assert (await ask(who, "PUT", f"{USERS}/admin/password", password))[0] == 403
    assert (await ask(who, "PUT", f"{USERS}/nobody/password", password))[0] == 404
    shown = (await ask(who, "GET", USERS))[1]["items"]
    assert sorted(each["name"] for each in shown) == ["bob", "regional"]
    assert (await ask(who, "GET", f"{USERS}/admin"))[0] == 404


async def test_an_operator_sets_no_password_but_his_own(ann, log_in, ask):
    _, session = await log_in("ann", PASSWORD)
    body = {"password": "another horse battery"}
    assert (await ask(session, "PUT", f"{USERS}/admin/password", body))[0] == 403


async def test_one_admin_over_everything_is_always_left(central, ask):
    for method, body in (("PUT", {"grants": []}), ("DELETE", None)):
        status, problem = await ask(central.bearer, method, f"{USERS}/admin", body)
        assert (status, problem["code"]) == (409, "conflict")
    disabled = {"grants": [{"role": "admin"}], "disabled": True}
    assert (await ask(central.bearer, "PUT", f"{USERS}/admin", disabled))[0] == 409
    assert (await ask(central.bearer, "GET", "/api/v1/me"))[1]["everywhere"]
    body = {"name": "ann", "grants": [{"role": "admin"}]}
    assert (await ask(central.bearer, "POST", USERS, body))[0] == 201
    assert (await ask(central.bearer, "DELETE", f"{USERS}/admin"))[0] == 204
    assert (await ask(central.bearer, "GET", "/api/v1/me"))[0] == 401


async def test_a_token_may_less_than_its_owner_and_never_more(central, person, ask, clock):
    who = await person("lead", Grant("operator"), Grant("viewer", "region:r02"))
    body = {"name": "ci", "grants": [{"role": "viewer", "on": R1}], "for_s": 3_600}
    status, made = await ask(who, "POST", TOKENS, body)
    assert (status, made["token"][:4]) == (201, "rtk_")
    token = {"Authorization": f"Bearer {made['token']}"}
    me = (await ask(token, "GET", "/api/v1/me"))[1]
    assert me["grants"][0] == {"role": "viewer", "on": "region:r01"}
    for more in ([{"role": "admin"}], [{"role": "release"}]):
        status, problem = await ask(who, "POST", TOKENS, {"name": "x", "grants": more})
        assert (status, problem["code"]) == (403, "not-allowed")
    for path, body in (
        (TOKENS, {"name": "y"}),
        (TOKENS, {"name": "y", "grants": [{"role": "viewer"}]}),
    ):
        assert (await ask(token, "POST", path, body))[0] == 403
    password = {"password": PASSWORD}
    assert (await ask(token, "PUT", f"{USERS}/lead/password", password))[0] == 403
    async with central.database.write() as connection:
        lead = await accounts.find(connection, "lead")
        await accounts.save(connection, type(lead)("lead", (Grant("viewer", "region:r02"),), 0))
    central.api.access.forget()
    me = (await ask(token, "GET", "/api/v1/me"))[1]
    assert me["grants"] == [{"role": "viewer", "on": "region:r02 region:r01"}]
    clock.now_ms += 3_600_000
    assert (await ask(token, "GET", "/api/v1/me"))[0] == 401


async def test_tokens_are_listed_without_the_secret_and_revoked_by_their_owner_or_an_admin(
    central, person, ask
):
    ann, bob = await person("ann", Grant("viewer")), await person("bob", Grant("viewer"))
    made = (await ask(ann, "POST", TOKENS, {"name": "ci"}))[1]
    (_, listed), (_, of_bob) = await ask(ann, "GET", TOKENS), await ask(bob, "GET", TOKENS)
    assert [each["name"] for each in listed["items"]] == ["ann", "ci"]
    assert [each["name"] for each in of_bob["items"]] == ["bob"]
    assert made["token"] not in str(listed)
    assert (await ask(ann, "GET", f"{TOKENS}?of=all"))[0] == 403
    everything = (await ask(central.bearer, "GET", f"{TOKENS}?of=all"))[1]["items"]
    assert {each["name"] for each in everything} == {"admin", "ann", "bob", "ci"}
    assert (await ask(bob, "DELETE", f"{TOKENS}/ci"))[0] == 404
    assert (await ask(ann, "POST", TOKENS, {"name": "ci"}))[0] == 409
    assert (await ask(central.bearer, "DELETE", f"{TOKENS}/ci"))[0] == 204
    token = {"Authorization": f"Bearer {made['token']}"}
    assert (await ask(token, "GET", "/api/v1/me"))[0] == 401
    assert (await acts(central, 2))[0][1:] == ("token.revoke", "ci", "done")


async def test_the_last_use_of_a_token_is_kept(central, ask, clock):
    await ask(central.bearer, "GET", "/api/v1/me")
    used = central.api.access._used
    assert list(used.values()) == [clock.now_ms]
    async with central.database.write() as connection:
        await tokens.touch(connection, used)
    (token,) = (await ask(central.bearer, "GET", TOKENS))[1]["items"]
    assert token["used"] is not None


async def test_a_selector_that_is_no_query_over_places_is_refused_with_its_place(central, ask):
    for on, code in (("status=ok", "not-here"), ("(", None), ("nonsense=1", "unknown-field")):
        body = {"name": "bob", "grants": [{"role": "viewer", "on": on}]}
        status, problem = await ask(central.bearer, "POST", USERS, body)
        assert (status, problem["errors"][0]["field"]) == (422, "grants[0].on")
        assert code in {None, problem["errors"][0]["code"]}


async def test_names_are_taken_once_and_are_names(central, ann, ask):
    assert (await ask(central.bearer, "POST", USERS, {"name": "ann"}))[0] == 409
    for name in ("Ann", "../x", "a b", "", "x" * 65, "a\n"):
        assert (await ask(central.bearer, "POST", USERS, {"name": name}))[0] == 422, name
    half = {"name": "bob", "issuer": "https://idp.example"}
    assert (await ask(central.bearer, "POST", USERS, half))[0] == 422
    whole = half | {"subject": "42"}
    assert (await ask(central.bearer, "POST", USERS, whole))[0] == 201
    assert (await ask(central.bearer, "POST", USERS, whole | {"name": "eve"}))[0] == 409


async def test_the_roles_are_told(central, ask):
    found = (await ask(central.bearer, "GET", "/api/v1/roles"))[1]["items"]
    assert {each["role"]: len(each["permissions"]) for each in found} == {
        "viewer": 1, "operator": 3, "release": 3, "admin": 5
    }  # fmt: skip
