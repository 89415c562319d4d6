"""What a node says of its settings is kept, and is an event where it is news."""

import pytest
from migrated import database_url

from roost_central.delivery.told import take_in
from roost_central.ports import SystemClock
from roost_central.storage import config_reports, nodes, sites
from roost_central.storage.engine import Database
from roost_central.storage.last_reports import CONFIG
from roost_protocol.codec import encode
from roost_protocol.config_report import (
    ConfigReport,
    ConfigState,
    Drift,
    SectionReport,
    SectionState,
)
from roost_protocol.errors import ProtocolError

NODE = "lab.n1"
APPLIED = ConfigReport(v=1, desired_gen=3, digest=b"d" * 32, state=ConfigState.APPLIED)
SWAPPINESS = Drift('kernel.sysctl."vm.swappiness"', "10", "60")


@pytest.fixture
async def database(tmp_path):
    database = await Database.open(database_url(tmp_path), clock=SystemClock())
    async with database.write() as connection:
        await sites.save(connection, [sites.SiteRecord("lab", 1, {}, None, None, 1, 1)])
        await nodes.save(connection, [nodes.NodeRecord(NODE, "lab", "n1", 1)])
    yield database
    await database.close()


async def tell(database, report, at_ms=5):
    async with database.write() as connection:
        return await take_in(connection, NODE, encode(report), at_ms=at_ms, now_ms=9)


async def drift(database, **asked):
    async with database.read() as connection:
        return await config_reports.drift(connection, **asked)


async def test_a_report_is_kept_and_told_once(database):
    event = await tell(database, APPLIED)
    assert (event.type, event.text) == ("250.810", "settings of generation 3: applied")
    assert event.severity == 0
    assert await tell(database, APPLIED, at_ms=6) is None
    async with database.read() as connection:
        kept = await CONFIG.find(connection, NODE)
    assert (kept.at_ms, kept.received_ms, kept.report) == (6, 9, APPLIED)


async def test_what_was_undone_says_why_by_section(database):
    failed = ConfigReport(
        v=1, desired_gen=3, digest=b"d" * 32, state=ConfigState.ROLLED_BACK,
        sections={
            "time": SectionReport(SectionState.ROLLED_BACK),
            "kernel": SectionReport(SectionState.FAILED, "vm.swappiness cannot be written"),
        },
    )  # fmt: skip
    event = await tell(database, failed)
    assert event.text == (
        "settings of generation 3: rolled-back, kernel: vm.swappiness cannot be written"
    )
    assert event.severity > 0


async def test_drift_is_what_the_last_report_says(database):
    drifted = ConfigReport(
        v=1, desired_gen=3, digest=b"d" * 32, state=ConfigState.APPLIED,
        drift=[SWAPPINESS, Drift("time.servers", '["a"]', "[]")], drift_count=2,
    )  # fmt: skip
    await tell(database, drifted)
    first, second = await drift(database)
    assert (first.node, first.setting, first.wanted, first.found) == (NODE, *tuple_of(SWAPPINESS))
    assert await drift(database, after=(NODE, first.setting)) == [second]
    assert await drift(database, sites=["other"]) == []
    assert await drift(database, node="lab.n2") == []
    await tell(database, APPLIED)
    assert await drift(database) == []


async def test_what_cannot_be_read_is_refused(database):
    with pytest.raises(ProtocolError):
        async with database.write() as connection:
            await take_in(connection, NODE, b"\x01", at_ms=1, now_ms=1)


def tuple_of(each):
    return each.setting, each.wanted, each.found
