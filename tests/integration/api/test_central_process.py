"""roost-central as a process: started, asked, killed, started again."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession
from loopback_ports import free_port

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]
START_S_MAX = 60


class Central:
    """One process of roost-central on a data directory."""

    def __init__(self, data_dir, port, broker):
        self.data_dir, self.port, self.broker = data_dir, port, broker
        self.url = f"http://127.0.0.1:{port}"
        self.log = data_dir.parent / "central.log"
        self.process = None

    @property
    def command(self):
        return [sys.executable, "-m", "roost_central"]

    async def start(self):
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.command, "run", "--data-dir", str(self.data_dir), "--port", str(self.port),
                "--broker", self.broker, stderr=log,
            )  # fmt: skip
        async with asyncio.timeout(START_S_MAX), ClientSession() as client:
            while True:
                assert self.process.returncode is None, self.log.read_text()
                try:
                    async with client.get(f"{self.url}/health") as answer:
                        assert await answer.json() == {"status": "ok"}
                        return
                except OSError:
                    await asyncio.sleep(0.05)

    async def stop(self, number):
        self.process.send_signal(number)
        async with asyncio.timeout(60):
            return await self.process.wait()

    @property
    def bearer(self):
        token = (self.data_dir / "admin.token").read_text().strip()
        return {"Authorization": f"Bearer {token}"}

    @asynccontextmanager
    async def client(self):
        async with ClientSession(self.url, headers=self.bearer) as client:
            yield client

    async def get(self, path):
        async with self.client() as client, client.get(path) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()


@pytest.fixture
async def central(tmp_path):
    """A central whose broker does not answer."""
    central = Central(tmp_path / "data", free_port(), f"mqtt://127.0.0.1:{free_port()}")
    await central.start()
    yield central
    if central.process.returncode is None:
        await central.stop(signal.SIGKILL)


async def events(answer, count):
    """Read events off a stream."""
    found, event = [], {}
    async with asyncio.timeout(60):
        while len(found) < count:
            line = (await answer.content.readline()).decode().rstrip("\n")
            if line:
                name, _, value = line.partition(": ")
                event[name] = value
            elif "event" in event:
                found.append(event)
                event = {}
            else:
                event = {}
    return found


async def test_it_serves_though_no_broker_answers_and_says_so(central):
    status = await central.get("/api/v1/status")

    assert [broker["state"] for broker in status["brokers"]] == ["lost"]
    log = central.log.read_text()
    assert f"the admin token is in {central.data_dir}" in log
    assert "rtk_" not in log


async def test_what_was_written_outlives_a_kill(central):
    async with central.client() as client:
        answer = await client.put("/api/v1/sites/lab", json={"labels": {"region": "r01"}})
        assert answer.status == 201
    await central.stop(signal.SIGKILL)
    await central.start()

    site = await central.get("/api/v1/sites/lab")
    assert (site["labels"], site["revision"]) == ({"region": "r01"}, 1)
    told = central.log.read_text().count("the admin token is in")
    assert told == 1  # the token is the one of the first start


async def test_what_nodes_should_be_outlives_a_kill_and_follows_labels(central):
    source = '[profile]\nname = "p"\nselect = "region:r1"\nnothing = true\n[dns]\nattempts = 2\n'
    body = {"files": [{"file": "p.toml", "source": source}], "reason": "why"}
    async with (
        central.client() as client,
        client.post("/api/v1/profiles:apply", json=body) as answer,
    ):
        assert answer.status == 200, await answer.text()
    await central.stop(signal.SIGKILL)
    await central.start()
    line = json.dumps({"site": "edge-1", "labels": {"region": "r1"}, "nodes": ["n1"]})
    headers = {"Content-Type": "application/x-ndjson"}
    async with (
        central.client() as client,
        client.post("/api/v1/sites:import", data=line, headers=headers) as answer,
    ):
        assert answer.status == 200, await answer.text()
    desired = {"generation": 0}
    async with asyncio.timeout(60):
        while not desired["generation"]:
            await asyncio.sleep(0.1)
            desired = await central.get("/api/v1/nodes/edge-1.n1/desired")
    assert (desired["by"], desired["sections"]) == ("central", {"dns": {"attempts": 2}})


async def test_a_stream_resumes_and_is_resynced_by_another_process(central):
    async with central.client() as client:
        for n in range(3):
            await client.put(f"/api/v1/sites/s{n}", json={})
        async with client.get("/api/v1/stream") as answer:
            seen = await events(answer, 2)
        last_id = seen[0]["id"]
        headers = {"Last-Event-ID": last_id}
        async with client.get("/api/v1/stream", headers=headers) as answer:
            (again,) = await events(answer, 1)
        assert again["id"] == seen[1]["id"]

        await central.stop(signal.SIGKILL)
        await central.start()
        async with client.get("/api/v1/stream", headers=headers) as answer:
            (other,) = await events(answer, 1)

    assert other["event"] == "resync"
    assert json.loads(other["data"])["reason"] == "epoch"


async def test_a_signal_ends_it_cleanly_though_streams_are_open(central):
    async with central.client() as client, client.get("/api/v1/stream") as answer:
        assert answer.status == 200
        assert await central.stop(signal.SIGTERM) == 0

    log = central.log.read_text()
    assert "stopping: a signal asked for it" in log
    assert "Traceback" not in log


async def test_two_centrals_do_not_share_a_data_directory(central):
    process = await asyncio.create_subprocess_exec(
        *central.command, "run", "--data-dir", str(central.data_dir), "--port", "0",
        stderr=subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(60):
        _, errors = await process.communicate()

    assert process.returncode == 1
    assert b"another roost-central runs on" in errors


async def test_a_port_that_is_taken_is_a_sentence(central, tmp_path):
    process = await asyncio.create_subprocess_exec(
        *central.command, "run", "--data-dir", str(tmp_path / "other"), "--port", str(central.port),
        stderr=subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(START_S_MAX):
        _, errors = await process.communicate()

    assert process.returncode == 1
    assert b"already in use" in errors
    assert b"stop what listens there, or pass another --port" in errors
    assert b"Traceback" not in errors


async def test_the_token_can_be_replaced_while_it_runs(central):
    old = central.bearer
    process = await asyncio.create_subprocess_exec(
        *central.command, "token", "--new", "--data-dir", str(central.data_dir),
        stdout=subprocess.PIPE,
    )  # fmt: skip
    printed, _ = await process.communicate()

    assert central.bearer == {"Authorization": f"Bearer {printed.decode().strip()}"} != old
    assert (await central.get("/api/v1/status"))["version"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["check-config", "--host", "0.0.0.0"], 2, b"http.cert and http.key"),  # noqa: S104  refused
        (["check-config", "--broker", "http://x"], 2, b"mqtt://"),
        (["check-config", "--config", "/nowhere.toml"], 2, b"--config"),
        (["token", "--data-dir", "/nowhere"], 1, b"start roost-central once"),
        (["run", "--data-dir", "/proc/nowhere"], 1, b"/proc/nowhere"),
    ],
)
async def test_what_is_wrong_is_a_sentence_that_says_what_to_do(arguments, code, words):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "roost_central", *arguments, stderr=subprocess.PIPE
    )
    _, errors = await process.communicate()

    assert process.returncode == code
    assert words in errors
    assert b"Traceback" not in errors


async def test_a_broker_that_answers_is_shown_as_connected(tmp_path):
    mosquitto = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
    if mosquitto is None:
        pytest.skip("mosquitto is not installed")
    port = free_port()
    broker = await asyncio.create_subprocess_exec(
        mosquitto, "-p", str(port), stderr=subprocess.DEVNULL
    )
    central = Central(tmp_path / "data", free_port(), f"mqtt://127.0.0.1:{port}")
    try:
        await central.start()
        async with asyncio.timeout(60):
            state = ""
            while state != "connected":
                await asyncio.sleep(0.1)
                state = (await central.get("/api/v1/status"))["brokers"][0]["state"]
        assert await central.stop(signal.SIGTERM) == 0
    finally:
        broker.terminate()
        await broker.wait()
