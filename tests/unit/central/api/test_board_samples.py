"""What a board controller's sensors read, asked of the node that reads it."""

import math

import pytest

from roost_central.samples.desk import Answer, Told
from roost_central.storage import bmc_reports, nodes, sites
from roost_central.storage.bmc_reports import BmcRecord
from roost_protocol.bmc_report import BmcReport
from roost_protocol.codec import VERSION
from roost_protocol.samples import Samples, Series, packed

PATH = "/api/v1/nodes/alpha.n2/sensors/samples"


@pytest.fixture
def asked(central, clock, monkeypatch):
    raw = packed((41.0, math.nan))
    series = [Series("temperature", "sensor=CPU", raw, raw, raw)]
    said = Samples(v=VERSION, since_ms=0, step_s=600, steps=2, series=series, board="n2")
    wishes, box = [], {"answer": Answer(Told(said, clock.wall_ms()))}

    async def fetch(node, wish):
        wishes.append((node, wish))
        return box["answer"]

    monkeypatch.setattr(central.api.samples, "fetch", fetch)
    return wishes, box


@pytest.fixture
async def read_by(central):
    async def read_by(speaker):
        async with central.database.write() as connection:
            await sites.save(connection, [sites.SiteRecord("alpha", 1, {}, None, None, 1, 1)])
            await nodes.save(connection, [nodes.NodeRecord("alpha.n2", "alpha", "n2", 1)])
            report = BmcReport(v=1, node="n2", by="redfish", power="on")
            await bmc_reports.save(connection, [BmcRecord("alpha.n2", speaker, 1, 1, report)])

    return read_by


async def test_the_node_that_reads_a_controller_is_asked_for_what_its_sensors_read(
    get, asked, read_by
):
    await read_by("alpha.n1")
    status, found = await get(PATH, since="1h", series="temperature")
    assert (status, found["node"], found["origin"]) == (200, "alpha.n2", "node")
    assert found["series"][0] == {
        "series": "temperature|sensor=CPU", "kind": "temperature", "of": "sensor=CPU",
        "unit": "degrees C", "low": [41.0, None], "mean": [41.0, None], "high": [41.0, None],
    }  # fmt: skip
    ((speaker, wish),) = asked[0]
    assert (speaker, wish.board, wish.series) == ("alpha.n1", "n2", ("temperature",))


async def test_where_nobody_can_be_asked_the_reason_is_said(get, asked, read_by, view):
    status, found = await get(PATH)
    assert (status, found["origin"]) == (200, "none")
    assert found["why"].startswith("nobody reads its board controller")
    await read_by("alpha.n1")
    view.nodes["alpha.n1"].presence = "unreachable"
    assert "alpha.n1 reads" in (await get(PATH))[1]["why"]
    assert asked[0] == []
    view.nodes["alpha.n1"].presence = "online"
    asked[1]["answer"] = Answer(None, "it did not answer within 10 s")
    found = (await get(PATH))[1]
    assert (found["origin"], found["series"]) == ("none", [])
    assert "did not answer" in found["why"]


async def test_a_bad_wish_names_its_field(get):
    assert (await get(PATH, step_s="61"))[0] == 400
