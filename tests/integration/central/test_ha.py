"""Local HA's words at a real centre: kept before the receipt, there after a restart, once each."""

import pytest

from roost_central.storage import dead_letters, events
from roost_protocol.alarm import Event
from roost_protocol.codec import encode
from roost_protocol.envelope import Item, ItemKind
from roost_protocol.ha_report import HA_DECISION, HA_ROLE, HaGroup, HaReport, HaRole
from roost_protocol.severity import Severity

pytestmark = pytest.mark.broker


def state(epoch):
    group = HaGroup(name="main", model="2N", hosts=["n1"], role=HaRole.ACTIVE, epoch=epoch)
    report = HaReport(v=1, profile="fast", nodes=["n1"], voters=["n1"], cfgver=1, groups=[group])
    return encode(report)


def said(type_, text):
    return encode(Event(v=1, type=type_, severity=Severity.WARNING, entity="group=main", text=text))


async def test_a_state_is_kept_before_its_receipt_and_found_after_a_restart(run_centre, run_agents):
    async with run_agents("lab.n1") as (agent,):
        async with run_centre() as centre:
            items = [Item(1, ItemKind.HA, 5, state(8)), Item(2, ItemKind.HA, 9, state(33))]
            await agent.say(agent.report(0, [], items=items))
            assert (await agent.receipt()).seq == 2
            assert centre.view.nodes["lab.n1"].ha.groups[0].epoch == 33
        async with run_centre() as centre:
            row = centre.view.nodes["lab.n1"]
            assert (row.ha.groups[0].epoch, row.ha_at_ms) == (33, 9)
            await agent.say(agent.report(0, [], items=items[:1]))  # again: changes nothing
            assert (await agent.receipt()).seq == 2
            assert row.ha.groups[0].epoch == 33


async def test_decisions_are_events_of_their_kind_once_each(run_centre, run_agents):
    async with run_centre() as centre, run_agents("lab.n1") as (agent,):
        report = agent.report(0, [said(HA_ROLE, "took main"), said(HA_DECISION, "path down")])
        for _ in range(3):
            await agent.say(report)
            assert (await agent.receipt()).seq == 2
        async with centre.database.read() as connection:
            kept = await events.page(connection, events.EventQuery(kind="ha"), after=0)
        assert [each.text for each in kept] == ["took main", "path down"]
        assert {each.entity for each in kept} == {"site=lab,node=n1,group=main"}


async def test_a_state_that_makes_no_sense_is_a_dead_letter_and_changes_nothing(
    run_centre, run_agents
):
    async with run_centre() as centre, run_agents("lab.n1") as (agent,):
        await agent.say(agent.report(0, [state(8), b"\xc1"], kind=ItemKind.HA))
        assert (await agent.receipt()).seq == 2
        assert centre.view.nodes["lab.n1"].ha.groups[0].epoch == 8
        async with centre.database.read() as connection:
            (letter,) = await dead_letters.page(connection)
        assert letter.node == "lab.n1"
