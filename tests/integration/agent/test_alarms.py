"""Alarms of the real agent: killed while they flap, flooded by one application, resynced."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import until, wait_until

from roost_agent.alarms.local_client import AlarmClient
from roost_protocol.alarm import Alarm, AlarmSet, Change
from roost_protocol.codec import Decoder
from roost_protocol.digest import alarm_digest
from roost_protocol.envelope import Lane, Resync

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

APP = "750.801"
KILLS = 5
ALARMS, SETS = Decoder(Alarm), Decoder(AlarmSet)

# Raises without end from one application; tells every 100 tries that it runs.
FLOOD = """
import json, socket, sys
sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
sock.connect(sys.argv[1])
sock.setblocking(False)
sent = tried = 0
while True:
    tried += 1
    said = {"do": "raise", "type": "750.801", "entity": f"app=flood,unit={tried}"}
    try:
        sock.send(json.dumps(said | {"severity": "critical", "text": "x" * 200}).encode())
        sent += 1
    except BlockingIOError:
        pass
    try:
        while sock.recv(4096):
            pass
    except BlockingIOError:
        pass
    if tried % 10_000 == 0:
        print(tried, sent, flush=True)
"""


class Heard:
    """The alarm set as one who applies every item in order has it."""

    def __init__(self, central):
        self.central = central

    def set(self):
        rows = {}
        for body in list(self.central.items[Lane.ALARM]):
            try:
                alarm = ALARMS.decode(body)
            except ValueError:
                part = SETS.decode(body)
                part.check()
                rows = {key: row for key, row in rows.items() if not _within(part, key)}
                rows |= {(each.type, each.entity): each.severity for each in part.alarms}
                continue
            alarm.check()
            if alarm.change is Change.CLEAR:
                rows.pop((alarm.type, alarm.entity), None)
            else:
                rows[alarm.type, alarm.entity] = alarm.severity
        return rows

    def agrees(self):
        """Whether the last beat, of what is receipted, tells the set that was heard."""
        beat = self.central.beats[-1] if self.central.beats else None
        if beat is None or beat.alarm is None or beat.alarms_digest is None:
            return False
        if self.central.marks.get(beat.alarm.stream, 0) != beat.alarms_seq:
            return False
        rows = self.set()
        digest = alarm_digest((*key, int(severity)) for key, severity in rows.items())
        return beat.alarms_digest == digest and beat.alarms_count == len(rows)


def _within(part, key):
    text = "|".join(key)
    return text > part.after and (part.through is None or text <= part.through)


@pytest.fixture
def heard(central):
    return Heard(central)


def socket_of(agent):
    return str(agent.state_dir / "alarm.sock")


def client(agent):
    client = AlarmClient(socket_of(agent))
    wait_until(lambda: client.clear_alarm(APP, "app=none"), "the local API")
    return client


def start_flood(folder, path):
    program = folder / "flood"  # a name of its own: without cgroups that is what tells apart
    program.symlink_to(Path(sys.executable).resolve())
    return subprocess.Popen([program, "-c", FLOOD, path], stdout=subprocess.PIPE, text=True)


async def test_an_agent_that_is_killed_while_alarms_flap_loses_none_and_leaves_none(
    agent, central, heard
):
    wanted = {}
    for kill in range(KILLS):
        agent.start()
        app = await until(lambda: client(agent), "the local API")
        for step in range(12):
            entity = f"app=pump,unit={step % 4}"
            if (step + kill) % 3:
                done, is_raised = app.raise_alarm(APP, entity, "major", f"turn {kill}"), True
            else:
                done, is_raised = app.clear_alarm(APP, entity), False
            wanted.pop(entity, None)
            if done:  # without an answer in time nobody knows
                wanted[entity] = is_raised
        app.close()
        agent.kill()
    central.beats.clear()  # what agrees is of now
    agent.start()
    app = await until(lambda: client(agent), "the local API")
    app.close()
    await until(heard.agrees, "the centre's set equals the node's", seconds=60)
    listed = json.loads(agent.run("alarm", "list", "-o", "json").stdout)
    stand = {row["entity"] for row in listed}
    assert {entity for entity, is_raised in wanted.items() if is_raised} <= stand
    assert {row["entity"] for row in listed if row["type"] == APP} == {
        entity for type_, entity in heard.set() if type_ == APP
    }


async def test_a_resync_is_answered_with_the_whole_set(agent, central, heard):
    agent.start()
    app = await until(lambda: client(agent), "the local API")
    said = {"do": "raise", "type": APP, "severity": "minor"}
    for number in range(70):  # more than one part of a set; patiently, for a busy machine
        assert app.request(said | {"entity": f"app=a{number}"}, 30.0) is not None
    await until(lambda: len(heard.set()) >= 70 and heard.agrees(), "the set", seconds=60)
    central.items[Lane.ALARM].clear()  # a centre that has lost it
    central.resync = [Resync("alarms")]
    assert app.request(said | {"entity": "app=last"}, 30.0) is not None
    await until(lambda: len(heard.set()) > 70 and heard.agrees(), "the whole set again", seconds=60)
    listed = json.loads(agent.run("alarm", "list", "-o", "json").stdout)
    stand = {(row["type"], row["entity"]) for row in listed}
    await until(lambda: heard.set().keys() == stand, "the same as on the node", seconds=60)
    app.close()


async def test_ten_thousand_raises_a_second_from_one_application_harm_nobody(
    agent, central, heard, tmp_path
):
    agent.start()
    app = await until(lambda: client(agent), "the local API")
    flood = start_flood(tmp_path, socket_of(agent))
    try:
        first, second = (flood.stdout.readline().split() for _ in range(2))
        assert int(second[0]) >= 10_000 > int(second[1]) - int(first[1])  # tried, not taken
        said = {"do": "raise", "type": APP, "severity": "minor"}
        for number in range(20):  # patiently: it is the machine that is slow, not the refusal
            answer = app.request(said | {"entity": f"app=good{number}"}, 30.0)
            assert answer is not None
            assert answer.get("error", "") in {"", "slow-disk"}
        await until(lambda: ("750.802", "app=flood") in heard.set(), "the quota alarm", seconds=60)
        await until(
            lambda: len([key for key in heard.set() if key[1].startswith("app=good")]) == 20,
            "the other application's alarms at the centre",
            seconds=60,
        )
        beats = len(central.beats)
        await until(lambda: len(central.beats) > beats + 1, "beats go on", seconds=60)
    finally:
        flood.kill()
        flood.wait(10)
        flood.stdout.close()
    floods = [key for key in heard.set() if key[1].startswith("app=flood,")]
    assert len(floods) <= 200
    await until(heard.agrees, "the centre's set equals the node's", seconds=60)
    app.close()


def test_the_command_says_how_it_went(agent):
    unreachable = agent.run("alarm", "list")
    assert unreachable.returncode == 1
    assert "no agent answers on" in unreachable.stderr
    agent.start()
    client(agent).close()
    raised = agent.run(
        "alarm", "raise", APP, "--entity", "app=pump,unit=2", "--severity", "major",
        "--text", "Pressure", "--param", "value=9", "--param", "unit=bar", "--ttl", "300",
    )  # fmt: skip
    assert (raised.returncode, raised.stderr) == (0, "")
    table = agent.run("alarm", "list").stdout
    assert "major     750.801  app=pump,unit=2  1      Pressure" in table
    (row,) = [
        row for row in json.loads(agent.run("alarm", "list", "-o", "json").stdout)
        if row["type"] == APP
    ]  # fmt: skip
    assert (row["params"], row["ttl_s"]) == ({"value": 9, "unit": "bar"}, 300)
    refused = agent.run("alarm", "raise", "100.101", "--entity", "app=x", "--severity", "major")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "an application's type" in refused.stderr
    assert (
        agent.run("alarm", "raise", APP, "--entity", "app=x", "--severity", "dire").returncode == 2
    )
    assert agent.run("alarm", "log", "started", "--entity", "app=pump").returncode == 0
    assert agent.run("alarm", "clear-all", "app=pump").stdout == '{"cleared": 1}\n'
    assert agent.run("alarm", "clear", APP, "--entity", "app=pump,unit=2").returncode == 0
