"""States of hosts over HTTP: with their age and cause, and of a dark site as unknown."""

import pytest
from host_words import host, report

from roost_central.access.core import Grant
from roost_central.hosts.alarms import news
from roost_central.hosts.core import HostsWord, take, words_of
from roost_central.hosts.told import event_of
from roost_central.storage import events, hosts, nodes, sites
from roost_protocol.host import Evidence


def word(clock, *told, **said):
    return HostsWord("alpha", 2_000, clock.now_ms - 3_000, report(*told, by="alpha.n1", **said))


@pytest.fixture
async def told(central, clock, view):
    seen = [Evidence(1, "n2", "lan", "lost"), Evidence(2, "n1", "lan", "heard")]
    first = word(clock, host("n1"), host("n2"))
    then = word(
        clock, host("n1"), host("n2", "failed", cause="silent", reasons={"process": 1}),
        evidence=seen,
    )  # fmt: skip
    view.put_hosts("alpha", words_of([then]))
    async with central.database.write() as connection:
        await sites.save(connection, [sites.SiteRecord("alpha", 1, {}, None, None, 1, 1)])
        rows = [nodes.NodeRecord(f"alpha.{name}", "alpha", name, 1) for name in ("n1", "n2")]
        await nodes.save(connection, rows)
        await hosts.put(connection, "alpha", [then])
        for kept, said in (([], first), ([first], then)):
            _, moves = take(kept, said.report, "alpha.n1", at_ms=2_000, now_ms=3_000)
            await events.append(connection, [event_of(move, 3_000) for move in moves])


@pytest.mark.usefixtures("told")
async def test_a_host_has_its_state_with_cause_and_age(get):
    status, found = await get("/api/v1/nodes/alpha.n2/host")
    assert status == 200
    assert (found["admin"], found["oper"], found["avail"]) == ("unlocked", "disabled", "failed")
    assert (found["cause"], found["coordinator"], found["epoch"]) == ("silent", "alpha.n1", 8)
    assert (found["age_s"], found["as_of"]) == (3, "1970-01-01T00:00:02.000Z")
    assert [each["reason"] for each in found["reasons"]] == ["process"]


@pytest.mark.usefixtures("told")
async def test_of_a_dark_site_the_state_is_unknown_and_the_last_one_told_apart(get, view):
    for name in ("n1", "n2"):
        view.nodes[f"alpha.{name}"].presence = "unreachable"
    _, found = await get("/api/v1/nodes/alpha.n2/host")
    assert (found["oper"], found["avail"]) == ("unknown", "unknown")
    assert found["last"] == {"admin": "unlocked", "oper": "disabled", "avail": "failed"}
    _, listed = await get("/api/v1/hosts", filter="oper=unknown")
    assert [row["node"] for row in listed["items"]] == ["alpha.n1", "alpha.n2"]


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("avail=failed", ["alpha.n2"]),
        ("degrade=process", ["alpha.n2"]),
        ("admin=unlocked", ["alpha.n1", "alpha.n2"]),
        ("maintenance=true", []),
        ("admin=null", ["beta.n1", "gamma.n1"]),
    ],
)
async def test_hosts_are_found_by_state_and_reason(get, query, names):
    _, listed = await get("/api/v1/hosts", filter=query)
    assert [row["node"] for row in listed["items"]] == names
    _, of_nodes = await get("/api/v1/nodes", filter=query)
    assert [row["node"] for row in of_nodes["items"]] == names


@pytest.mark.usefixtures("told")
async def test_a_site_is_found_by_the_state_of_any_of_its_hosts(get):
    _, listed = await get("/api/v1/sites", filter="avail=failed")
    assert [row["site"] for row in listed["items"]] == ["alpha"]


@pytest.mark.usefixtures("told")
async def test_a_history_has_each_transition_once_the_newest_first(get):
    _, page = await get("/api/v1/nodes/alpha.n2/host/history", limit=1)
    [move] = page["items"]
    assert (move["avail"], move["cause"], move["was"]["avail"]) == ("failed", "silent", "available")
    _, page = await get("/api/v1/nodes/alpha.n2/host/history", limit=1, cursor=page["next"])
    [move] = page["items"]
    assert (move["avail"], move["was"], page["next"]) == ("available", None, None)


@pytest.mark.usefixtures("told")
async def test_evidence_is_of_the_host_that_is_asked_for(get):
    _, page = await get("/api/v1/nodes/alpha.n2/host/evidence")
    assert [(each["path"], each["text"]) for each in page["items"]] == [("lan", "lost")]


async def test_of_a_host_that_nobody_spoke_of_there_is_no_state(get):
    _, found = await get("/api/v1/nodes/beta.n1/host")
    assert (found["admin"], found["coordinator"], found["presence"]) == (None, None, "online")
    _, page = await get("/api/v1/nodes/beta.n1/host/evidence")
    assert (page["coordinator"], page["items"]) == (None, [])


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("part", ["", "/history", "/evidence"])
async def test_of_a_site_out_of_scope_there_is_nothing(central, person, part):
    who = await person("regional", Grant("viewer", "region:r02"))  # alpha is not there
    async with central.client.get(f"/api/v1/nodes/alpha.n2/host{part}", headers=who) as answer:
        assert answer.status == 404


@pytest.mark.usefixtures("told")
async def test_a_locked_host_says_by_whom_and_why(get, view, clock, central):
    locked = word(clock, host("n1"), host("n2", "locked", cause="locked by ada: a fan"))
    events_ = news("alpha", [], [locked])
    await central.api.book.change(lambda: events_)
    _, found = await get("/api/v1/nodes/alpha.n2/host")
    assert (found["admin"], found["locked_by"]) == ("unlocked", None)
    view.put_hosts("alpha", words_of([locked]))
    _, found = await get("/api/v1/nodes/alpha.n2/host")
    assert (found["locked_by"], found["locked_why"]) == ("ada", "a fan")
