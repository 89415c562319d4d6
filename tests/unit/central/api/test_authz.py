"""Who may do what, where: every route by every role, and nothing of others' sites by any door."""

import re
from asyncio import timeout
from dataclasses import replace

import pytest
from ca import new_key

from roost_agent.enrol.keys import public_pem
from roost_central.access.core import ROLES, Grant, Scope
from roost_central.access.throttle import FAILURES_MAX
from roost_central.alarms.facts import OwnRaised
from roost_central.api.route import Auth
from roost_central.api.routes import API
from roost_central.api.scoped import SCOPES_MAX
from roost_central.api.sse import RECHECK_MS
from roost_central.enrol.claim_desk import NewClaim
from roost_central.enrol.queue import LIST_MAX
from roost_central.enrol.states import State
from roost_central.storage import accounts, audit, claims, enrolments, events, sites
from roost_central.storage.accounts import AccountRecord
from roost_central.storage.claims import ClaimRecord, ClaimType
from roost_central.storage.enrolments import EnrolmentRecord
from roost_central.storage.events import NewEvent
from roost_central.storage.sites import SiteRecord
from roost_central.stream.core import FRAME_INTERVAL_MS
from roost_protocol.severity import Severity

R1 = Grant("admin", "region:r01")  # alpha is there; beta and gamma are not
NAMES = {"site": "beta", "node": "beta.n1", "user": "admin", "token": "admin", "target": "noc1"}
GUARDED = [route for route in API if route.auth is Auth.BEARER]
HIDDEN = ("beta", "gamma", "r02", "carB", "gold")  # names and labels out of the scope

KEY_PEM = public_pem(new_key())


def path_of(route, names=NAMES):
    return re.sub(r"\{(\w+)\}", lambda found: names.get(found[1], "01J0"), route.path)


@pytest.fixture
async def alarmed(central):
    """An open alarm and an event at each site, and an event of the centre."""
    for site in ("alpha", "beta", "gamma"):
        params = {"nodes": 1, "paths": 1, "reason": f"{site} said so"}
        central.api.book.signal(
            OwnRaised("280.001", f"site={site}", Severity.CRITICAL, params, site=site)
        )
    await central.api.book.change(list)
    told = [
        NewEvent(1, 1, "liveness", "280.811", 1, f"{site} is back", site or None, None)
        for site in ("alpha", "beta", "gamma", "")
    ]
    async with central.database.write() as connection:
        await events.append(connection, told)


@pytest.mark.parametrize("role", sorted(ROLES))
async def test_a_role_reaches_the_routes_of_its_permissions_and_no_other(central, person, role):
    who = await person("somebody", Grant(role))
    wrong = []
    for route in GUARDED:
        if route.answer_s_max is None:
            continue  # the stream: below
        async with central.client.request(route.method, path_of(route), headers=who) as answer:
            may = route.permission in ROLES[role]
            if may is (answer.status == 403) or (not may and answer.status < 400):
                wrong.append((route.label, answer.status))
    assert wrong == []


async def test_boxes_and_claims_of_others_sites_are_not_there(central, person, ask):
    """Who may let boxes in at one region sees, makes and decides nothing elsewhere."""
    who, boss = await person("regional", R1), await person("boss", Grant("admin"))
    made = {}
    async with central.database.write() as connection:
        rows = [SiteRecord(site, 0, {}, None, None, 1, 0) for site in ("alpha", "beta")]
        await sites.save(connection, rows)
    for site in ("alpha", "beta"):
        wanted = NewClaim(site, kind=ClaimType.SERIAL, subject=f"S-{site}")
        made[site] = (await central.api.enrolment.claims.make([wanted], "x", nothing))[0][0]
        async with central.database.write() as connection:
            await enrolments.save(connection, box_at(site))
    async with central.database.write() as connection:
        await enrolments.save(connection, box_at(""))
    seen = [each["site"] for each in (await ask(who, "GET", "/api/v1/enrolments"))[1]["items"]]
    assert seen == ["alpha"]
    assert [each["site"] for each in (await ask(who, "GET", "/api/v1/claims"))[1]["items"]] == seen
    everything = (await ask(boss, "GET", "/api/v1/enrolments"))[1]["items"]
    assert len(everything) == 3
    for id_ in ("box-beta", "box-"):
        path = f"/api/v1/enrolments/{id_}"
        assert (await ask(who, "GET", path))[0] == 404
        assert (await ask(who, "POST", f"{path}/approve", {"node": "n9", "site": "alpha"}))[
            0
        ] == 404
        assert (await ask(who, "POST", f"{path}/deny", {"reason": "x"}))[0] == 404
    approve = "/api/v1/enrolments/box-alpha/approve"
    assert (await ask(who, "POST", approve, {"node": "n9", "site": "beta"}))[0] == 404
    assert (await ask(who, "POST", "/api/v1/enrolments:approve", {"expected": 2}))[0] == 409
    assert (await ask(who, "DELETE", f"/api/v1/claims/{made['beta'].id}"))[0] == 404
    listed = {"claims": [{"site": "beta", "serial": "S-9"}]}
    assert (await ask(who, "POST", "/api/v1/claims:import", listed))[0] == 404
    assert (await ask(who, "POST", approve, {"node": "n9"}))[0] == 200


async def test_a_claim_is_revoked_however_many_are_newer(central, person, ask):
    who = await person("regional", R1)
    async with central.database.write() as connection:
        await sites.save(connection, [SiteRecord("alpha", 0, {}, None, None, 1, 0)])
        oldest = ClaimRecord("oldest", ClaimType.KEY, "alpha", "x", made_ms=1, not_after_ms=2)
        newer = [replace(oldest, id=f"c{n}", made_ms=2) for n in range(LIST_MAX)]
        await claims.add(connection, oldest, *newer)
    listed = (await ask(who, "GET", "/api/v1/claims"))[1]["items"]
    assert (len(listed), "oldest" in {each["id"] for each in listed}) == (LIST_MAX, False)
    assert (await ask(who, "DELETE", "/api/v1/claims/oldest"))[0] == 204
    for gone in ("oldest", "never", "%00"):
        assert (await ask(who, "DELETE", f"/api/v1/claims/{gone}"))[0] == 404


async def nothing(*_args):
    """No audit row."""


def box_at(site):
    return EnrolmentRecord(
        id=f"box-{site}", key_hash=site.encode(), kind="token", claim="", state=State.PENDING,
        site=site, node="", broker=False, csr="", lan_key=KEY_PEM, broker_key=KEY_PEM,
        sealing_key=b"",
        hardware="{}", agent="", address="", words="", ticket_hash=site.encode(), asked_ms=1,
        seen_ms=1,
    )  # fmt: skip


async def test_who_has_no_grant_reaches_only_what_is_his_own(central, person, ask):
    who = await person("nobody")
    for route in GUARDED:
        assert (await ask(who, route.method, path_of(route)))[0] == 403, route.label
    status, me = await ask(who, "GET", "/api/v1/me")
    assert (status, me["name"], me["permissions"]) == (200, "nobody", [])


@pytest.mark.usefixtures("alarmed")
async def test_no_answer_tells_of_a_site_out_of_scope(central, person, ask):
    """The whole read side, for an admin of one region: nothing names what is elsewhere."""
    who = await person("regional", R1)
    reads = [
        "/sites", "/nodes", "/paths", "/alarms?hidden=true", "/alarms/summary?by=site",
        "/alarms/summary?by=region", "/alarms/transitions", "/alarms/load", "/alarm-types",
        "/alarms/history", "/events", "/events?after=0", "/incidents?state=all", "/shelves",
        "/suppressions", "/snapshot", "/status", "/sites?filter=site:b*", "/sites/alpha",
        "/sites/alpha/ha", "/sites/alpha/ha/history", "/nodes/alpha.n1", "/users", "/tokens",
        "/alarms?filter=site=beta", "/nodes?sort=-heard&limit=1",
    ]  # fmt: skip
    for path in reads:
        async with central.client.get(f"/api/v1{path}", headers=who) as answer:
            text = await answer.text()
            assert answer.status == 200, (path, text)
            assert not [word for word in HIDDEN if word in text.replace("site=beta", "")], path
    for media in ("text/csv", "application/x-ndjson"):
        for path in ("/sites", "/nodes", "/paths", "/alarms", "/alarms/history"):
            headers = who | {"Accept": media}
            async with central.client.get(f"/api/v1{path}", headers=headers) as answer:
                text = await answer.text()
                assert not [word for word in HIDDEN if word in text], (path, media)


@pytest.mark.usefixtures("alarmed")
async def test_counts_are_of_the_scope(person, ask, central):
    who = await person("regional", R1)
    status = (await ask(who, "GET", "/api/v1/status"))[1]
    assert (status["sites"]["total"], status["nodes"]["total"]) == (1, 2)
    assert status["alarms"]["critical"] == 1
    assert (await ask(who, "GET", "/api/v1/sites?count=exact"))[1]["count"] == 1
    everyone = (await ask(central.bearer, "GET", "/api/v1/status"))[1]
    assert (everyone["sites"]["total"], everyone["alarms"]["critical"]) == (3, 3)


OBJECTS = [
    route
    for route in GUARDED
    if {"{site}", "{node}", "{alarm}"} & set(re.findall(r"\{\w+\}", route.path))
]


REASONED = ("/revoke", "/quarantine", "/release", "/decommission", ":forget", ":relearn",
            "/sensor-groups/01J0")  # fmt: skip


@pytest.mark.usefixtures("alarmed")
@pytest.mark.parametrize("route", OBJECTS, ids=lambda route: route.label)
async def test_an_object_out_of_scope_is_as_if_it_were_not(central, person, ask, route):
    """Role x object x verb: what an admin of everything reaches, one of elsewhere does not."""
    who = await person("regional", R1)
    beta = next(row for row in central.api.book.active() if row.site == "beta")
    for alarm in (beta.id, beta.key_id):
        path = path_of(route, NAMES | {"alarm": alarm})
        body = {} if route.body is not None else None
        body = {"reason": "x"} if path.endswith(REASONED) or "/host:" in path else body
        body = {"verb": "resync"} if path.endswith("/orders") else body
        body = {"host": "b1", "reason": "x"} if path.endswith("/bmc") else body
        body = {"word": "e30=", "signature": "e30="} if path.endswith("/members/approve") else body
        status, problem = await ask(who, route.method, path, body, **{"If-Match": "*"})
        assert status in {403, 404, 412}, problem
        assert "beta said so" not in str(problem)
    assert "beta" in central.api.view.sites


@pytest.mark.usefixtures("alarmed")
async def test_a_bulk_act_touches_the_scope_alone(central, person, ask):
    who = await person("regional", Grant("viewer"), Grant("operator", "region:r01"))
    seen = (await ask(who, "GET", "/api/v1/alarms?count=exact"))[1]
    assert seen["count"] == 3  # reads all
    body = {"filter": "sev=critical", "expect_count": 3}
    status, problem = await ask(who, "POST", "/api/v1/alarms:ack", body)
    assert (status, problem["errors"][0]["bound"]) == (409, 1)
    status, answer = await ask(who, "POST", "/api/v1/alarms:ack", body | {"expect_count": 1})
    assert (status, answer["changed"]) == (200, 1)
    acked = {row.site for row in central.api.book.active() if row.ack is not None}
    assert acked == {"alpha"}
    ids = [row.id for row in central.api.book.active()]
    answer = (await ask(who, "POST", "/api/v1/alarms:note", {"ids": ids, "text": "x"}))[1]
    outcomes = sorted(each["outcome"] for each in answer["results"])
    assert outcomes == ["done", "refused", "refused"]
    async with central.database.read() as connection:
        (row, *_) = await audit.page(connection, before=None, limit=1)
    assert (row.act.actor, row.act.role) == ("regional", "operator")


@pytest.mark.usefixtures("alarmed")
async def test_a_shelf_and_a_suppression_by_filter_stay_within_the_scope(central, person, ask):
    who = await person("regional", Grant("operator", "region:r01"))
    body = {"filter": "sev=critical", "expect_count": 1, "reason": "x"}
    assert (await ask(who, "POST", "/api/v1/alarms:shelve", body))[0] == 200
    wide = {"type": "280.811", "filter": "", "reason": "x"}
    await ask(who, "POST", "/api/v1/suppressions", wide)
    hidden = {row.site for row in central.api.book.active() if row.shelf is not None}
    assert hidden == {"alpha"}
    shelves = [
        *central.api.book.core.shelves.values(),
        *central.api.book.core.suppressions.values(),
    ]
    assert all("region:r01" in each.query for each in shelves)
    other = await person("other", Grant("operator", "region:r02"))
    assert (await ask(other, "GET", "/api/v1/shelves"))[1]["items"] == []
    (shelf,) = central.api.book.core.shelves
    assert (await ask(other, "DELETE", f"/api/v1/shelves/{shelf}"))[0] == 404


async def test_a_site_can_neither_enter_nor_leave_a_scope_by_its_labels(person, ask, view):
    who = await person("regional", R1)
    stays = {"labels": {"region": "r01", "x": "y"}}
    assert (await ask(who, "PUT", "/api/v1/sites/alpha", stays, **{"If-Match": "*"}))[0] == 200
    for site, region in (("alpha", "r02"), ("beta", "r01"), ("beta", "r02")):
        body = {"labels": {"region": region}}
        status, _ = await ask(who, "PUT", f"/api/v1/sites/{site}", body, **{"If-Match": "*"})
        assert status == 403
    assert (await ask(who, "PUT", "/api/v1/sites/new", {"labels": {"region": "r02"}}))[0] == 403
    assert (await ask(who, "PUT", "/api/v1/sites/new", stays))[0] == 201
    assert view.sites["beta"].labels["region"] == "r02"
    assert (await ask(who, "GET", "/api/v1/sites/new"))[0] == 200


async def test_a_site_is_seen_from_the_moment_its_labels_fit(central, person, ask):
    who = await person("regional", R1)
    assert (await ask(who, "GET", "/api/v1/nodes/beta.n1"))[0] == 404
    body = {"labels": {"region": "r01"}}
    await ask(central.bearer, "PUT", "/api/v1/sites/beta", body, **{"If-Match": "*"})
    assert (await ask(who, "GET", "/api/v1/nodes/beta.n1"))[0] == 200
    await ask(central.bearer, "DELETE", "/api/v1/sites/alpha")
    assert [row["site"] for row in (await ask(who, "GET", "/api/v1/sites"))[1]["items"]] == ["beta"]


async def test_what_belongs_to_no_site_needs_a_grant_over_everything(person, ask):
    who = await person("regional", R1, Grant("viewer", "region:r02"))
    for route in GUARDED:
        if route.whole:
            status, problem = await ask(who, route.method, path_of(route))
            assert (status, problem["code"]) == (403, "not-allowed"), route.label


async def test_the_stream_and_the_snapshot_are_cut(central, person, ask, clock):
    who = await person("regional", R1)
    snapshot = (await ask(who, "GET", "/api/v1/snapshot"))[1]
    assert snapshot["cols"][snapshot["fields"].index("site")] == ["alpha"]
    fleet = central.api.scopes.of(Scope(("region:r01",)))
    path = f"/api/v1/stream?watch=alpha,beta&epoch={snapshot['epoch']}-{snapshot['frame']}"
    told = b""
    async with central.client.get(f"{path}&alarms=true", headers=who) as answer, timeout(10):
        await answer.content.readuntil(b"\n\n")
        for site in ("alpha", "beta"):
            central.api.view.sites[site].status = "maintenance"
            central.api.view.touch_site(site)
            central.api.view.touch_node(f"{site}.n1")
        while b"maintenance" not in told:
            clock.now_ms += FRAME_INTERVAL_MS
            fleet.advance()
            told += await answer.content.readany()
    assert b"alpha.n1" in told
    assert not [word for word in HIDDEN if word.encode() in told]


async def test_a_stream_ends_when_its_reader_may_something_else(central, person, clock):
    who = await person("regional", R1)
    async with central.client.get("/api/v1/stream", headers=who) as answer, timeout(10):
        async with central.database.write() as connection:
            account = AccountRecord("regional", (Grant("viewer"),), created_ms=0)
            await accounts.save(connection, account)
        clock.now_ms += RECHECK_MS
        while await answer.content.readany():
            central.api.scopes.of(Scope(("region:r01",))).advance()
            clock.now_ms += FRAME_INTERVAL_MS


async def test_scopes_are_bounded_and_one_that_is_streamed_from_stays(central, view):
    scopes = central.api.scopes
    kept = scopes.of(Scope(("site:s0",)))
    with kept.live.client("", frozenset()):
        for n in range(1, SCOPES_MAX + 5):
            scopes.of(Scope((f"site:s{n}",)))
        assert len(scopes._kept) == SCOPES_MAX
        assert scopes.of(Scope(("site:s0",))) is kept
    assert len(view._listeners) == SCOPES_MAX


async def test_the_identity_of_a_node_out_of_scope_is_not_told_and_not_revoked(
    central, person, ask
):
    who = await person("regional", R1)
    for method, path in (
        ("GET", "identities"), ("POST", "revoke"), ("POST", "quarantine"), ("POST", "release"),
    ):  # fmt: skip
        for node in ("beta.n1", "beta.never-heard"):
            body = {"reason": "x"} if method == "POST" else None
            status, problem = await ask(who, method, f"/api/v1/nodes/{node}/{path}", body)
            assert (status, problem["detail"]) == (404, f"there is no node {node}")


async def test_a_refused_write_is_recorded_a_few_times_a_minute(central, person, ask):
    who = await person("curious", Grant("viewer"))
    for _ in range(FAILURES_MAX + 3):
        assert (await ask(who, "DELETE", "/api/v1/sites/alpha"))[0] == 403
    assert (await ask(who, "GET", "/api/v1/audit"))[0] == 403  # a read leaves none
    async with central.database.read() as connection:
        rows = await audit.page(connection, before=None, limit=20)
    refused = [row.act for row in rows if row.act.action == "access.refused"]
    assert len(refused) == FAILURES_MAX
    act = refused[0]
    assert (act.actor, act.object, act.outcome) == ("curious", "/api/v1/sites/alpha", "refused")
    assert act.detail == {"method": "DELETE", "permission": "admin"}


FORGED = (
    "X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-User", "X-Remote-User", "Remote-User",
    "X-Forwarded-Host", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override",
)  # fmt: skip


@pytest.mark.parametrize("header", FORGED)
async def test_no_header_of_a_proxy_changes_who_asks_from_where_and_what(
    central, person, ask, header
):
    who = await person("lead", Grant("admin", "region:r01"))
    for value in ("admin", "127.0.0.2", "for=127.0.0.2", "/api/v1/users/admin", "DELETE"):
        assert (await ask({}, "GET", "/api/v1/me", **{header: value}))[0] == 401
        status, me = await ask(who, "GET", "/api/v1/me", **{header: value})
        assert (status, me["name"], me["everywhere"]) == (200, "lead", [])
    body = {"labels": {"region": "r01"}}
    await ask(who, "PUT", "/api/v1/sites/forged", body, **{header: "203.0.113.9"})
    async with central.database.read() as connection:
        (row,) = await audit.page(connection, before=None, limit=1)
    assert (row.act.action, row.act.actor, row.act.source) == ("site.put", "lead", "127.0.0.1")
