"""A node's word on its processes at a real centre: kept before the receipt, the last one counts."""

import pytest

from roost_central.storage import dead_letters
from roost_central.storage.last_reports import HOST
from roost_protocol.codec import encode
from roost_protocol.envelope import Item, ItemKind
from roost_protocol.host_report import HostReport, ProcessReport, ProcessState

pytestmark = pytest.mark.broker


def said(state):
    row = ProcessReport(name="pump", state=state, mode="passive", severity="minor", since_ms=1)
    return encode(HostReport(v=1, processes=[row]))


async def test_the_last_word_is_kept_and_one_without_sense_is_a_dead_letter(run_centre, run_agents):
    async with run_centre() as centre, run_agents("lab.n1") as (agent,):
        bodies = [said(ProcessState.RUNNING), said(ProcessState.FAILED), b"\xc1"]
        items = [Item(seq, ItemKind.HOST, seq, body) for seq, body in enumerate(bodies, start=1)]
        await agent.say(agent.report(0, [], items=items))
        assert (await agent.receipt()).seq == 3
        async with centre.database.read() as connection:
            kept = await HOST.find(connection, "lab.n1")
            letters = await dead_letters.page(connection)
        assert (kept.at_ms, kept.report.processes[0].state) == (2, ProcessState.FAILED)
        assert [letter.node for letter in letters] == ["lab.n1"]
