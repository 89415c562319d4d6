"""SNMP against Debian's own programs: informs and traps, v2c and v3, the table, the boots."""

import asyncio
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from alarm_feed import alarm, incident
from loopback_ports import free_port
from snmp_receiver import AUTH, PATH, PRIV, TRAPD, age_engine, walk
from waiting import until

from roost_central.northbound.config import NorthboundConfig, SnmpAgentConfig, SnmpConfig

pytestmark = [
    pytest.mark.broker,
    pytest.mark.timeout(180),
    pytest.mark.skipif(TRAPD is None, reason="snmptrapd is not installed"),
]
V3 = ("-v3", "-u", "noc", "-l", "authPriv", "-a", "SHA-256", "-A", AUTH, "-x", "AES", "-X", PRIV)


def receivers(port, **who):
    return tuple(
        SnmpConfig(name, "127.0.0.1", port, user, rate=150, burst=300) for name, user in who.items()
    )


async def test_informs_of_both_versions_arrive_and_are_acknowledged(rig, trapd, v2c, v3):
    config = NorthboundConfig(snmp=receivers(trapd.port, two=v2c, three=v3))
    async with rig.running(config) as north:
        await until(lambda: all(s.word == "ok" for s in north.states), "heartbeats", seconds=60)
        rig.feed.tell("raise", alarm(1, sev=4))
        rig.feed.tell_incident("open", incident())
        rig.feed.tell("raise", alarm(2, suppressed=True, incident="INC-7F3A"))
        await until(lambda: all(s.cursor == 3 for s in north.states), "all passed", seconds=60)
        rig.feed.tell("clear", alarm(1, sev=4))
        await until(lambda: all(s.cursor == 4 for s in north.states), "the end too", seconds=60)
    text = trapd.text()

    for notification in (1, 6, 9, 10):  # one of each version at least: an inform may be repeated
        told = rf"= OID: \.1\.3\.6\.1\.4\.1\.32473\.1\.0\.{notification}\s"
        assert len(re.findall(told, text)) >= 2
    assert sorted(set(trapd.seqs())) == [1, 4]
    assert 'STRING: "site=s00001,path=p1"' in text
    assert "carrier=carB AND region IN r00..r11" in text


async def test_a_wiped_temporary_directory_and_restarts_keep_v3_accepted(
    rig, trapd, v3, tmp_path, monkeypatch
):
    config = NorthboundConfig(snmp=receivers(trapd.port, three=v3))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    boots = []
    for number in range(1, 5):
        async with rig.running(config) as north:
            state = north.states[0]
            await until(lambda: state.word == "ok", "it is heard", seconds=60)  # noqa: B023
            rig.feed.tell("raise", alarm(number))
            await until(lambda: state.cursor == number, "it is acknowledged", seconds=60)  # noqa: B023
            boots.append(north._port.boots)
            engine = north._port.engine_id
        shutil.rmtree(scratch)
        scratch.mkdir()
    assert boots == [1, 2, 3, 4]
    assert north._port.engine_id == engine
    assert sorted(set(trapd.seqs())) == [1, 2, 3, 4]


async def test_v3_traps_are_accepted_after_a_wipe(rig, trapd, v3, tmp_path, monkeypatch):
    """A receiver of traps keeps our boots and drops, in silence, what comes with less."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    target = SnmpConfig("three", "127.0.0.1", trapd.port, v3, confirmed=False)
    config = NorthboundConfig(snmp=(target,))
    async with rig.running(config) as north:  # makes the engine, so that its id is known
        await until(lambda: north._port._engine, "there is an engine", seconds=60)
    trapd.stop()
    trapd.configure(
        f"createUser -e 0x{north._port.engine_id.hex()} noc SHA-256 {AUTH} AES {PRIV}",
        "authUser log noc priv",
    )
    trapd.start()
    for number in range(1, 5):
        async with rig.running(config) as north:
            await until(lambda: north._port._engine, "there is an engine")
            age_engine(north._port._engine, (10 - number) * 1_000)
            rig.feed.tell("raise", alarm(number))
            await until(lambda: number in trapd.seqs(), f"trap {number} arrives", seconds=60)  # noqa: B023
        shutil.rmtree(scratch)
        scratch.mkdir()
    # One that was sent and not yet noted as sent goes out again: at least once, in order.
    assert sorted(set(trapd.seqs())) == [1, 2, 3, 4]


async def test_a_receiver_that_was_away_gets_everything_in_order(rig, trapd, v2c):
    trapd.stop()
    config = NorthboundConfig(snmp=receivers(trapd.port, two=v2c))
    async with rig.running(config) as north:
        state = north.states[0]
        await until(lambda: north.is_ready, "cursors are read")
        for number in range(1, 51):
            rig.feed.tell("raise", alarm(number))
        await until(lambda: state.word == "unreachable", "it is unreachable", seconds=90)
        assert "210.804|central=roost,target=two" in rig.feed.own
        assert state.cursor == 0
        trapd.start()
        await until(lambda: state.cursor == 50, "all are told", seconds=120)
        assert rig.feed.own == {}
    assert set(trapd.seqs()) == set(range(1, 51))


async def test_the_active_table_is_read_by_get_getnext_and_getbulk(rig, tmp_path, v3):
    for number in range(1, 31):
        rig.feed.tell("raise", alarm(number, sev=4))
    port = free_port()
    config = NorthboundConfig(snmp_agent=SnmpAgentConfig("127.0.0.1", port, v3))
    async with rig.running(config) as north:
        await until(lambda: north._tree.get((1, 3, 6, 1, 4, 1, 32473, 1, 1, 3, 1, 0)), "a table")
        bulk, _ = await asyncio.to_thread(walk, tmp_path, port, *V3)
        next_program = shutil.which("snmpwalk", path=PATH)
        step, _ = await asyncio.to_thread(walk, tmp_path, port, *V3, program=next_program)
        oid = f".1.3.6.1.4.1.32473.1.1.1.1.8.{'.'.join(map(str, bytes.fromhex(alarm(7).key_id)))}"
        get = shutil.which("snmpget", path=PATH)
        one, _ = await asyncio.to_thread(walk, tmp_path, port, *V3, oid=oid, program=get)
        none, _ = await asyncio.to_thread(walk, tmp_path, port, *V3, oid=oid + ".1", program=get)
        refused = [
            await asyncio.to_thread(walk, tmp_path, port, *who)
            for who in (
                ("-v3", "-u", "noc", "-l", "noAuthNoPriv"),
                ("-v3", "-u", "noc", "-l", "authNoPriv", "-a", "SHA-256", "-A", AUTH),
                ("-v3", "-u", "other", "-l", "noAuthNoPriv"),
                ("-v2c", "-c", "public", "-t", "1", "-r", "0"),
            )
        ]
    assert bulk == step
    assert len([line for line in bulk if ".32473.1.1.1.1.2." in line]) == 30
    assert ".1.3.6.1.4.1.32473.1.1.3.1.0 = Gauge32: 30" in bulk
    assert one == [f'{oid} = STRING: "WAN path p1 lost; 1 left"']
    assert "No Such Instance" in none[0]
    assert [lines for lines, _ in refused] == [[], [], [], []]


def test_the_mib_reads_well_and_says_what_the_numbers_are(tmp_path):
    """Debian ships no IETF MIBs: the roots that ours imports are written here."""
    base = {
        "SNMPv2-SMI": "org OBJECT IDENTIFIER ::= { iso 3 }\ndod OBJECT IDENTIFIER ::= { org 6 }\n"
        "internet OBJECT IDENTIFIER ::= { dod 1 }\nprivate OBJECT IDENTIFIER ::= { internet 4 }\n"
        "enterprises OBJECT IDENTIFIER ::= { private 1 }\n",
        "SNMPv2-TC": "DisplayString ::= OCTET STRING (SIZE (0..255))\n"
        "DateAndTime ::= OCTET STRING (SIZE (8 | 11))\n"
        "TruthValue ::= INTEGER { true(1), false(2) }\n",
        "SNMPv2-CONF": "",
    }
    for name, body in base.items():
        (tmp_path / f"{name}.txt").write_text(f"{name} DEFINITIONS ::= BEGIN\n{body}END\n")
    mib = Path(__file__).parents[3] / "packaging/mib"

    def translate(*names):
        done = subprocess.run(
            ["snmptranslate", "-M", f"{tmp_path}:{mib}", "-m", "ROOST-ALARM-MIB", "-On", *names],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": PATH, "SNMPCONFPATH": str(tmp_path), "SNMP_PERSISTENT_DIR": str(tmp_path)},
        )
        assert not re.search("error|cannot|undefined|bad", done.stderr, re.IGNORECASE), done.stderr
        return [line for line in done.stdout.splitlines() if line]

    names = [
        "ROOST-ALARM-MIB::roostRemovedSeq",
        "ROOST-ALARM-MIB::roostItuSeverity",
        "ROOST-ALARM-MIB::roostNotifyHierarchicalClear",
        "ROOST-ALARM-MIB::roostAlarmSeq",
        "ROOST-ALARM-MIB::roostAlarmSeverity",
        "ROOST-ALARM-MIB::roostEventKind",
        "ROOST-ALARM-MIB::roostSummaryIncidents",
        "ROOST-ALARM-MIB::roostIncidentStarted",
        "ROOST-ALARM-MIB::roostOverflowEvents",
        "ROOST-ALARM-MIB::roostNotifyClear",
        "ROOST-ALARM-MIB::roostNotifyHeartbeat",
    ]
    assert translate(*names) == [
        ".1.3.6.1.4.1.32473.1.1.6.4",
        ".1.3.6.1.4.1.32473.1.1.7.1",
        ".1.3.6.1.4.1.32473.1.0.99",
        ".1.3.6.1.4.1.32473.1.1.1.1.17",
        ".1.3.6.1.4.1.32473.1.1.1.1.7",
        ".1.3.6.1.4.1.32473.1.1.2.1.18",
        ".1.3.6.1.4.1.32473.1.1.3.6",
        ".1.3.6.1.4.1.32473.1.1.4.8",
        ".1.3.6.1.4.1.32473.1.1.5.2",
        ".1.3.6.1.4.1.32473.1.0.9",
        ".1.3.6.1.4.1.32473.1.0.10",
    ]
