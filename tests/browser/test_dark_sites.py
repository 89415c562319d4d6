"""One carrier's sites go dark, end to end: real centre, real broker, the simulated fleet, the page.

The simulator is stopped and continued (SIGSTOP, SIGCONT), which is what a cut carrier looks like
from here: nothing comes any more, and nobody says good-bye.
"""

import asyncio
import contextlib
import json
import signal
import sys
import time
from pathlib import Path

import aiomqtt
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from broker import mosquitto  # noqa: F401 - a fixture
from central_process import CentralProcess
from hook_receiver import Receiver
from loopback_ports import free_port
from program import Program
from waiting import until

from roost_agent.sim.places import Plan, ndjson, places
from roost_protocol.beat import Beat, PathKind, PathReport, PathState
from roost_protocol.codec import encode
from roost_protocol.topics import NodeTopics

pytestmark = [pytest.mark.browser, pytest.mark.broker, pytest.mark.timeout(400)]

PLAN = Plan(sites=300, nodes=1, regions=12, carriers=8)
CARRIER = "carC"  # 39 of the sites: more than 2 % of the fleet, fewer than 50, fewer than 20 %
BEAT_S = 5
SITES = {place.site: place.labels for place in places(PLAN)}
HIT = [site for site, labels in SITES.items() if labels["carrier"] == CARRIER]
LEFT = HIT[:2]  # they do not come back
OTHER = next(site for site, labels in SITES.items() if labels["carrier"] == "carA")
SECRET = b"a secret of at least 8 bytes"
CALM = "calm"  # reads the tree without the members of incidents
PATIENCE_S = 120


class Simulator(Program):
    """``roost sim`` for some of the sites: those that no fault of its own cuts off."""

    def __init__(self, folder, broker, name, *faults):
        super().__init__(folder / f"{name}.log")
        self._broker = broker
        self._faults = [word for each in faults for word in ("--fault", f"cut {each} at=0s for=9h")]

    def start(self):
        plan = ("--sites", PLAN.sites, "--nodes", PLAN.nodes, "--carriers", PLAN.carriers)
        beats = ("--interval", BEAT_S, "--ramp", 2, "--broker", self._broker.url)
        words = [str(word) for word in (*plan, *beats)]
        self._launch(sys.executable, "-m", "roost_agent", "sim", *words, *self._faults)

    def hush(self):
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self._process.send_signal(signal.SIGCONT)


class Few:
    """The sites that are on their own: each beats until it is told to be silent."""

    def __init__(self, broker, sites):
        self.is_silent = False
        self._broker = broker
        self._sites = sites
        self._n = 0

    async def run(self):
        async with aiomqtt.Client(self._broker.host, self._broker.port) as client:
            while not self.is_silent:
                self._n += 1
                for site in self._sites:
                    await client.publish(NodeTopics.of(f"{site}.n1").beat, self._beat(site))
                await asyncio.sleep(BEAT_S / 2)

    def _beat(self, site):
        now_ms = time.time_ns() // 1_000_000
        return encode(
            Beat(
                v=1, node=f"{site}.n1", boot_id=b"b" * 16, incarnation=1, path="wan1",
                sent_ms=now_ms, n=self._n, interval_ms=BEAT_S * 1_000, uptime_s=1, agent="0.1.0",
                why="timer", paths=[PathReport("wan1", PathKind.WAN, PathState.UP, now_ms)],
            )
        )  # fmt: skip


@pytest.fixture
async def hook():
    async with Receiver().serving() as receiver:
        yield receiver


@pytest.fixture
def central(tmp_path, mosquitto, hook):  # noqa: F811 - the fixture
    process = CentralProcess(tmp_path, mosquitto.url)
    process.noc_port = free_port()
    (tmp_path / "secret").write_bytes(SECRET)
    (tmp_path / "secret").chmod(0o600)
    config = tmp_path / "central.toml"
    config.write_text(
        f"settle_s = 10\n{config.read_text()}"
        f'[northbound.mqtt]\nport = {process.noc_port}\ncollapsed_readers = ["{CALM}"]\n'
        '[[northbound.webhook]]\nname = "hook"\nallow_private = true\n'
        f'url = "{hook.url}"\nsecret_file = "{tmp_path / "secret"}"\n'
    )
    process.start()
    process.ready()
    assert process.post_lines("/api/v1/sites:import", ndjson(places(PLAN)))["errors"] == []
    yield process
    process.kill()


@pytest.fixture
async def fleet(tmp_path, mosquitto):  # noqa: F811 - the fixture
    """The fleet, and the part of it that is struck."""
    alone = [f"site={site}" for site in (*LEFT, OTHER)]
    rest = Simulator(tmp_path, mosquitto, "rest", f"carrier={CARRIER}", f"site={OTHER}")
    struck = Simulator(tmp_path, mosquitto, "struck", f"carrier=car[!{CARRIER[-1]}]", *alone)
    few = Few(mosquitto, (*LEFT, OTHER))
    task = asyncio.create_task(few.run())
    rest.start()
    struck.start()
    yield struck, few
    rest.kill()
    struck.kill()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@contextlib.asynccontextmanager
async def calm_reader(central):
    """What a reader of the collapsed tree is told: topics with their newest words."""
    told = []
    password = (central.data_dir / "noc" / f"{CALM}.secret").read_text().strip()

    async def read(client):
        await client.subscribe("noc/v1/collapsed/#", qos=1)
        async for message in client.messages:
            topic, payload = str(message.topic), message.payload
            told.extend([(topic, json.loads(payload))] if payload else [])

    async with aiomqtt.Client(
        "127.0.0.1", central.noc_port, username=CALM, password=password
    ) as client:
        task = asyncio.create_task(read(client))
        try:
            yield told
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def ask(central, path):
    return await asyncio.to_thread(central.get, f"/api/v1{path}")


async def incidents(central):
    return (await ask(central, "/incidents"))["items"]


async def wait(look, what):
    """Wait until an awaited look is true."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := await look()):  # noqa: ASYNC110 - looks from outside
            await asyncio.sleep(0.2)
    return found


def words(hook):
    """What the webhook was told of silence, in its order: the kind, and the site or the cause."""
    bodies = [json.loads(body) for _, _, body in hook.requests]
    return [
        (each["type"], each["data"].get("site", each["data"].get("cause")))
        for each in bodies
        if each["data"]["type"] in {"280.001", "280.802"}
    ]


async def log_in(tab, central):
    await tab.open(f"{central.url}/login")
    await tab.wait("document.activeElement.id === 'token'")
    await tab.type(central.token)
    await tab.press("Enter")
    await tab.wait("document.querySelector('.banner .total')")


async def test_a_carriers_dark_sites_are_one_incident_with_its_cause_up_to_who_did_not_come_back(
    central, fleet, hook, browser
):
    struck, few = fleet

    async def all_are_heard():
        counts = (await ask(central, "/status"))["sites"]
        return counts.get("ok") == len(SITES)

    await wait(all_are_heard, "all sites are heard")
    status = await ask(central, "/status")
    if status["quiet"]:
        await wait(lambda: is_settled(central), "the start is over")
    secret = central.data_dir / "noc" / f"{CALM}.secret"
    await until(secret.exists, "the NOC's broker has its accounts")
    async with calm_reader(central) as calm, browser.context() as context:
        struck.hush()
        few.is_silent = True
        (incident,) = await wait(lambda: incidents(central), "there is an incident")
        assert incident["type"] == "280.001"
        await wait(lambda: is_explained(central), "all of it are dark, and its cause is found")
        await until(lambda: ("alarm.raise", OTHER) in words(hook), "what is left is told apart")
        (incident,) = await incidents(central)
        assert (incident["cause"], incident["unexplained"]) == (f"carrier={CARRIER}", 1)
        assert words(hook) == [("incident.open", f"carrier={CARRIER}"), ("alarm.raise", OTHER)]

        tab = await context.tab()
        await log_in(tab, central)
        await tab.open(f"{central.url}/i/{incident['id']}")
        await tab.wait(f"document.querySelector('.cause-text').innerText === 'carrier={CARRIER}'")
        await tab.wait(f"document.querySelector('.unexplained').innerText.includes('{OTHER}')")

        struck.go_on()
        await wait(lambda: are_dark(central, {*LEFT, OTHER}), "the others are heard again")
        assert len(words(hook)) == 2, "nobody hears the end of what was not told"
        body = {"reason": "the carrier says it is mended"}
        path = f"/api/v1/incidents/{incident['id']}:close"
        await asyncio.to_thread(central.post, path, body)
        (closed,) = await incidents_closed(central)
        assert closed["not_back"] == sorted([*LEFT, OTHER])
        assert closed["sites"] == len(HIT) + 1
        await tab.wait("document.body.innerText.includes('Did not come back (3)')")
        await tab.wait(f"document.querySelector('.names').innerText.includes('{LEFT[0]}')")
        left = {("alarm.raise", site) for site in LEFT}
        await until(lambda: left <= set(words(hook)), "what it leaves is told on its own")
        await until(lambda: raised(calm) >= {OTHER, *LEFT}, "here too")
    assert "Traceback" not in central.log.read_text()
    tops = {topic for topic, _ in calm if "/incident/" in topic}
    assert tops == {f"noc/v1/collapsed/incident/{incident['id']}"}
    assert raised(calm) == {OTHER, *LEFT}


def raised(calm):
    """The sites whose silence was told to the reader that hears of no member."""
    alarms = [what for topic, what in calm if "/event/alarm/" in topic]
    return {
        each["site"]
        for each in alarms
        if each["event"] == "raise" and each["type"] in {"280.001", "280.802"}
    }


async def is_settled(central):
    return not (await ask(central, "/status"))["quiet"]


async def is_explained(central):
    (incident,) = await incidents(central)
    return incident["sites"] == len(HIT) + 1 and incident["cause"] and not incident["held"]


async def are_dark(central, sites):
    page = await ask(central, "/alarms?filter=type%3D280.001&hidden=true&limit=500")
    return {each["site"] for each in page["items"]} == sites


async def incidents_closed(central):
    return (await ask(central, "/incidents?state=closed"))["items"]
