"""The NOC's trees on a real broker: tenants apart, incidents collapsed, events, numbers."""

import asyncio
import contextlib
import json

import pytest
from alarm_feed import alarm, incident
from loopback_ports import free_port
from noc_reader import account, connection, online, reading
from waiting import until

from roost_central.access.chain import Act
from roost_central.northbound.config import NocBrokerConfig, NorthboundConfig, TenantConfig
from roost_central.storage import audit, events

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]
INC = "INC-7F3A"
LAST = alarm(999, site="acme1", entity="site=acme1,path=last")  # told last: nothing else comes


@pytest.fixture
def config():
    tenants = (
        TenantConfig("acme", "label.customer:acme", ("acme-noc",)),
        TenantConfig("beta", "label.customer:beta", ("beta-noc",), collapse=True),
    )
    broker = NocBrokerConfig(
        port=free_port(),
        collapsed_readers=("pager",),
        tenants=tenants,
        values=("nodes_online", "paths_up"),
    )
    return NorthboundConfig(mqtt=broker)


@pytest.fixture
def fleet(rig):
    for name, customer in (("acme1", "acme"), ("acme2", "acme"), ("beta1", "beta"), ("own", "")):
        rig.view.add_site(name, 0).labels = {"customer": customer}
    return rig


def at(number, site, **more):
    return alarm(number, site=site, entity=f"site={site},path=p{number}", **more)


def topics(reader):
    return {*reader.retained, *(topic for topic, _, _ in reader.events)}


@contextlib.asynccontextmanager
async def readers(rig, config, *users):
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(reading(rig, config, user)) for user in users]


async def subscribed(*found):
    """Every account may read whether the feed lives: then its subscription stands."""
    for reader in found:
        await until(lambda: "noc/v1/status" in reader.retained, "it is subscribed")  # noqa: B023


async def test_each_account_reads_its_own_tree_and_none_of_the_others(fleet, config):
    fleet.feed.tell("raise", at(1, "acme1"))
    fleet.feed.tell("raise", at(2, "beta1"))
    async with fleet.running(config) as north:
        await online(north)
        async with readers(fleet, config, "noc", "acme-noc", "beta-noc", "pager") as found:
            noc, acme, beta, pager = found
            await subscribed(*found)
            for number, site in ((3, "acme2"), (4, "beta1"), (5, "own"), (6, "")):
                fleet.feed.tell("raise", at(number, site))
            fleet.feed.tell("raise", LAST)
            for reader in found[:2]:
                await until(
                    lambda: any(e["key_id"] == LAST.key_id for _, e, _ in reader.events),  # noqa: B023
                    "the last is told",
                )
            await until(lambda: len(beta.events) == 1, "beta's one event")
            await until(lambda: len(pager.events) == 5, "all of the collapsed tree")
            for reader, root, count in (
                (noc, "noc/v1", 7),
                (acme, "noc/v1/tenant/acme", 3),
                (beta, "noc/v1/tenant/beta", 2),
                (pager, "noc/v1/collapsed", 7),
            ):
                summary = f"{root}/fleet/summary"
                await until(
                    lambda: reader.retained.get(summary, {}).get("major") == count,  # noqa: B023
                    f"{summary} counts {count}",
                )
    status = {"noc/v1/status"}
    kinds = {"status", "fleet", "site", "event", "audit"}
    assert {each.split("/")[2] for each in topics(noc)} == kinds
    for reader, root in ((acme, "tenant/acme"), (beta, "tenant/beta"), (pager, "collapsed")):
        assert all(each.startswith(f"noc/v1/{root}/") for each in topics(reader) - status)
    told = json.dumps([acme.retained, [event for _, event, _ in acme.events]])
    assert "acme1" in told
    assert "acme2" in told
    assert "beta1" not in told
    assert "site=own" not in told


async def test_a_tenant_that_asks_for_another_tree_gets_nothing_and_writes_nothing(fleet, config):
    fleet.feed.tell("raise", at(2, "beta1"))
    asked = ("noc/v1/tenant/beta/#", "noc/v1/site/#", "noc/v1/collapsed/#", "#", "noc/v1/+/beta/#")
    forged = "noc/v1/tenant/acme/site/acme1/state"
    async with fleet.running(config) as north:
        await online(north)
        own = connection(fleet, config, "acme-noc", account(fleet, "acme-noc"))
        async with own as client, reading(fleet, config, "acme-noc") as second:
            await subscribed(second)
            found = []
            for topic in (*asked, "noc/v1/status", "noc/v1/tenant/acme/#"):
                await client.subscribe(topic, qos=1)
            for topic in (forged, "noc/v1/status", "noc/v1/tenant/beta/status"):
                await client.publish(topic, b'"forged"', qos=1, retain=True)
            fleet.feed.tell("raise", at(4, "beta1"))
            fleet.feed.tell("raise", LAST)
            async with asyncio.timeout(60):
                async for message in client.messages:
                    found.append((str(message.topic), message.payload))
                    if str(message.topic).endswith(LAST.key_id):
                        break
    told = {topic for topic, _ in found}
    assert all(each == "noc/v1/status" or each.startswith("noc/v1/tenant/acme/") for each in told)
    assert not any(b"forged" in payload for _, payload in found)
    assert "forged" not in json.dumps(second.retained)


async def test_a_collapsed_reader_hears_the_incident_and_not_its_members(fleet, config):
    async with fleet.running(config) as north:
        await online(north)
        async with readers(fleet, config, "noc", "pager", "acme-noc") as found:
            noc, pager, acme = found
            await subscribed(*found)
            early = at(1, "acme1")
            topic = f"noc/v1/collapsed/site/acme1/alarm/280.801/{early.key_id}"
            fleet.feed.tell("raise", early)
            await until(lambda: topic in pager.retained, "no incident yet: it is told")
            member = at(1, "acme1", incident=INC)
            fleet.feed.rows[early.key_id] = member  # attached without a transition
            fleet.feed.tell_incident("open", incident())
            for number in range(2, 42):
                fleet.feed.tell("raise", at(number, "beta1", incident=INC, suppressed=True))
            fleet.feed.tell("raise", LAST)
            await until(
                lambda: any(LAST.key_id in each for each in list(pager.retained)),
                "the last is told",
            )
            await until(lambda: topic not in pager.retained, "it is withdrawn")
            whole = f"noc/v1/incident/{INC}"
            await until(lambda: whole in noc.retained, "the incident")
            await until(lambda: f"noc/v1/collapsed/incident/{INC}" in pager.retained, "there too")
            own = f"noc/v1/tenant/acme/incident/{INC}"
            await until(lambda: own in acme.retained, "a tenant hears what of its own is hit")
            await until(lambda: len(noc.events) == 42, "the whole tree has all of it")
    assert len(pager.events) == 2
    assert {event["incident"] for _, event, _ in pager.events} == {""}
    assert (acme.retained[own]["sites"], acme.retained[own]["alarms"]) == (1, 1)
    assert "cause" not in acme.retained[own]
    assert noc.retained[whole]["cause"] == "carrier=carB AND region IN r00..r11"


async def test_a_site_that_changes_hands_changes_trees_and_a_removed_one_ends_there(fleet, config):
    fleet.feed.tell("raise", at(1, "acme1"))
    fleet.feed.tell("raise", at(2, "acme2"))
    places = {
        tenant: f"noc/v1/tenant/{tenant}/site/acme1/alarm/280.801/{at(1, 'acme1').key_id}"
        for tenant in ("acme", "beta")
    }
    async with fleet.running(config) as north:
        await online(north)
        async with readers(fleet, config, "acme-noc", "beta-noc") as (acme, beta):
            await until(lambda: places["acme"] in acme.retained, "it is acme's")
            fleet.view.sites["acme1"].labels = {"customer": "beta"}
            fleet.view.touch_site("acme1")
            await until(lambda: places["acme"] not in acme.retained, "acme sees it no more")
            await until(lambda: places["beta"] in beta.retained, "it is beta's")
            state = "noc/v1/tenant/{}/site/acme1/state"
            await until(lambda: state.format("acme") not in acme.retained, "nor its state")
            await until(lambda: state.format("beta") in beta.retained, "beta has that too")
            fleet.view.remove_site("acme2")
            fleet.feed.remove("acme2")
            await until(lambda: [e["event"] for _, e, _ in acme.events] == ["clear"], "its end")
            await until(
                lambda: not any("/site/acme2/state" in each for each in list(acme.retained)),
                "it is gone",
            )


async def test_a_number_of_a_site_is_a_topic_with_nothing_but_the_number(fleet, config):
    fleet.view.add_node("acme1.n1", "acme1", "n1").presence = "online"
    async with fleet.running(config) as north:
        await online(north)
        async with readers(fleet, config, "noc", "acme-noc") as (noc, acme):
            topic = "noc/v1/site/acme1/value/nodes_online"
            await until(lambda: noc.retained.get(topic) == 1, "one is online")
            fleet.view.nodes["acme1.n1"].presence = "unreachable"
            fleet.view.touch_node("acme1.n1")
            await until(lambda: noc.retained.get(topic) == 0, "and none")
            own = "noc/v1/tenant/acme/site/acme1/value/nodes_online"
            await until(lambda: acme.retained.get(own) == 0, "the tenant's too")
    names = {each.rsplit("/", 1)[1] for each in noc.retained if "/value/" in each}
    assert names == {"nodes_online", "paths_up"}


async def test_the_event_log_and_the_audit_log_are_streams(fleet, config):
    def event(site, type_, kind="liveness"):
        return events.NewEvent(1_000, 1_000, kind, type_, 1, f"{type_} of {site}", site)

    async with fleet.running(config) as north:
        await online(north)
        async with readers(fleet, config, "noc", "acme-noc") as (noc, acme):
            await subscribed(noc, acme)
            feed = north._targets["mqtt"]
            await until(lambda: feed._log._event >= 0, "the logs are followed")
            async with fleet.database.write() as database:
                new = [event("acme1", "280.811"), event("beta1", "280.801")]
                new += [event("acme1", "280.801", "alarm"), event(None, "280.813", "central")]
                await events.append(database, [*new, event("acme2", "900.021")])
                act = Act(2_000, "ann", "admin", "alarm.ack", "key", {"note": "secret"})
                await audit.add(database, act)
            await until(lambda: len(noc.events) == 5, "the whole tree hears them")
            await until(lambda: len(acme.events) == 2, "acme hears its own")
    assert sorted(topic for topic, _, _ in noc.events) == [
        "noc/v1/event/audit/-",
        "noc/v1/event/host/acme1",
        "noc/v1/event/path/-",
        "noc/v1/event/path/beta1",
        "noc/v1/event/rollout/acme2",
    ]
    assert [topic for topic, _, _ in acme.events] == [
        "noc/v1/tenant/acme/event/host/acme1",
        "noc/v1/tenant/acme/event/rollout/acme2",
    ]
    envelope = dict(noc.events[-1][2].UserProperty)
    assert envelope["specversion"] == "1.0"
    assert "secret" not in json.dumps([payload for _, payload, _ in noc.events])
