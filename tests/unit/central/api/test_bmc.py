"""Board controllers over HTTP: what was told last, and of a node out of scope nothing."""

import pytest

from roost_central.access.core import Grant
from roost_central.storage import bmc_reports, nodes, sites
from roost_central.storage.bmc_reports import BmcRecord
from roost_protocol.bmc_report import BmcReport, SensorSaid

CPU = SensorSaid(
    "/redfish/v1/S/1", "CPU", "temperature", "C", "major", 85.0, [None, None, None, 70, 80, 90]
)
FAN = SensorSaid("ipmi:29.1/0x41", "FAN 1", "fans", "rpm", "offline", None, [], True)


def record(node="alpha.n2", speaker="alpha.n1", **said):
    report = BmcReport(
        v=1, node="n2", by="redfish", maker="LabCorp", model="E1", uuid="u-1", power="on",
        read_ms=1_000, took_ms=59, sensors=[CPU, FAN], **said,
    )  # fmt: skip
    return BmcRecord(node, speaker, 2_000, 3_000, report)


@pytest.fixture
async def said(central, clock):
    async with central.database.write() as connection:
        await sites.save(connection, [sites.SiteRecord("alpha", 1, {}, None, None, 1, 1)])
        for name in ("n1", "n2"):
            await nodes.save(connection, [nodes.NodeRecord(f"alpha.{name}", "alpha", name, 1)])
        await bmc_reports.save(connection, [record(), record("alpha.n9")])


@pytest.mark.usefixtures("said")
async def test_a_controller_and_its_sensors_are_shown_with_their_age(get, clock):
    status, found = await get("/api/v1/nodes/alpha.n2/bmc")
    assert (status, found["speaker"], found["protocol"]) == (200, "alpha.n1", "redfish")
    assert (found["as_of"], found["read"]) == (
        "1970-01-01T00:00:02.000Z", "1970-01-01T00:00:01.000Z",
    )  # fmt: skip
    assert found["age_s"] == (clock.wall_ms() - 3_000) // 1000
    assert (found["power"], found["sensors"], found["maker"]) == ("on", 2, "LabCorp")
    status, found = await get("/api/v1/nodes/alpha.n2/sensors")
    cpu, fan = found["sensors"]
    assert (cpu["sensor"], cpu["level"], cpu["value"]) == ("CPU", "major", 85.0)
    assert cpu["thresholds"] == {"lnr": None, "lcr": None, "lnc": None,
                                 "unc": 70.0, "ucr": 80.0, "unr": 90.0}  # fmt: skip
    assert (fan["value"], fan["suppressed"], fan["level"]) == (None, True, "offline")


@pytest.mark.usefixtures("said")
async def test_a_node_whose_controller_nobody_reads_has_none(get):
    status, found = await get("/api/v1/nodes/alpha.n1/bmc")
    assert (status, found["as_of"], found["speaker"]) == (200, None, None)
    status, found = await get("/api/v1/nodes/alpha.n1/sensors")
    assert (status, found["as_of"], found["sensors"]) == (200, None, [])


@pytest.mark.usefixtures("said")
async def test_of_a_node_that_is_not_there_nothing_is_kept(central):
    async with central.database.read() as connection:
        assert await bmc_reports.find(connection, "alpha.n9") is None
        assert await bmc_reports.find(connection, "alpha.n2") is not None
        assert await bmc_reports.find(connection, "alpha.n1") is None


@pytest.mark.usefixtures("said")
async def test_of_a_site_out_of_scope_there_is_nothing(central, person):
    who = await person("regional", Grant("viewer", "region:r02"))  # alpha is not there
    for path in ("bmc", "sensors"):
        url = f"/api/v1/nodes/alpha.n2/{path}"
        async with central.client.get(url, headers=who) as answer:
            assert answer.status == 404
