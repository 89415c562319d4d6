"""A site is deleted, from the registry to the receivers: the real book, broker and snmptrapd."""

import asyncio
import contextlib

import pytest
from loopback_ports import free_port
from noc_reader import online, reading
from snmp_receiver import TRAPD
from waiting import until

from roost_central.access.chain import Act
from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.alarms.facts import OwnRaised
from roost_central.fleet.sites import SiteRegistry, SiteSpec
from roost_central.northbound.config import (
    NocBrokerConfig,
    NorthboundConfig,
    SnmpConfig,
    TenantConfig,
)
from roost_central.ports import SystemClock
from roost_protocol.severity import Severity

pytestmark = [
    pytest.mark.broker,
    pytest.mark.timeout(180),
    pytest.mark.skipif(TRAPD is None, reason="snmptrapd is not installed"),
]
ACT = Act(1, "ann", "admin", "site.delete", "gone", {})
GONE = "= OID: .1.3.6.1.4.1.32473.1.0.99\t"
CLEAR = "= OID: .1.3.6.1.4.1.32473.1.0.9\t"


def silent(site):
    params = {"s": 90}
    return OwnRaised("280.001", f"site={site}", Severity.CRITICAL, params, site=site)


async def test_a_deleted_site_ends_at_once_for_snmp_and_in_its_tenants_tree(rig, trapd, v2c):
    book = AlarmBook(shipped(), rig.view, rig.database, SystemClock())
    async with rig.database.read() as connection:
        await book.load(connection)
    registry = SiteRegistry(rig.database, rig.view, SystemClock(), book)
    await registry.put_all(
        [SiteSpec(name, {"customer": "acme"}, nodes=("n1",)) for name in ("gone", "stays")],
        lambda _: ACT,
    )
    rig.feed = book
    tenant = TenantConfig("acme", "label.customer:acme", ("acme-noc",))
    target = SnmpConfig("nms", "127.0.0.1", trapd.port, v2c, rate=150, burst=300)
    broker = NocBrokerConfig(port=free_port(), tenants=(tenant,))
    config = NorthboundConfig(mqtt=broker, snmp=(target,))
    async with rig.running(config) as north, contextlib.AsyncExitStack() as stack:
        await online(north)
        await until(lambda: all(s.word == "ok" for s in north.states), "heartbeats", seconds=60)
        acme = await stack.enter_async_context(reading(rig, config, "acme-noc"))
        await book.change(lambda: [silent("gone"), silent("stays")])
        await until(lambda: len(acme.events) == 2, "the tenant hears both")
        await until(lambda: all(s.cursor == book.last_seq for s in north.states), "all told")
        await registry.delete("gone", ACT)
        await until(lambda: all(s.cursor == book.last_seq for s in north.states), "all told")
        await until(lambda: len(acme.events) == 3, "the tenant hears its end")
        await until(
            lambda: not any("/site/gone/state" in topic for topic in list(acme.retained)), "gone"
        )
        await asyncio.to_thread(trapd.stop)
    text = trapd.text()

    assert GONE in text
    assert '.32473.1.1.6.1.0 = STRING: "site=gone"' in text
    assert CLEAR not in text
    assert acme.events[-1][1]["reason"] == "deleted"
    assert [topic for topic in acme.retained if "/site/gone/alarm/" in topic] == [
        topic for topic in acme.retained if acme.retained[topic] == acme.events[-1][1]
    ]  # cleared, to be emptied within a minute
    assert any("/site/stays/alarm/280.001/" in topic for topic in acme.retained)
