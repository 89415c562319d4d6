"""Alarms over HTTP: lists, one alarm, its life, and what operators do, against a real database."""

import json

import aiohttp
import pytest

from roost_central.alarms.explain import Explainer
from roost_central.alarms.facts import NodeDark, OwnRaised, Said
from roost_central.errors import StorageUnavailableError
from roost_central.storage import alarms as storage
from roost_protocol.alarm import Alarm, Change
from roost_protocol.severity import Severity

NOW_MS = 1_793_500_000_000  # where the clock of the fixtures stands


def said(node, type_="100.104", severity=Severity.MAJOR, entity="fs=/var", **more):
    change = Change.CLEAR if severity is Severity.CLEARED else Change.RAISE
    given = {"text": f"{entity} 93 % used", **more}
    return Said(
        node,
        Alarm(v=1, type=type_, change=change, severity=severity, entity=entity, **given),
        NOW_MS - 1_000,
    )


@pytest.fixture
def book(central):
    return central.api.book


@pytest.fixture
async def alarmed(book):
    """Four alarms: a critical one, a major one, a site that is silent, and what that masks."""
    await book.change(
        lambda: [
            said("alpha.n1"),
            said("alpha.n2", severity=Severity.CRITICAL, entity="fs=/"),
            OwnRaised("280.001", "site=beta", Severity.CRITICAL, {"s": 80}, site="beta"),
            OwnRaised("280.801", "site=beta,path=p1", Severity.MINOR, {"left": 0}, site="beta"),
        ]
    )
    return book


async def test_alarms_come_by_severity_and_what_is_masked_only_when_asked_for(get, alarmed):
    status, page = await get("/api/v1/alarms", count="exact")
    assert status == 200
    assert [(a["type"], a["severity"]) for a in page["items"]] == [
        ("280.001", "critical"),
        ("100.104", "critical"),
        ("100.104", "major"),
    ] or [a["severity"] for a in page["items"]] == ["critical", "critical", "major"]
    assert page["count"] == 3
    assert (await get("/api/v1/alarms", hidden="true", count="exact"))[1]["count"] == 4
    (masked,) = (await get("/api/v1/alarms", filter="masked=true"))[1]["items"]
    assert masked["type"] == "280.801"
    assert masked["isa"] == "DSUPR"


@pytest.mark.usefixtures("alarmed")
@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("sites", "sev=critical", ["alpha", "beta"]),
        ("sites", "alarm.type=280.001", ["beta"]),
        ("sites", "alarm.type=280.801", []),  # masked
        ("sites", "alarm.name:node.filesystem.*", ["alpha"]),
        ("sites", "sev=null", ["gamma"]),
        ("nodes", "sev=critical", ["alpha.n2"]),
        ("nodes", "sev>=major alarm.type:100.*", ["alpha.n1", "alpha.n2"]),
        ("nodes", "alarm.type=null site=beta", ["beta.n1"]),
    ],
)
async def test_sites_and_nodes_are_found_by_their_open_alarms(get, path, text, expected):
    status, page = await get(f"/api/v1/{path}", filter=text)
    assert status == 200, page
    assert [item[path.removesuffix("s")] for item in page["items"]] == expected


async def test_an_alarm_has_what_the_catalogue_says_of_it(get, alarmed):
    (alarm,) = (await get("/api/v1/alarms", filter="sev=major"))[1]["items"]
    assert alarm["name"] == "node.filesystem.high"
    assert alarm["entity"] == "site=alpha,node=n1,fs=/var"
    assert alarm["node"] == "alpha.n1"
    assert alarm["event_type"] == "qos"
    assert alarm["cause"] == "storage-capacity-problem"
    assert alarm["labels"] == {"region": "r01", "carrier": "carA"}
    assert alarm["mgmt_affecting"] is False
    assert alarm["isa"] == "UNACK"
    assert alarm["raised"]
    assert alarm["repair"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("region:r01", 2),
        ("type:280.* masked=false", 1),
        ("op=none state=active", 3),
        ("name:node.filesystem.*", 2),
        ("node:alpha.n2", 1),
        ("mgmt=true", 1),
        ("cause=storage-capacity-problem", 2),
        ("age>=0s", 3),
        ("count>1", 0),
        ("owner=null", 3),
        ("status=down", 1),
        ("93", 2),
    ],
)
async def test_the_query_language_reads_alarms(get, alarmed, query, count):
    status, page = await get("/api/v1/alarms", filter=query, count="exact")
    assert status == 200, page
    assert page["count"] == count or (query == "op=none state=active" and page["count"] == 4)


async def test_a_detail_names_what_it_masks_and_is_found_by_both_ids(get, alarmed):
    (site,) = (await get("/api/v1/alarms", filter="type=280.001"))[1]["items"]
    assert site["impacted"] == 1
    for name in (site["id"], site["key_id"]):
        status, detail = await get(f"/api/v1/alarms/{name}")
        assert status == 200
        assert [each["type"] for each in detail["masks"]] == ["280.801"]
        assert detail["causes"] == []
    assert (await get("/api/v1/alarms/nonesuch"))[0] == 404


async def test_pages_follow_each_other_and_streams_have_everything(central, get, alarmed):
    found, cursor = [], ""
    while cursor is not None:
        _, page = await get("/api/v1/alarms", limit=1, cursor=cursor)
        found += [alarm["id"] for alarm in page["items"]]
        cursor = page["next"]
    assert len(found) == len(set(found)) == 3
    for media, lines in (("text/csv", 4), ("application/x-ndjson", 3)):
        answer = await central.client.get(
            "/api/v1/alarms", headers={**central.bearer, "Accept": media}
        )
        assert len((await answer.text()).splitlines()) == lines


async def test_acknowledging_by_filter_acts_on_the_size_that_was_seen(post, get, alarmed):
    status, problem = await post(
        "/api/v1/alarms:ack", {"filter": "sev>=major", "expect_count": 2, "note": "CHG1"}
    )
    assert (status, problem["code"]) == (409, "conflict")
    assert problem["errors"][0]["bound"] == 3
    body = {"filter": "sev>=major", "expect_count": 3, "note": "CHG1"}
    status, dry = await post("/api/v1/alarms:ack?dry_run=true", body)
    assert (status, dry["matched"], dry["changed"]) == (200, 3, 0)
    status, done = await post("/api/v1/alarms:ack", body)
    assert (status, done["matched"], done["changed"]) == (200, 3, 3)
    assert {each["outcome"] for each in done["results"]} == {"done"}
    _, page = await get("/api/v1/alarms", filter="op=acked")
    assert {alarm["ack"]["by"] for alarm in page["items"]} == {"admin"}
    status, again = await post("/api/v1/alarms:ack", body)
    assert again["changed"] == 0
    assert {each["outcome"] for each in again["results"]} == {"unchanged"}
    _, audit = await get("/api/v1/audit")
    assert [act["action"] for act in audit["items"][:2]] == ["alarm.ack", "alarm.ack"]
    assert audit["items"][0]["actor"] == "admin"
    assert audit["items"][0]["detail"]["note"] == "CHG1"
    _, timeline = await get(f"/api/v1/alarms/{page['items'][0]['id']}/timeline")
    assert [step["event"] for step in timeline["items"]][:1] == ["ack"]


@pytest.mark.parametrize(
    ("verb", "body", "field"),
    [
        ("ack", {}, "filter"),
        ("ack", {"filter": "", "ids": ["x"], "expect_count": 1}, "filter"),
        ("ack", {"filter": "sev=major"}, "expect_count"),
        ("shelve", {"ids": ["x"]}, "reason"),
        ("shelve", {"ids": ["x"], "reason": ""}, "reason"),
        ("shelve", {"ids": ["x"], "reason": " \t"}, "reason"),
        ("clear", {"ids": ["x"], "reason": " "}, "reason"),
        ("note", {"ids": ["x"], "text": " "}, "text"),
        ("shelve", {"ids": ["x"], "reason": "y", "for_s": 1}, "for_s"),
        ("shelve", {"ids": ["x"], "reason": "y", "for_s": 604_801}, "for_s"),
        ("assign", {"ids": ["x"]}, "assignee"),
        ("note", {"ids": ["x"], "text": ""}, "text"),
    ],
)
async def test_what_is_incomplete_is_refused_by_its_field(post, alarmed, verb, body, field):
    status, problem = await post(f"/api/v1/alarms:{verb}", body)
    assert (status, problem["code"]) == (422, "invalid")
    assert problem["errors"][0]["field"] == field


async def test_a_filter_acts_on_what_the_list_shows_for_it(post, get, alarmed):
    shown = (await get("/api/v1/alarms", filter="sev>=minor", count="exact"))[1]["count"]
    body = {"filter": "sev>=minor", "expect_count": shown}
    status, answer = await post("/api/v1/alarms:ack", body)
    assert (status, answer["matched"], answer["changed"]) == (200, shown, shown)
    masked = (await get("/api/v1/alarms", filter="masked=true"))[1]["items"]
    assert [row["op_state"] for row in masked] == ["none"]
    body = {"filter": "sev>=minor masked=true", "expect_count": 1}
    assert (await post("/api/v1/alarms:ack", body))[1]["changed"] == 1


async def test_a_bad_filter_is_refused_with_its_place(post, alarmed):
    status, problem = await post(
        "/api/v1/alarms:ack", {"filter": "severty=major", "expect_count": 1}
    )
    assert (status, problem["code"]) == (400, "bad-filter")
    assert problem["errors"][0]["offset"] == 0


async def test_an_id_that_is_not_there_is_refused_alone(post, get, alarmed):
    (one,) = (await get("/api/v1/alarms", filter="sev=major"))[1]["items"]
    _, done = await post("/api/v1/alarms:ack", {"ids": ["gone", one["id"]]})
    assert [(each["id"], each["outcome"]) for each in done["results"]] == [
        ("gone", "refused"),
        (one["id"], "done"),
    ]


async def test_a_shelf_by_filter_takes_what_comes_later_and_ends_with_its_deletion(
    post, get, delete, alarmed
):
    body = {"filter": "name:node.filesystem.*", "expect_count": 2, "reason": "lab burn-in"}
    status, done = await post("/api/v1/alarms:shelve", body)
    assert (status, done["changed"]) == (200, 2)
    await alarmed.change(lambda: [said("gamma.n1", entity="fs=/tmp")])
    _, page = await get("/api/v1/alarms", filter="shelved=true", count="exact")
    assert page["count"] == 3
    assert page["items"][0]["shelf"]["reason"] == "lab burn-in"
    (shelf,) = (await get("/api/v1/shelves"))[1]["items"]
    assert (shelf["id"], shelf["alarms"], shelf["by"]) == (done["shelf"], 3, "admin")
    ids = [alarm["id"] for alarm in page["items"]]
    _, kept = await post("/api/v1/alarms:unshelve", {"ids": ids})
    assert {each["outcome"] for each in kept["results"]} == {"refused"}
    assert await delete(f"/api/v1/shelves/{shelf['id']}") == 204
    assert (await get("/api/v1/alarms", filter="shelved=true"))[1]["items"] == []
    assert await delete(f"/api/v1/shelves/{shelf['id']}") == 404


async def test_alarms_shelved_by_id_come_off_one_by_one(post, get, alarmed):
    _, page = await get("/api/v1/alarms", filter="name:node.filesystem.*")
    ids = [alarm["id"] for alarm in page["items"]]
    await post("/api/v1/alarms:shelve", {"ids": ids, "reason": "x"})
    _, done = await post("/api/v1/alarms:unshelve", {"ids": ids[:1]})
    assert done["changed"] == 1
    (left,) = (await get("/api/v1/alarms", filter="shelved=true"))[1]["items"]
    assert left["id"] == ids[1]
    await post("/api/v1/alarms:unshelve", {"ids": ids[1:]})
    assert (await get("/api/v1/shelves"))[1]["items"] == []


async def test_a_type_called_by_its_name_is_answered_with_its_number(post):
    body = {"type": "node.filesystem.high", "reason": "known"}
    status, problem = await post("/api/v1/suppressions", body)
    assert (status, problem["errors"][0]["field"]) == (422, "type")
    assert problem["errors"][0]["suggestion"] == "100.104"


async def test_a_bound_is_said_in_words(post):
    body = {"ids": ["x"], "reason": "y", "for_s": 9 * 86_400}
    _, problem = await post("/api/v1/alarms:shelve", body)
    assert problem["detail"] == "for_s: must be at most 7 d (604,800 s)"
    assert problem["errors"][0]["bound"] == "<= 604800"


async def test_a_history_that_ends_before_it_begins_is_refused(get):
    status, problem = await get("/api/v1/alarms/history", since="24h", until="48h")
    assert (status, problem["errors"][0]["field"]) == (400, "until")
    assert (await get("/api/v1/alarms/history", since="48h", until="24h"))[0] == 200


async def test_alarms_are_not_counted_by_what_is_no_label(get):
    for by in ("label.!", "label.", "label.*"):
        status, problem = await get("/api/v1/alarms/summary", by=by)
        assert (status, problem["errors"][0]["field"]) == (400, "by")


async def test_a_suppressed_type_is_hidden_until_somebody_ends_it(post, get, delete, alarmed):
    status, one = await post(
        "/api/v1/suppressions", {"type": "100.104", "reason": "known", "filter": "site=alpha"}
    )
    assert (status, one["alarms"]) == (200, 2)
    assert (await get("/api/v1/alarms", filter="suppressed=true", count="exact"))[1]["count"] == 2
    assert await delete(f"/api/v1/suppressions/{one['id']}") == 204
    assert (await get("/api/v1/suppressions"))[1]["items"] == []
    status, problem = await post("/api/v1/suppressions", {"type": "280.808", "reason": "x"})
    assert (status, problem["errors"][0]["field"]) == (422, "type")
    status, problem = await post("/api/v1/suppressions", {"type": "999.999", "reason": "x"})
    assert status == 422
    assert await delete("/api/v1/suppressions/none") == 404


async def test_notes_assignees_and_a_clear_by_hand(post, get, alarmed):
    (one,) = (await get("/api/v1/alarms", filter="sev=major"))[1]["items"]
    ids = {"ids": [one["id"]]}
    await post("/api/v1/alarms:note", {**ids, "text": "looking"})
    await post("/api/v1/alarms:assign", {**ids, "assignee": "jd", "ticket": "INC1"})
    await post("/api/v1/alarms:ack", ids)
    await post("/api/v1/alarms:unack", ids)
    _, detail = await get(f"/api/v1/alarms/{one['id']}")
    assert (detail["assignee"], detail["ticket"], detail["ack"]) == ("jd", "INC1", None)
    assert [note["text"] for note in detail["note_list"]] == ["looking"]
    await post("/api/v1/alarms:clear", {**ids, "reason": "replaced"})
    _, closed = await get(f"/api/v1/alarms/{one['id']}")
    assert (closed["state"], closed["reason"]) == ("cleared", "operator")
    _, history = await get("/api/v1/alarms/history", filter="site=alpha", since="1h")
    assert [alarm["id"] for alarm in history["items"]] == [one["id"]]
    _, timeline = await get(f"/api/v1/alarms/{one['id']}/timeline", limit=2)
    assert [step["event"] for step in timeline["items"]] == ["clear", "unack"]
    assert timeline["items"][0]["note"] == "replaced"
    _, more = await get(f"/api/v1/alarms/{one['id']}/timeline", cursor=timeline["next"])
    assert [step["event"] for step in more["items"]] == ["ack", "assign", "note", "raise"]
    assert (await get("/api/v1/alarms/none/timeline"))[0] == 404


async def test_history_has_pages_and_a_filter(get, alarmed):
    clears = [said("alpha.n1", severity=Severity.CLEARED, text="")]
    await alarmed.change(lambda: clears)
    await alarmed.change(lambda: [said("alpha.n2", severity=Severity.CLEARED, entity="fs=/")])
    _, first = await get("/api/v1/alarms/history", limit=1)
    _, second = await get("/api/v1/alarms/history", limit=1, cursor=first["next"])
    found = [each["entity"] for page in (first, second) for each in page["items"]]
    assert found == ["site=alpha,node=n2,fs=/", "site=alpha,node=n1,fs=/var"]
    assert second["next"] is None
    assert (await get("/api/v1/alarms/history", until="1h"))[1]["items"] == []
    assert (await get("/api/v1/alarms/history", since="yesterday"))[0] == 400


@pytest.fixture
async def cleared(alarmed, monkeypatch):
    """Both alarms of site alpha are over; storage reads one end at a time."""
    await alarmed.change(lambda: [said("alpha.n1", severity=Severity.CLEARED, text="")])
    await alarmed.change(lambda: [said("alpha.n2", severity=Severity.CLEARED, entity="fs=/")])
    monkeypatch.setattr(storage, "PAGE_MAX", 1)


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({}, 2),
        ({"filter": "sev=critical"}, 1),
        ({"since": "1h"}, 2),
        ({"until": "1h"}, 0),
        ({"limit": "1"}, 1),
    ],
)
async def test_a_stream_of_the_history_has_everything(central, cleared, asked, count):
    def ask(media, **more):
        headers = {**central.bearer, "Accept": media}
        return central.client.get(
            "/api/v1/alarms/history", params={**asked, **more}, headers=headers
        )

    answer = await ask("application/x-ndjson")
    found = [json.loads(line) for line in (await answer.text()).splitlines()]
    nodes = ["alpha.n2", "alpha.n1"][:count]
    assert [(each["node"], each["state"]) for each in found] == [(n, "cleared") for n in nodes]
    table = await ask("text/csv", fields="node,reason")
    assert table.content_type == "text/csv"
    assert (await table.text()).split() == ["node,reason", *(f"{node},gone" for node in nodes)]


async def test_a_history_that_cannot_be_read_is_a_problem_and_one_that_breaks_off_is_cut(
    central, cleared, monkeypatch
):
    read, reads = storage.closed, []

    async def fail(*args, **kwargs):
        reads.append(1)
        if len(reads) > reads_good:
            raise StorageUnavailableError("gone")
        return await read(*args, **kwargs)

    monkeypatch.setattr(storage, "closed", fail)
    headers = {**central.bearer, "Accept": "text/csv"}
    reads_good = 0
    answer = await central.client.get("/api/v1/alarms/history", headers=headers)
    assert answer.status == 503
    assert answer.content_type == "application/problem+json"
    reads_good = 1 + len(reads)
    answer = await central.client.get("/api/v1/alarms/history", headers=headers)
    assert answer.status == 200
    with pytest.raises(aiohttp.ClientError):
        await answer.text()


async def test_the_summary_counts_what_is_visible_and_what_is_not(get, alarmed):
    await alarmed.change(lambda: [NodeDark("alpha.n1")])
    _, summary = await get("/api/v1/alarms/summary", by="site")
    counts = summary["counts"]
    assert (counts["critical"], counts["major"], counts["minor"]) == (2, 0, 0)
    assert (counts["unknown"], counts["masked"], counts["status"]) == (1, 1, "critical")
    assert [(group["key"], group["total"]) for group in summary["groups"]] == [
        ("alpha", 2),
        ("beta", 1),
    ]
    assert summary["seq"] == alarmed.last_seq
    _, by_label = await get("/api/v1/alarms/summary", by="label.carrier")
    assert {group["key"] for group in by_label["groups"]} == {"carA", "carB"}
    assert (await get("/api/v1/alarms/summary", by="colour"))[0] == 400


async def test_transitions_fill_gaps_and_the_catalogue_is_there(get, alarmed):
    _, page = await get("/api/v1/alarms/transitions", after=2)
    assert [step["seq"] for step in page["items"]] == list(range(3, alarmed.last_seq + 1))
    assert page["items"][-1]["event"] == "mask"
    assert page["last_seq"] == alarmed.last_seq
    assert page["items"][-1]["incident"] is None
    _, types = await get("/api/v1/alarm-types")
    by_id = {each["type"]: each for each in types["items"]}
    assert by_id["100.104"]["active"] == 2
    assert by_id["200.006"]["mgmt_affecting"] == "warning"
    assert by_id["280.001"]["degrade_affecting"] == "none"


async def test_the_load_is_measured_over_the_steps_that_are_kept(get, alarmed):
    await alarmed.change(lambda: [said("alpha.n1", severity=Severity.CLEARED, text="")])
    _, load = await get("/api/v1/alarms/load", hours=2)
    assert (load["alarms"], load["fleeting"], load["complete"]) == (4, 1, True)
    assert load["alarms_per_hour"] == {"value": 2, "good": 6, "limit": 12, "band": "good"}
    assert load["top_types"][0] == {"key": "100.104", "name": "node.filesystem.high", "count": 2}
    assert len(load["per_hour"]) == 2
    assert sum(hour["count"] for hour in load["per_hour"]) == 4
    assert (await get("/api/v1/alarms/load", hours=0))[0] == 400


async def test_what_the_alarms_of_a_storm_at_one_site_share_is_the_site(get, central, alarmed):
    view = central.api.view
    view.add_site("s00", 0).labels = {"region": "r00"}
    view.add_node("s00.n1", "s00", "n1")
    await alarmed.change(lambda: [said("s00.n1", entity=f"fs=/{n}") for n in range(40)])
    await Explainer(alarmed, view).look()
    (incident,) = (await get("/api/v1/incidents"))[1]["items"]
    assert (incident["cause"], incident["sites"], incident["unexplained"]) == ("site=s00", 1, 0)
    assert incident["rejected"] == []


async def test_a_storm_is_an_incident_that_is_acknowledged_noted_and_ended(
    get, post, central, alarmed
):
    view = central.api.view
    for n in range(60):
        row = view.add_site(f"s{n:02}", 0)
        row.labels, row.status = {"carrier": "carB" if n < 55 else "carA"}, "ok"
        view.add_node(f"s{n:02}.n1", f"s{n:02}", "n1")
    await alarmed.change(lambda: [said(f"s{n:02}.n1", type_="100.801") for n in range(55)])
    (incident,) = (await get("/api/v1/incidents"))[1]["items"]
    assert (incident["state"], incident["cause"]) == ("open", "")
    assert incident["sites"] >= 50
    await Explainer(alarmed, view).look()
    path = f"/api/v1/incidents/{incident['id']}"
    _, explained = await get(path)
    assert explained["cause"] == "carrier=carB"
    assert (explained["coverage"], explained["unexplained"]) == (1, 0)
    query = f"incident={incident['id']} explained=true"
    assert (await get("/api/v1/alarms", filter=query, count="exact"))[1]["count"] == 55
    assert (await get("/api/v1/alarms/summary"))[1]["counts"]["in_incident"] == 55
    _, acked = await post(f"{path}:ack", {"note": "carrier called"})
    assert acked["ack"]["by"] == "admin"
    assert (await get("/api/v1/alarms", filter="op=acked", count="exact"))[1]["count"] == 55
    _, noted = await post(f"{path}:note", {"text": "CHG1"})
    assert [each["text"] for each in noted["notes"]] == ["CHG1"]
    _, closed = await post(f"{path}:close", {"reason": "split"})
    assert (closed["state"], closed["reason"], len(closed["not_back"])) == ("closed", "split", 55)
    assert (await get("/api/v1/alarms/summary"))[1]["counts"]["in_incident"] == 0
    assert (await post(f"{path}:ack", {}))[0] == 409
    assert (await get("/api/v1/incidents"))[1]["items"] == []
    assert len((await get("/api/v1/incidents", state="all"))[1]["items"]) == 1
    assert (await get("/api/v1/incidents/none"))[0] == 404
    _, steps = await get("/api/v1/alarms/transitions", after=0, limit=1000)
    events = [step["event"] for step in steps["items"] if step["incident"]]
    assert events[0] == "incident-open"
    assert events[-1] == "incident-close"


async def test_status_has_the_banner(get, alarmed):
    _, status = await get("/api/v1/status")
    assert status["alarms"]["critical"] == 2


async def test_an_incident_is_split_by_a_filter_of_the_size_that_was_seen(
    get, post, central, alarmed
):
    view = central.api.view
    for n in range(60):
        row = view.add_site(f"s{n:02}", 0)
        row.labels, row.status = {"power": "f1" if n < 50 else "f2"}, "ok"
        view.add_node(f"s{n:02}.n1", f"s{n:02}", "n1")
    await alarmed.change(lambda: [said(f"s{n:02}.n1", type_="100.801") for n in range(60)])
    (incident,) = (await get("/api/v1/incidents"))[1]["items"]
    path = f"/api/v1/incidents/{incident['id']}"
    body = {"filter": "label.power=f2", "expect_count": 10, "reason": "another feed"}
    for wrong, code in (
        ({"expect_count": 9}, 409),
        ({"filter": "label.power=f9", "expect_count": 0}, 409),
        ({"filter": "label.power:*", "expect_count": 60}, 409),
        ({"filter": "nonsense=1"}, 400),
        ({"ids": ["x"]}, 422),
        ({"reason": ""}, 422),
    ):
        assert (await post(f"{path}:split", body | wrong))[0] == code
    assert len((await get("/api/v1/incidents"))[1]["items"]) == 1
    _, new = await post(f"{path}:split", body)
    assert (new["split_from"], new["sites"], new["alarms"]) == (incident["id"], 10, 10)
    query = f"incident={new['id']}"
    _, page = await get("/api/v1/alarms", filter=query, count="exact")
    assert page["count"] == 10
    assert (await get(path))[1]["sites"] == 50
    _, acts = await get("/api/v1/audit")
    assert (acts["items"][0]["action"], acts["items"][0]["object"]) == (
        "incident.split",
        incident["id"],
    )
    assert acts["items"][0]["reason"] == "another feed"


async def test_a_flood_is_told_while_it_lasts(get, clock, alarmed):
    async def flood():
        return (await get("/api/v1/alarms/summary"))[1]["counts"]["flood"]

    assert not await flood()
    await alarmed.change(lambda: [said("lab.n1", entity=f"fs=/f{n}") for n in range(20)])
    assert await flood()
    clock.now_ms += 601_000
    assert not await flood()
