"""The processes of a node over HTTP: what it said last, and of a node out of scope nothing."""

import pytest

from roost_central.access.core import Grant
from roost_central.storage import nodes, sites
from roost_central.storage.last_reports import HOST, LastReport
from roost_protocol.host_report import HostReport, ProcessReport, ProcessState

FAILED = ProcessReport(
    name="pump", state=ProcessState.FAILED, mode="passive", severity="major", since_ms=1_000,
    restarts=4, in_row=4, reason="process 7 ended", file="/etc/roost/processes.d/p.toml",
)  # fmt: skip


@pytest.fixture
async def said(central, clock):
    record = LastReport(
        "alpha.n1",
        2_000,
        clock.wall_ms() - 3_000,
        HostReport(v=1, processes=[FAILED], degrade={"process": "major"}, faults=["x.conf:1: y"]),
    )
    async with central.database.write() as connection:
        await sites.save(connection, [sites.SiteRecord("alpha", 1, {}, None, None, 1, 1)])
        await nodes.save(connection, [nodes.NodeRecord("alpha.n1", "alpha", "n1", 1)])
        await HOST.save(connection, [record])


@pytest.mark.usefixtures("said")
async def test_the_last_word_of_a_node_is_shown_with_its_age(get):
    status, found = await get("/api/v1/nodes/alpha.n1/processes")
    assert status == 200
    assert (found["as_of"], found["age_s"]) == ("1970-01-01T00:00:02.000Z", 3)
    assert (found["degrade"], found["faults"]) == ({"process": "major"}, ["x.conf:1: y"])
    assert found["processes"] == [
        {
            "process": "pump",
            "state": "failed",
            "mode": "passive",
            "severity": "major",
            "since": "1970-01-01T00:00:01.000Z",
            "pid": None,
            "restarts": 4,
            "in_row": 4,
            "reason": "process 7 ended",
            "file": "/etc/roost/processes.d/p.toml",
        }
    ]


async def test_a_node_that_never_said_so_watches_none(get):
    status, found = await get("/api/v1/nodes/alpha.n1/processes")
    assert (status, found["as_of"], found["processes"]) == (200, None, [])


@pytest.mark.usefixtures("said")
async def test_of_a_site_out_of_scope_there_is_nothing(central, person):
    who = await person("regional", Grant("viewer", "region:r02"))  # alpha is not there
    async with central.client.get("/api/v1/nodes/alpha.n1/processes", headers=who) as answer:
        assert answer.status == 404
