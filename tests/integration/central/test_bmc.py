"""A node's word on board controllers at a real centre: of its own site, of nodes that are there."""

import pytest

from roost_central.storage import bmc_reports, dead_letters
from roost_protocol.bmc_report import BmcReport
from roost_protocol.codec import encode
from roost_protocol.envelope import Item, ItemKind

pytestmark = pytest.mark.broker


def said(node, power):
    return encode(BmcReport(v=1, node=node, by="ipmi", power=power))


async def test_the_last_word_on_each_is_kept_and_no_word_reaches_another_site(
    run_centre, run_agents
):
    async with run_centre() as centre, run_agents("lab.n1", "lab.n2") as (one, other):
        await other.say(other.report(0, []))
        await other.receipt()
        bodies = [
            said("n2", "on"),
            said("n2", "off"),
            said("n9", "on"),
            said("x.n1", "on"),
            b"\xc1",
        ]
        items = [Item(seq, ItemKind.BMC, seq, body) for seq, body in enumerate(bodies, start=1)]
        await one.say(one.report(0, [], items=items))
        assert (await one.receipt()).seq == 5
        async with centre.database.read() as connection:
            kept = await bmc_reports.find(connection, "lab.n2")
            assert (kept.speaker, kept.at_ms, kept.report.power) == ("lab.n1", 2, "off")
            assert await bmc_reports.find(connection, "lab.n9") is None
            letters = await dead_letters.page(connection)
        assert len(letters) == 2
