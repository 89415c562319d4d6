"""Attempts, reports, and drift over both engines."""

from dataclasses import replace

import pytest

from roost_central.delivery.core import Attempt, Outcome
from roost_central.orders.core import OrderRecord, State
from roost_central.profiles.desired import document_of
from roost_central.profiles.layer import ProfileChange, ProfileRecord
from roost_central.storage import (
    config_reports,
    delivery,
    desired,
    nodes,
    orders,
    profiles,
    sites,
)
from roost_central.storage.last_reports import CONFIG, LastReport
from roost_protocol.config_report import ConfigReport, ConfigState, Drift

ATTEMPT = Attempt("a.n1", "ff", 3, b"d" * 32, Outcome.FAILED, 1, 2, 4, True, "value", "why")
REPORT = ConfigReport(
    v=1, desired_gen=3, digest=b"d" * 32, state=ConfigState.APPLIED,
    drift=[Drift("time.servers", "[1]", ""), Drift("dns.search", "", "[2]")], drift_count=2,
)  # fmt: skip


@pytest.fixture
async def stored(database):
    async with database.write() as connection:
        for site in ("a", "b"):
            await sites.save(connection, [sites.SiteRecord(site, 1, {}, None, None, 1, 1)])
            record = nodes.NodeRecord(
                f"{site}.n1", site, "n1", 1,
                applied_gen=3, applied_digest=b"12345678", pending_reboot=True, drift=2,
            )  # fmt: skip
            await nodes.save(connection, [record])
    return database


async def test_what_a_node_said_last_comes_back_with_it(stored):
    async with stored.read() as connection:
        first, _ = await nodes.load_all(connection)
    assert (first.applied_gen, first.applied_digest) == (3, b"12345678")
    assert (first.pending_reboot, first.drift) == (True, 2)


async def test_an_attempt_stands_in_place_of_the_one_before(database):
    async with database.write() as connection:
        await delivery.save(connection, [ATTEMPT, replace(ATTEMPT, node="b.n1")])
        later = replace(ATTEMPT, outcome=Outcome.DONE, is_forced=False, ended_ms=None)
        await delivery.save(connection, [later])
        await delivery.save(connection, [])
    async with database.read() as connection:
        assert (await delivery.load(connection))["a.n1"] == later
        assert [*(await delivery.load(connection, ["b.n1", "absent.n1"]))] == ["b.n1"]


async def test_a_report_and_its_drift_stand_in_place_of_the_ones_before(stored):
    async with stored.write() as connection:
        for node in ("a.n1", "b.n1"):
            await config_reports.save(connection, LastReport(node, 1, 2, REPORT))
        assert (await CONFIG.find(connection, "a.n1")).report == REPORT
        assert await CONFIG.find(connection, "absent.n1") is None
        first, second, *_ = found = await config_reports.drift(connection)
        assert [(each.node, each.setting) for each in found] == [
            ("a.n1", "dns.search"), ("a.n1", "time.servers"),
            ("b.n1", "dns.search"), ("b.n1", "time.servers"),
        ]  # fmt: skip
        after = (second.node, second.setting)
        assert await config_reports.drift(connection, after=after, limit=1) == [found[2]]
        assert await config_reports.drift(connection, sites=["a"]) == [first, second]
        await config_reports.save(connection, LastReport("a.n1", 3, 4, replace_drift()))
        assert await config_reports.drift(connection, node="a.n1") == []


async def test_settings_are_found_by_their_digest_and_a_text_by_its_revision(database):
    sections = {"time": {"servers": ["ntp1"]}}
    one, other = (
        document_of(sections, {("time", "servers"): name}, b"digest") for name in ("a", "b")
    )
    record = ProfileRecord("fleet", 1, "f.toml", "[profile]\n", "ann", 1)
    async with database.write() as connection:
        await desired.save_documents(connection, [one, other])
        await profiles.save(connection, record, "first")
        await profiles.remove(connection, ProfileChange("fleet", 2, None, "ann", 2, "over"))
    async with database.read() as connection:
        assert await desired.settings(connection, b"digest") == sections
        assert await desired.settings(connection, b"absent") is None
        assert await profiles.source_of(connection, "fleet", 1) == "[profile]\n"
        assert await profiles.source_of(connection, "fleet", 2) is None


async def test_orders_are_found_by_their_ids(database):
    order = OrderRecord("ff", "a.n1", "a", "configure", {}, "", "central", 1, 2, State.READY, 1)
    async with database.write() as connection:
        await orders.save(connection, order)
    async with database.read() as connection:
        assert await orders.by_ids(connection, ["ff", "ee"]) == {"ff": order}


def replace_drift():
    return ConfigReport(v=1, desired_gen=3, digest=b"d" * 32, state=ConfigState.APPLIED)
