"""Logins by an OpenID provider that runs as a process of its own, with its lies."""

import json
import sys
import time
from dataclasses import dataclass, replace
from http.cookies import SimpleCookie
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import ClientSession, DummyCookieJar

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from openid_provider import CLIENT_ID, CLIENT_SECRET, running

from roost_central.access.core import Grant
from roost_central.access.throttle import FAILURES_MAX, WINDOW_MS
from roost_central.api.listener import listening
from roost_central.api.oidc import COOKIE
from roost_central.api.routes import ROUTES
from roost_central.api.server import application
from roost_central.oidc.config import OidcConfig
from roost_central.oidc.login import OidcLogin
from roost_central.oidc.pending import LOGIN_MS_MAX
from roost_central.oidc.provider import ANSWER_BYTES_MAX, KEYS_RETRY_MS, RETRY_MS
from roost_central.storage import accounts, audit
from roost_central.storage.accounts import AccountRecord

CALLBACK = "http://127.0.0.1:9/login/oidc"
OFFER = "/api/v1/session/oidc"


@pytest.fixture(scope="module")
def provider():
    with running(CALLBACK) as (issuer, tell):
        yield SimpleNamespace(issuer=issuer, tell=tell)


@dataclass
class Browser:
    """What a person's browser does: cookies kept, redirects of the provider followed by hand."""

    client: ClientSession
    cookies: dict

    async def send(self, method, path, body=None, **headers):
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        async with self.client.request(method, path, json=body, headers=headers) as answer:
            for header in answer.headers.getall("Set-Cookie", ()):
                self.cookies |= {name: each.value for name, each in SimpleCookie(header).items()}
            text = await answer.read()
            return answer.status, json.loads(text) if text else None

    async def leave(self, next_path="/"):
        """Begin a login and go to the provider; return what it sends the browser back with."""
        status, begun = await self.send("POST", OFFER, {"next": next_path})
        assert status == 200, begun
        async with self.client.get(begun["url"], allow_redirects=False) as answer:
            assert answer.status == 302, await answer.text()
            back = answer.headers["Location"]
        assert back.startswith(CALLBACK + "?")
        return dict(parse_qsl(urlsplit(back).query))

    async def come_back(self, back):
        return await self.send("POST", f"{OFFER}/code", back)

    async def log_in(self, next_path="/"):
        return await self.come_back(await self.leave(next_path))


@pytest.fixture
async def console(central, clock, provider, tmp_path):
    """The API of ``central`` with the provider, as a browser reaches it."""
    clock.now_ms = time.time_ns() // 1_000_000  # the provider's clock is the machine's
    provider.tell()
    secret = tmp_path / "client.secret"
    secret.write_text(CLIENT_SECRET)
    secret.chmod(0o600)
    groups = {"noc": (Grant("operator", "region:r01"),)}
    config = OidcConfig(provider.issuer, CLIENT_ID, CALLBACK, secret, groups=groups)
    oidc = OidcLogin(config, clock, central.api.entropy)
    app = application(replace(central.api, oidc=oidc), ROUTES)
    async with (
        listening(app, "127.0.0.1", 0) as port,
        ClientSession(f"http://127.0.0.1:{port}", cookie_jar=DummyCookieJar()) as client,
    ):
        yield SimpleNamespace(
            browser=lambda: Browser(client, {}), central=central, config=config, clock=clock
        )


@pytest.fixture
async def ann(console, provider):
    """Ann is a viewer here, by her subject there."""
    account = AccountRecord("ann", (Grant("viewer"),), 0, issuer=provider.issuer, subject="u-1")
    async with console.central.database.write() as connection:
        await accounts.save(connection, account)
    return account


async def acts(console):
    async with console.central.database.read() as connection:
        return [row.act for row in await audit.page(connection, before=None, limit=50)]


async def test_a_known_subject_is_logged_in_as_its_account(console, ann):
    browser = console.browser()
    status, answer = await browser.log_in("/alarms")

    assert (status, answer["name"], answer["next"]) == (200, "ann", "/alarms")
    status, me = await browser.send("GET", "/api/v1/me")
    assert (status, me["name"], me["via"]) == (200, "ann", "oidc")
    assert me["permissions"] == ["read"]


async def test_a_login_ends_by_logging_out(console, ann):
    browser = console.browser()
    await browser.log_in()

    assert (await browser.send("DELETE", "/api/v1/session", **{"X-Roost-CSRF": "1"}))[0] == 204
    assert (await browser.send("GET", "/api/v1/me"))[0] == 401


async def test_a_disabled_account_is_shut_out_at_once(console, ann):
    browser = console.browser()
    await browser.log_in()
    body = {"grants": [{"role": "viewer"}], "disabled": True}
    headers = console.central.bearer
    async with console.central.client.put("/api/v1/users/ann", json=body, headers=headers) as done:
        assert done.status == 200

    assert (await browser.send("GET", "/api/v1/me"))[0] == 401
    status, answer = await browser.log_in()
    assert status == 401
    assert "disabled" in answer["detail"]


async def test_an_unknown_subject_is_told_what_an_admin_has_to_do(console, provider):
    provider.tell(claims={"sub": "x'; reboot", "email": "ann@corp", "preferred_username": "bob"})
    status, answer = await console.browser().log_in()

    assert status == 401
    wanted = f"roost user add bob --issuer {provider.issuer} --subject 'x'\"'\"'; reboot' --grant"
    assert wanted in answer["detail"]


async def test_an_address_of_mail_or_a_name_is_nobodys_identity(console, ann, provider):
    provider.tell(claims={"sub": "u-2", "email": "ann@corp", "preferred_username": "ann"})

    assert (await console.browser().log_in())[0] == 401


async def test_a_mapped_group_lets_in_with_its_grants_for_the_session_alone(console, provider):
    provider.tell(claims={"sub": "u-3", "preferred_username": "cy", "groups": ["noc", "other"]})
    browser = console.browser()
    status, answer = await browser.log_in()
    assert (status, answer["name"]) == (200, "cy")
    _, me = await browser.send("GET", "/api/v1/me")
    assert me["grants"] == [{"role": "operator", "on": "region:r01"}]

    async with console.central.database.read() as connection:
        account = await accounts.find(connection, "cy")
    assert (account.grants, account.subject) == ((), "u-3")
    body = {"name": "mine", "grants": []}
    status, _ = await browser.send("POST", "/api/v1/tokens", body, **{"X-Roost-CSRF": "1"})
    assert status == 403

    provider.tell(claims={"sub": "u-3", "groups": []})
    again = console.browser()
    assert (await again.log_in())[0] == 200
    assert (await again.send("GET", "/api/v1/me"))[1]["grants"] == []


@pytest.mark.parametrize("name", ["admin", "central"])  # the latter is the centre in the log
async def test_a_mapped_group_never_takes_the_name_of_another(console, provider, name):
    provider.tell(claims={"sub": "u-4", "preferred_username": name, "groups": ["noc"]})
    status, answer = await console.browser().log_in()

    assert status == 401
    assert "roost user add" in answer["detail"]


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_a_token_that_anybody_can_make_logs_nobody_in(console, ann, provider, algorithm):
    provider.tell(alg=algorithm)
    status, answer = await console.browser().log_in()

    assert status == 401
    assert "signed by none of" in answer["detail"]


@pytest.mark.parametrize(
    ("claims", "word"),
    [
        ({"nonce": "another"}, "(nonce)"),
        ({"aud": "another"}, "(aud)"),
        ({"iss": "https://another.example"}, "(iss)"),
        ({"exp": 1}, "(exp)"),
    ],
)
async def test_a_token_of_another_login_logs_nobody_in(console, ann, provider, claims, word):
    provider.tell(claims=claims)
    browser = console.browser()
    status, answer = await browser.log_in()

    assert status == 401
    assert word in answer["detail"]
    assert "roost_session" not in browser.cookies


async def test_rsa_serves_as_well(console, ann, provider):
    provider.tell(alg="RS256")

    assert (await console.browser().log_in())[0] == 200


async def test_a_key_that_the_provider_does_not_show_proves_nothing(console, ann, provider):
    provider.tell(hidden_key=True)

    assert "signature" in (await console.browser().log_in())[1]["detail"]


async def test_new_keys_of_the_provider_are_found(console, ann, provider):
    assert (await console.browser().log_in())[0] == 200
    provider.tell(rotate=True)
    console.clock.now_ms += KEYS_RETRY_MS

    assert (await console.browser().log_in())[0] == 200


async def test_what_came_back_is_good_once(console, ann):
    browser = console.browser()
    back = await browser.leave()
    assert (await browser.come_back(back))[0] == 200

    status, answer = await browser.come_back(back)
    assert (status, answer["code"]) == (409, "conflict")


async def test_a_code_that_was_redeemed_is_refused_by_the_provider(console, ann):
    browser = console.browser()
    used = (await browser.leave())["code"]
    back = await browser.leave()
    # the code of the first login under the state of the second: its verifier is another
    status, answer = await browser.come_back(back | {"code": used})

    assert status == 401
    assert "(invalid_grant)" in answer["detail"]


async def test_another_browser_cannot_end_a_login(console, ann):
    back = await console.browser().leave()
    victim = console.browser()
    await victim.leave()

    status, answer = await victim.come_back(back)
    assert status == 409
    assert "another browser" in answer["detail"]
    assert "roost_session" not in victim.cookies


async def test_a_login_waits_ten_minutes_and_no_longer(console, ann):
    browser = console.browser()
    back = await browser.leave()
    console.clock.now_ms += LOGIN_MS_MAX

    assert (await browser.come_back(back))[0] == 409


async def test_an_answer_in_the_name_of_another_provider_is_refused(console, ann):
    browser = console.browser()
    back = await browser.leave()

    status, answer = await browser.come_back(back | {"iss": "https://another.example"})
    assert status == 401
    assert "another provider" in answer["detail"]


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example", "/\\evil", ""])
async def test_a_login_leads_to_no_other_host(console, path):
    status, _ = await console.browser().send("POST", OFFER, {"next": path})

    assert status == 422


async def test_another_page_neither_begins_nor_ends_a_login(console, ann):
    browser = console.browser()
    foreign = {"Origin": "https://evil.example"}
    assert (await browser.send("POST", OFFER, {}, **foreign))[0] == 403
    back = await browser.leave()

    assert (await browser.send("POST", f"{OFFER}/code", back, **foreign))[0] == 403


async def test_the_browsers_secret_is_out_of_reach_of_scripts_and_other_pages(console):
    client = console.browser().client
    async with client.post(OFFER, json={}) as answer:
        header = answer.headers["Set-Cookie"]

    assert header.startswith(f"{COOKIE}=")
    assert "HttpOnly; SameSite=Strict" in header


async def test_failures_are_throttled(console, ann, provider):
    browser = console.browser()
    for _ in range(FAILURES_MAX):
        await browser.come_back({"code": "c", "state": "s"})
    assert (await browser.send("POST", OFFER, {}))[0] == 429
    console.clock.now_ms += WINDOW_MS
    provider.tell(claims={"iat": console.clock.now_ms // 1_000})

    assert (await browser.log_in())[0] == 200


async def test_logins_and_refusals_are_in_the_audit_log(console, ann, provider):
    await console.browser().log_in()
    provider.tell(claims={"sub": "u-9"})
    await console.browser().log_in()
    refused, done = (await acts(console))[:2]

    assert (done.actor, done.action, done.via, done.outcome) == (
        "ann",
        "session.begin",
        "oidc",
        "done",
    )
    assert (refused.actor, refused.outcome) == ("unknown", "refused")
    assert refused.detail == {"issuer": provider.issuer, "subject": "u-9"}


async def test_without_a_provider_nothing_is_offered(get, post):
    assert await get(OFFER) == (200, {"provider": None, "problem": ""})
    assert (await post(OFFER, {}))[0] == 404


async def test_a_provider_that_is_down_is_told_of_and_other_logins_go_on(console, clock):
    dead = replace(console.config, issuer="http://127.0.0.1:1")
    api = replace(console.central.api, oidc=OidcLogin(dead, clock, console.central.api.entropy))
    async with (
        listening(application(api, ROUTES), "127.0.0.1", 0) as port,
        ClientSession(f"http://127.0.0.1:{port}", cookie_jar=DummyCookieJar()) as client,
    ):
        browser = Browser(client, {})
        _, offer = await browser.send("GET", OFFER)
        assert offer["provider"] == "127.0.0.1:1"
        assert "does not answer" in offer["problem"]
        status, answer = await browser.send("POST", OFFER, {})
        assert status == 503
        assert "passwords and tokens work" in answer["detail"]
        body = {"token": console.central.token}
        assert (await browser.send("POST", "/api/v1/session", body))[0] == 200


@pytest.mark.parametrize(
    ("lie", "word"),
    [
        ({"metadata": {"issuer": "https://another.example"}}, "oidc.issuer"),
        ({"metadata": {"token_endpoint": "http://idp.example/token"}}, "not https"),
        ({"metadata": {"jwks_uri": 7}}, "not understood"),
        ({"padding": ANSWER_BYTES_MAX}, "bytes"),
        ({"redirects": True}, "status 302"),
    ],
)
async def test_a_provider_that_says_what_cannot_be_is_not_used(console, provider, ann, lie, word):
    provider.tell(**lie)
    browser = console.browser()
    assert word in (await browser.send("GET", OFFER))[1]["problem"]
    assert (await browser.send("POST", OFFER, {}))[0] in {401, 503}

    provider.tell()
    console.clock.now_ms += RETRY_MS
    assert (await browser.log_in())[0] == 200
