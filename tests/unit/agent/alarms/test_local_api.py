"""The local API over a real socket, with clients as good and as bad as they come."""

import asyncio
import json
import os
import socket
import stat
import threading
import time
from contextlib import suppress

import pytest

from roost_agent.alarms import desk as desk_module
from roost_agent.alarms import local_api, socket_group
from roost_agent.alarms.local_api import CONNECTIONS_MAX, UNIT_CONNECTIONS_MAX, LocalApi, serving
from roost_agent.alarms.local_client import AlarmClient
from roost_agent.alarms.local_message import PACKET_BYTES_MAX
from roost_protocol.envelope import Lane
from roost_protocol.severity import Severity

APP = "750.801"


@pytest.fixture
async def node(make_node, tmp_path):
    async with make_node().running() as node:
        node.path = str(tmp_path / "alarm.sock")
        async with serving(node.path, node.desk, node.clock):
            yield node


OPEN = []


@pytest.fixture(autouse=True)
def closed():
    """No connection outlives its test."""
    yield
    while OPEN:
        OPEN.pop().close()


class Client:
    """One connection; asks without blocking the loop."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        OPEN.append(self.sock)
        self.sock.connect(path)
        self.sock.setblocking(False)

    async def raw(self, packet):
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(20):
            with suppress(BrokenPipeError):  # turned away: the answer is there already
                self.sock.send(packet)
            return json.loads(await loop.sock_recv(self.sock, 1 << 16))

    async def ask(self, do, **fields):
        return await self.raw(json.dumps({"do": do, **fields}).encode())


@pytest.fixture
def client(node):
    return Client(node.path)


async def test_an_alarm_is_on_disk_when_the_answer_comes(node, client):
    said = {"type": APP, "entity": "app=pump,unit=2", "severity": "major", "text": "9 bar"}
    assert await client.ask("raise", **said, params={"value": 9}) == {"ok": True, "seq": 1}
    assert node.items()[0][1]["params"] == {"value": 9}
    assert await client.ask("raise", **said, params={"value": 9}) == {"ok": True, "seq": 1}
    assert await client.ask("clear", type=APP, entity="app=pump,unit=2") == {"ok": True, "seq": 2}
    assert await client.ask("clear", type=APP, entity="app=pump,unit=2") == {"ok": True, "seq": 2}
    assert [item["change"] for _, item in node.items()] == ["raise", "clear"]


@pytest.mark.parametrize(
    ("request_", "code", "word"),
    [
        ({"do": "raise", "type": "100.101", "severity": "major"}, "type", "alarms: 750."),
        ({"do": "raise", "type": "750.803", "severity": "major"}, "type", "application"),
        ({"do": "raise", "type": APP, "severity": "dire"}, "severity", "critical"),
        ({"do": "raise", "type": APP, "severity": "major", "entity": "node=n2"}, "entity",
         "entity 'node=n2' is refused; allowed: app=NAME[,unit=NAME]"),
        ({"do": "raise", "type": APP, "severity": "major", "entity": "app=" + "x" * 260},
         "oversize", "255"),
        ({"do": "clear", "type": "100.101"}, "type", "application"),
        ({"do": "clear", "type": APP, "entity": "x"}, "entity", "kind=value"),
        ({"do": "clear_all", "prefix": ""}, "entity", "at least one"),
        ({"do": "log", "text": "x", "type": APP}, "type", "events: 750.803"),
        ({"do": "log", "text": "x", "entity": "fs=/"}, "entity", "app=NAME"),
        ({"do": "sing"}, "syntax", "do is refused; allowed: one of raise"),
    ],
)  # fmt: skip
async def test_a_refusal_names_the_field_and_the_bound(node, client, request_, code, word):
    answer = await client.raw(json.dumps(request_).encode())
    assert (answer["ok"], answer["error"]) == (False, code)
    assert word in answer["detail"]
    assert node.alarms.table.rows == {}
    assert (await client.ask("ping"))["result"]["node"] == "lab.n1"


async def test_a_packet_that_is_too_long_is_refused_and_the_next_one_is_read(node, client):
    answer = await client.raw(b"x" * (PACKET_BYTES_MAX + 1))
    assert answer["error"] == "oversize"
    assert (await client.ask("ping"))["ok"]


async def test_a_text_that_is_too_long_is_cut_and_not_lost(node, client):
    said = {"type": APP, "entity": "app=x", "severity": "minor", "text": "\u00e4" * 500}
    assert (await client.ask("raise", **said))["ok"]
    assert len(node.alarms.table.rows[APP, "app=x"].text.encode()) <= 255


async def test_a_list_comes_in_parts_and_is_whole(node, client):
    for number in range(60):
        said = {"type": APP, "entity": f"app=a{number}", "severity": "minor", "text": "t" * 200}
        assert (await client.ask("raise", **said))["ok"]
    found, after = [], ""
    while after is not None:
        answer = await client.ask("list", after=after)
        assert len(json.dumps(answer)) <= PACKET_BYTES_MAX + 512
        found += [each["entity"] for each in answer["result"]["alarms"]]
        after = answer["result"]["next"]
    assert sorted(found) == sorted(f"app=a{number}" for number in range(60))


async def test_clear_all_takes_pairs_and_not_text(node, client):
    for entity in ("app=pump", "app=pump,unit=1", "app=pump2"):
        await client.ask("raise", type=APP, entity=entity, severity="minor")
    node.alarms.over_quota("pump", "test")
    answer = await client.ask("clear_all", prefix="app=pump")
    assert answer["result"] == {"cleared": 2}
    assert set(node.alarms.table.rows) == {(APP, "app=pump2"), ("750.802", "app=pump")}
    assert (await client.ask("clear_all", prefix="app=none"))["result"] == {"cleared": 0}


async def test_an_event_goes_to_the_other_lane(node, client):
    assert (await client.ask("log", text="started", entity="app=pump"))["ok"]
    kind, item = node.items(Lane.BULK)[0]
    assert (kind, item["type"], item["text"]) == ("event", "750.803", "started")
    assert item["severity"] == Severity.WARNING


async def test_a_flood_is_told_slowed_down_and_visible_and_others_do_not_notice(
    node, tmp_path, monkeypatch
):
    units = iter(["flood"] * UNIT_CONNECTIONS_MAX + ["pump"] * 9)
    monkeypatch.setattr(local_api, "unit_of_pid", lambda pid: next(units))
    path = str(tmp_path / "other.sock")
    async with serving(path, node.desk, node.clock):
        floods = [Client(path) for _ in range(UNIT_CONNECTIONS_MAX)]
        for _ in range(100):  # faster than the rate, however slow this machine is
            answers = [await each.ask("ping") for each in floods]
            if any(each.get("error") == "rate" for each in answers):
                break
        assert ("750.802", "app=flood") in node.alarms.table.rows
        for each in floods:  # all that a socket takes; none of it is waited for
            with suppress(BlockingIOError):
                while True:
                    each.sock.send(b"{}")
        good = Client(path)
        for number in range(5):
            said = {"type": APP, "entity": f"app=g{number}", "severity": "minor"}
            assert (await good.ask("raise", **said))["ok"]


async def test_more_connections_than_an_application_may_have_are_turned_away(node):
    mine = [Client(node.path) for _ in range(UNIT_CONNECTIONS_MAX)]
    for each in mine:
        assert (await each.ask("ping"))["ok"]
    answer = await Client(node.path).ask("ping")
    assert answer["error"] == "busy"
    assert str(UNIT_CONNECTIONS_MAX) in answer["detail"]
    mine[0].sock.close()
    for _ in range(200):  # the agent sees the end of a connection on its next turn
        answer = await Client(node.path).ask("ping")
        if answer.get("error") != "busy":
            break
    assert answer["ok"]


async def test_more_connections_than_there_are_places_are_turned_away(node, tmp_path, monkeypatch):
    count = iter(range(10**6))
    monkeypatch.setattr(local_api, "unit_of_pid", lambda pid: f"unit{next(count)}")
    path = str(tmp_path / "many.sock")
    async with serving(path, node.desk, node.clock):
        many = [Client(path) for _ in range(CONNECTIONS_MAX // 2)]
        for each in many:
            assert (await each.ask("ping"))["ok"]
        many += [Client(path) for _ in range(CONNECTIONS_MAX // 2)]
        for each in many[CONNECTIONS_MAX // 2 :]:
            assert (await each.ask("ping"))["ok"]
        assert (await Client(path).ask("ping"))["error"] == "busy"


async def test_a_client_that_does_not_read_is_cut_off_and_waited_for_by_nobody(node, client):
    """Its receive buffer fills, the next answer does not fit, the connection is closed."""
    rude = Client(node.path)
    rude.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)

    def send():
        try:
            rude.sock.send(b'{"do":"list"}')
        except (BlockingIOError, BrokenPipeError, ConnectionResetError) as err:
            return isinstance(err, BlockingIOError)
        return True

    for _ in range(300):
        assert (await client.ask("ping")).get("error") in {None, "rate"}
        if not send():
            break
    else:
        raise AssertionError("it was never cut off")


async def test_a_disk_that_is_slow_is_told_in_time(node, client, monkeypatch):
    monkeypatch.setattr(desk_module, "ANSWER_S", 0.02)
    monkeypatch.setattr(node.spool, "append", lambda batch: None)  # it takes it, and never ends
    answer = await client.ask("raise", type=APP, entity="app=x", severity="minor")
    assert answer["error"] == "slow-disk"
    answer = await client.ask("log", text="x", entity="app=x")
    assert answer["error"] == "slow-disk"


async def test_before_the_outbox_is_open_it_says_so(make_node, tmp_path):
    node = make_node()
    path = str(tmp_path / "early.sock")
    async with serving(path, node.desk, node.clock):
        client = Client(path)
        assert (await client.ask("list"))["error"] == "starting"
        assert (await client.ask("ping"))["ok"]
        node.desk.over_quota("x", "y")


async def test_without_a_place_for_the_socket_the_agent_runs_on(make_node, tmp_path):
    node = make_node()
    async with serving(str(tmp_path / "no/such/folder"), node.desk, node.clock):
        pass
    async with serving("", node.desk, node.clock):
        pass


def test_the_socket_is_its_owners_and_the_groups(node, tmp_path, monkeypatch):
    groups = tmp_path / "group"
    groups.write_text(f"root:x:0:\nroost-alarm:x:{os.getgid()}:\n")
    mode = stat.S_IMODE(os.stat(node.path).st_mode)  # noqa: PTH116 - a text
    assert mode in {0o600, 0o660}
    assert socket_group._group_id("roost-alarm", groups) == os.getgid()
    assert socket_group._group_id("none", groups) is None
    monkeypatch.setattr(socket_group, "_group_id", lambda name: os.getgid())
    file = tmp_path / "s"
    file.touch()
    socket_group.give_to_group(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o660
    monkeypatch.setattr(socket_group, "_group_id", lambda name: 1 << 33)
    with pytest.raises(OverflowError):
        socket_group.give_to_group(file)


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        ("0::/system.slice/pump.service\n", "system.slice/pump.service"),
        ("9:name=systemd:/a.service\n8:pids:/b\n0::/\n", "a.service"),
        ("0::/\n", "pump"),
        ("", "pump"),
        ("0::/x y,z=\x01\n", "x_y_z__"),
    ],
)
def test_a_unit_is_a_cgroup_or_else_a_programs_name(tmp_path, cgroup, unit):
    folder = tmp_path / "proc/7"
    folder.mkdir(parents=True)
    (folder / "cgroup").write_text(cgroup)
    (folder / "comm").write_text("pump\n")
    assert local_api.unit_of_pid(7, tmp_path) == unit
    assert local_api.unit_of_pid(8, tmp_path) == "unknown"


async def in_thread(call, *args, **more):
    return await asyncio.to_thread(call, *args, **more)


async def test_the_client_raises_clears_and_tells_events(node):
    client = AlarmClient(node.path)
    assert await in_thread(client.raise_alarm, APP, "app=pump", "major", "9 bar", ttl_s=60)
    assert node.alarms.table.rows[APP, "app=pump"].ttl_ms == 60_000
    assert await in_thread(client.log, "hello", "app=pump")
    assert await in_thread(client.clear_alarm, APP, "app=pump")
    assert await in_thread(client.clear_all, "app=pump")
    assert await in_thread(client.ping)
    assert not await in_thread(client.raise_alarm, APP, "app=pump", "dire")
    assert "severity" in client.refusal
    client.close()


async def test_the_client_keeps_what_was_not_taken_and_tells_it_later(node, tmp_path):
    client = AlarmClient(str(tmp_path / "later.sock"))
    for number in range(150):
        assert not client.raise_alarm(APP, f"app=a{number}", "minor")
    assert not client.clear_alarm(APP, "app=a149")  # the last word of an alarm is what is kept
    assert client.refusal
    assert len(client._kept) == 100
    client.path = node.path
    for _ in range(100):
        await in_thread(client.ping)
        if not client._kept:
            break
        await asyncio.sleep(0.1)
    raised = {entity for _, entity in node.alarms.table.rows if entity.startswith("app=a")}
    assert raised == {f"app=a{number}" for number in range(50, 149)}
    client.close()


def test_the_client_is_never_held_up(tmp_path):
    """A stopped server, a full socket, no server: the caller gets its False in time."""
    path = str(tmp_path / "dead.sock")
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    dead.bind(path)
    dead.listen(1)
    spent = []

    def ask():
        client = AlarmClient(path)
        began = time.monotonic()
        spent.append((client.raise_alarm(APP, "app=x", "minor"), time.monotonic() - began))
        client.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)
    assert len(spent) == 8
    assert not any(done for done, _ in spent)
    dead.close()


def test_the_client_never_raises(tmp_path):
    client = AlarmClient(str(tmp_path / "none.sock"))
    assert not client.raise_alarm(APP, "app=x", "minor", params={"a": object()})
    assert "no JSON" in client.refusal
    assert not client.raise_alarm(APP, "app=x", "minor", "x" * 5_000)
    assert "bound" in client.refusal
    assert client._kept == {}
    assert client.request({"do": "ping"}) is None


def test_an_api_needs_no_real_units():
    assert LocalApi(None, None, None, str)._unit_of(5) == "5"
