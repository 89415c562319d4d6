"""Profiles of SNMP against Debian's snmptrapd: StarlingX's MIB, ALARM-MIB, one end for a site."""

import re

import pytest
from alarm_feed import alarm, incident
from snmp_receiver import TRAPD
from waiting import until

from roost_central.northbound.config import NorthboundConfig, SnmpConfig

pytestmark = [
    pytest.mark.broker,
    pytest.mark.timeout(180),
    pytest.mark.skipif(TRAPD is None, reason="snmptrapd is not installed"),
]
TRAP_OID = r"1\.3\.6\.1\.6\.3\.1\.1\.4\.1\.0 = OID: \.([\d.]+)"
WRS = "1.3.6.1.4.1.731.1.1.1.1"


def receiver(port, who, profile, **more):
    target = SnmpConfig("nms", "127.0.0.1", port, who, profile, rate=150, burst=300, **more)
    return NorthboundConfig(snmp=(target,))


def notifications(trapd):
    """What arrived: the OID of each notification with its line of bindings; repeats once."""
    text = re.sub(r"Timeticks: \S+ \S+", "", trapd.text())  # a repeat may be a new attempt
    lines = [line for line in text.splitlines() if "= OID: " in line]
    return list(dict.fromkeys((re.search(TRAP_OID, line)[1], line) for line in lines))


def kinds(trapd):
    return [oid for oid, _ in notifications(trapd)]


async def heard(north):
    """What is told from now on is of this test."""
    await until(lambda: north.states[0].word == "ok", "the first heartbeat", seconds=60)


async def told(north, feed):
    state = north.states[0]
    await until(lambda: state.cursor == feed.last_seq, "all is acknowledged", seconds=90)


async def test_starlingxs_receiver_hears_its_own_notifications(rig, trapd, v2c):
    entity = "site=s00001,node=n1,fs=/var"
    async with rig.running(receiver(trapd.port, v2c, "wrs")) as north:
        await heard(north)
        for sev in (1, 2, 3, 4):
            rig.feed.tell("raise", alarm(sev, sev=sev, entity=f"{entity}{sev}"))
        rig.feed.tell_incident("open", incident())
        await told(north, rig.feed)
        rig.feed.tell("clear", alarm(4, sev=4, entity=f"{entity}4"))
        await told(north, rig.feed)
    found = dict(notifications(trapd))

    assert {f"{WRS}.0.{number}" for number in (1, 2, 3, 4, 5, 9)} == set(found)
    critical = found[f"{WRS}.0.1"]
    assert f'.{WRS}.1.1.3.0 = STRING: "280.801"' in critical
    assert f'.{WRS}.1.1.4.0 = STRING: "system=s00001.host=n1.fs=/var4"' in critical
    assert f".{WRS}.1.1.6.0 = INTEGER: 4" in critical
    assert f".{WRS}.1.1.9.0 = INTEGER: 29" in critical
    assert f".{WRS}.1.1.6.0" not in found[f"{WRS}.0.9"]
    assert any("Incident INC-7F3A open" in line for _, line in notifications(trapd))


async def test_an_rfc3877_receiver_hears_states_with_itus_numbers(rig, trapd, v3):
    async with rig.running(receiver(trapd.port, v3, "rfc3877")) as north:
        await heard(north)
        rig.feed.tell("raise", alarm(1, sev=3))
        await told(north, rig.feed)
        rig.feed.tell("clear", alarm(1, sev=3))
        rig.feed.tell("raise", alarm(2, sev=2))
        await told(north, rig.feed)
        rig.feed.remove("s00002")
        await told(north, rig.feed)
    active, clear = "1.3.6.1.2.1.118.0.2", "1.3.6.1.2.1.118.0.3"
    states = [oid for oid in kinds(trapd) if oid in {active, clear}]
    begun = next(line for oid, line in notifications(trapd) if oid == active)
    ended = next(line for oid, line in notifications(trapd) if oid == clear)
    model = ".1.3.6.1.2.1.118.1.1.2.1.3.0.280801"
    resource = r"\.118\.1\.2\.2\.1\.10\.[\d.]+ = OID: ([\d.]+)"

    assert sorted(states) == [active, active, clear, clear]  # no one end for many in this MIB
    assert f"OID: {model}.5\t" in begun
    assert f"OID: {model}.1\t" in ended
    assert ".1.3.6.1.4.1.32473.1.1.7.1.0 = INTEGER: 4" in begun
    assert ".1.3.6.1.4.1.32473.1.1.7.1.0 = INTEGER: 1" in ended
    assert re.search(resource, begun)[1] == re.search(resource, ended)[1]
    assert set(trapd.seqs()) == {1, 2, 3, 4}


@pytest.mark.parametrize(
    ("profile", "gone"), [("roost", "1.3.6.1.4.1.32473.1.0.99"), ("wrs", f"{WRS}.0.99")]
)
async def test_a_removed_site_is_one_hierarchical_clear(rig, trapd, v2c, profile, gone):
    async with rig.running(receiver(trapd.port, v2c, profile)) as north:
        await heard(north)
        for number in range(1, 41):
            rig.feed.tell("raise", alarm(number, site="gone", entity=f"site=gone,path=p{number}"))
        rig.feed.tell("raise", alarm(99, site="stays", entity="site=stays,path=p1"))
        await told(north, rig.feed)
        rig.feed.remove("gone")
        await told(north, rig.feed)
        rig.feed.tell("raise", alarm(1, sev=4, site="gone", entity="site=gone,path=p1"))
        await told(north, rig.feed)
    found = kinds(trapd)
    (line,) = [line for oid, line in notifications(trapd) if oid == gone]

    assert found.count(gone) == 1
    assert gone.removesuffix("9") not in found  # no clear beside it
    assert ("system=gone" if profile == "wrs" else "site=gone") in line
    last = [line for _, line in notifications(trapd) if "path=p1" in line][-1]
    lines = [line for _, line in notifications(trapd)]
    assert lines.index(line) < lines.index(last)  # what came back is told after the end
