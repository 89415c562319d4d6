"""An engine that grows old is renewed between two messages, and heartbeats go on."""

import pytest
from alarm_feed import alarm
from snmp_receiver import TRAPD
from waiting import until

from roost_central.northbound.config import NorthboundConfig, SnmpConfig
from roost_central.northbound.snmp import engine, target

pytestmark = [
    pytest.mark.broker,
    pytest.mark.timeout(180),
    pytest.mark.skipif(TRAPD is None, reason="snmptrapd is not installed"),
]
HEARTBEAT = "= OID: .1.3.6.1.4.1.32473.1.0.10\t"


def receiver(port, who):
    return NorthboundConfig(snmp=(SnmpConfig("nms", "127.0.0.1", port, who, rate=150, burst=300),))


async def heard(north):
    await until(lambda: north.states[0].word == "ok", "the first heartbeat", seconds=60)


async def test_an_engine_is_renewed_after_so_many_messages_and_loses_none(
    rig, trapd, v3, monkeypatch
):
    monkeypatch.setattr(engine, "MESSAGES_MAX", 7)
    async with rig.running(receiver(trapd.port, v3)) as north:
        await heard(north)
        first = north._port.boots
        for number in range(1, 41):
            rig.feed.tell("raise", alarm(number))
        await until(lambda: north.states[0].cursor == 40, "all are acknowledged", seconds=120)
        assert north._port.boots >= first + 40 // 7
    assert set(trapd.seqs()) == set(range(1, 41))


async def test_an_engine_is_renewed_after_its_day(rig, trapd, v3):
    async with rig.running(receiver(trapd.port, v3)) as north:
        await heard(north)
        port = north._port
        first, born = port.boots, port._engine
        port._born_ms -= engine.LIFE_MS - 3_600_000
        rig.feed.tell("raise", alarm(1))
        await until(lambda: north.states[0].cursor == 1, "it is told", seconds=60)
        assert (port.boots, port._engine) == (first, born)  # an hour is left of it
        port._born_ms -= 3_600_000
        rig.feed.tell("raise", alarm(2))
        await until(lambda: north.states[0].cursor == 2, "it is told too", seconds=60)
        assert port.boots == first + 1
        assert port._engine is not born
    assert set(trapd.seqs()) == {1, 2}


async def test_a_heartbeat_is_sent_again_and_again(rig, trapd, v2c, monkeypatch):
    assert target.HEARTBEAT_S == 300
    monkeypatch.setattr(target, "HEARTBEAT_S", 0.2)
    async with rig.running(receiver(trapd.port, v2c)):
        await until(lambda: trapd.text().count(HEARTBEAT) >= 3, "three heartbeats", seconds=90)
