"""Alarms over a real broker: what nodes hold is what the centre shows, whatever was lost."""

import pytest

from roost_protocol.alarm import Alarm, AlarmState, Change, alarm_sets
from roost_protocol.beat import LaneReport
from roost_protocol.codec import encode
from roost_protocol.digest import alarm_digest
from roost_protocol.envelope import ItemKind, Lane
from roost_protocol.severity import Severity

pytestmark = pytest.mark.broker

FS = Alarm(
    v=1,
    type="100.104",
    change=Change.RAISE,
    severity=Severity.MAJOR,
    entity="fs=/var",
    text="/var bytes 93 % used",
)
HELD = AlarmState("100.101", "", Severity.CRITICAL, 1, 2, "CPU 97 %, limit 95 %")


def report(agent, prev, *documents, kind=ItemKind.ALARM):
    return agent.report(prev, [encode(each) for each in documents], kind=kind, lane=Lane.ALARM)


def beat(agent, rows, seq):
    digest = alarm_digest((row.type, row.entity, int(row.severity)) for row in rows)
    return agent.beat(
        alarm=LaneReport(agent.stream, seq),
        alarms_digest=digest,
        alarms_count=len(rows),
        alarms_seq=seq,
    )


def shown(centre):
    return {(row.type, row.entity, row.state) for row in centre.service._book.active()}


async def test_a_lost_edge_is_mended_within_two_beats(run_centre, run_agents):
    async with run_centre() as centre, run_agents("lab.n1") as (agent,):
        await agent.say(report(agent, 0, FS))
        assert (await agent.receipt()).resync == []
        assert shown(centre) == {("100.104", "site=lab,node=n1,fs=/var", "active")}
        await agent.say(beat(agent, [HELD], 1), topic=agent.topics.beat)
        receipt = await agent.receipt()
        assert (receipt.lane, [each.what for each in receipt.resync]) == (Lane.ALARM, ["alarms"])
        await agent.say(report(agent, 1, *alarm_sets([HELD]), kind=ItemKind.ALARM_SET))
        assert (await agent.receipt()).seq == 2
        assert shown(centre) == {("100.101", "site=lab,node=n1", "active")}
        await agent.say(beat(agent, [HELD], 2), topic=agent.topics.beat)
        await agent.no_receipt(0.3)


async def test_alarms_are_there_after_a_restart_and_unknown_while_the_site_is_dark(
    run_centre, run_agents
):
    async with run_centre() as centre, run_agents("lab.n1") as (agent,):
        await agent.say(report(agent, 0, FS))
        await agent.receipt()
        await agent.say(beat(agent, [FS], 1), topic=agent.topics.beat)
    async with run_centre() as centre, run_agents("lab.n1") as (agent,):
        key = ("100.104", "site=lab,node=n1,fs=/var")
        assert (*key, "active") in shown(centre)
        await agent.say(beat(agent, [FS], 1), topic=agent.topics.beat)
        await centre.until(lambda: (*key, "unknown") in shown(centre))
        agent.n = 10
        await agent.say(beat(agent, [FS], 1), topic=agent.topics.beat)
        await agent.say(beat(agent, [FS], 1), topic=agent.topics.beat)
        await centre.until(lambda: (*key, "active") in shown(centre))
