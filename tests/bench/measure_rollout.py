"""``rollout.*``: what a plan over 10,000 sites takes, offering it to all of them, and a turn.

A real centre on SQLite and the simulator's 10,000 sites of one node each, over Mosquitto: a plan is
read, its sites selected, divided into waves and run dry; then one wave takes all of them with no
cap that bites, until the last one has its offer. Simulated nodes have no identity: their offers go
out as they are, so no signature is in the figure.

Apart from that the documents of 10,000 sites, signed by a real signer: each names one release, its
three members, and shows by hashes that it is among the sites that two operators signed.

And a turn of ten rollouts with 10,000 sites each, in one process over SQLite, 200 of
each at work and 500 sites with news in each turn.
"""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from statistics import median

from ca import Pki, SignerProcess, unlimited
from central import Central, load
from figure import QUICK, Figure
from migrated import database_url
from mosquitto import Mosquitto
from release_desk import Holder, Operator, operators_file, uploaded
from rollout_fleet import NEW, OLD

from roost_central.access.chain import Act
from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.fleet.view import FleetView
from roost_central.ports import SystemClock, SystemEntropy
from roost_central.releases.desk import ReleaseDesk
from roost_central.rollout.core import Rollout
from roost_central.rollout.head import Head, WaveHead, begun
from roost_central.rollout.job import Job
from roost_central.rollout.offering import OFFERS_MAX
from roost_central.rollout.plan_file import read_plan
from roost_central.rollout.runner import RolloutRunner
from roost_central.rollout.table import RolloutState
from roost_central.signer.client import Signer
from roost_central.storage.engine import Database
from roost_protocol.release.director import Assignment, SiteDocument
from roost_protocol.release.meant import Shown, Tree, site_leaf
from roost_protocol.update import Running

SITES = 1_000 if QUICK else 10_000
ROLLOUTS = 10
NEWS = 500
TURNS = 30
PLANS = 5
OFFERED_S_MAX = 180.0
ROLLOUT = "b" * 32
HEARD_S_MAX = 180.0
HEAD = (
    'name = "x"\ncomponent = "{component}"\nversion = "1.1.0"\napprovers = 0\nuncovered_ok = true\n'
)
FREE = (
    "[wave_defaults]\nsite_soak_s = 0\nsoak_s = 0\nrate = {base = 100000, max = 100000}\n"
    "max_in_flight = {fleet = 100000, wave = 100000, hw_model = 100000, link = 100000}\n"
    "[[wave]]\nrest = true\n"
)


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Plan, offer, and take turns."""
    with (
        Mosquitto() as broker,
        Central(broker.port) as central,
        Simulator(broker.port, central),
    ):
        heard(central, say)
        took = sorted(planned(central) for _ in range(PLANS))
        say(f"a plan over {SITES:,} sites: {median(took):.0f} ms")
        seconds, cpu_s = offered(central)
    note = f"median of {PLANS}, over HTTP; {load()}"
    yield Figure("rollout.plan_10k_ms", round(median(took)), "ms", "<= 1,000", note)
    note = f"{cpu_s / seconds:.2f} of a core of the centre; {SITES:,} sites"
    yield Figure("rollout.offer_10k_s", round(seconds, 1), "s", "<= 60", note)
    with tempfile.TemporaryDirectory() as folder:
        seconds, cpu_s = documents(Path(folder))
    note = (
        f"{cpu_s / seconds:.2f} of a core of the centre; two operators, {SITES:,} sites, in turns"
    )
    yield Figure("rollout.signed_10k_s", round(seconds, 1), "s", "", note)
    with tempfile.TemporaryDirectory() as folder:
        turns = asyncio.run(turned(Path(folder)))
    note = f"median of {TURNS}, longest {max(turns):.0f} ms; {ROLLOUTS} x {SITES:,} sites"
    yield Figure("rollout.tick_ms", round(median(turns), 1), "ms", "<= 50", note)


class Simulator:
    """The simulated fleet, for the time of a measurement."""

    def __init__(self, port: int, central: Central) -> None:
        file = central.data_dir / "sites.ndjson"
        words = ["sim", "--sites", str(SITES), "--nodes", "1", "--sites-file", str(file)]
        subprocess.run([sys.executable, "-m", "roost_agent", *words], check=True)
        central.fetch("POST", "/sites:import", file.read_bytes(), media="application/x-ndjson")
        words += ["--broker", f"mqtt://127.0.0.1:{port}", "--interval", "30", "--ramp", "20"]
        words += ["--connections", "4", "--software", "app/pump@1.0.0"]
        self._argv = [sys.executable, "-m", "roost_agent", *words]

    def __enter__(self) -> "Simulator":
        self._process = subprocess.Popen(self._argv, stdout=subprocess.DEVNULL)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)


def heard(central: Central, say: Callable[[str], None]) -> None:
    """Wait until every site is heard, and its software told."""
    ends = time.monotonic() + HEARD_S_MAX
    while True:
        online = central.get("/status")["nodes"]["online"]
        if online >= SITES:
            break
        if time.monotonic() > ends:
            raise RuntimeError(f"{online} of {SITES} nodes heard")
        time.sleep(1)
    say(f"{SITES:,} sites are heard")
    central.settle()


def planned(central: Central) -> float:
    """Return the ms of one dry run."""
    text = HEAD.format(component="app/pump") + f'digest = "{NEW[1]}"\nsize = 10000000\n'
    began = time.perf_counter()
    raw = central.fetch("POST", "/rollouts:plan", json.dumps({"plan": text}).encode())
    took_ms = (time.perf_counter() - began) * 1_000
    done = json.loads(raw)
    if done["sites"] != SITES or done["refusals"]:
        raise RuntimeError(f"{done['sites']} sites, {done['refusals']}")
    return took_ms


def offered(central: Central) -> tuple[float, float]:
    """Return the seconds until every site has its offer, and those of the centre's processor."""
    text = HEAD.format(component="app/pump") + f'digest = "{NEW[1]}"\n' + FREE
    made = json.loads(central.fetch("POST", "/rollouts", json.dumps({"plan": text}).encode()))
    began, before = time.monotonic(), central.cpu_s()
    central.fetch("POST", f"/rollouts/{made['id']}/start", b"{}")
    while True:
        stage = central.get(f"/rollouts/{made['id']}")["stages"][0]
        if stage["state"] != "pending" and not stage["states"].get("queued"):
            break
        if time.monotonic() - began > OFFERED_S_MAX:
            raise RuntimeError(f"not offered in time: {stage}")
        time.sleep(0.5)
    return time.monotonic() - began, central.cpu_s() - before


def documents(folder: Path) -> tuple[float, float]:
    """Return the seconds until every site has its signed document, and those of the processor."""
    people = Holder(folder / "people", SystemClock().wall_ms())
    people.init()
    pki = Pki(folder / "pki", unlimited())
    for name in ("image-online.key", "director.key"):
        shutil.copy(people.online / name, pki.signer_dir / name)
    (pki.signer_dir / "image-root.json").write_bytes(people.repository.image_root)
    signer = SignerProcess(pki)
    signer.start()
    try:
        return asyncio.run(_signed(folder / "releases", people, pki.socket))
    finally:
        signer.kill()


async def _signed(folder: Path, people: Holder, socket: Path) -> tuple[float, float]:
    client = Signer(socket)
    desk = ReleaseDesk(folder, client, SystemClock(), SystemEntropy())
    desk.sites.members_of = _members
    two, web = (Operator("olga"), Operator("pia")), people.build()
    who = people.build(
        "operators", component="policy/operators", files={"operators.json": operators_file(*two)}
    )
    for each in (who, web):
        uploaded(desk.store, each)
    made = people.release(who, web)
    await desk.publish([people.repository.image_root], made.targets)
    formers = {f"s{number:05}": "0" * 64 for number in range(SITES)}
    tree, names = Tree(formers), [*formers]
    said = [each.approves(web.digest, ROLLOUT, now_ms=people.now_ms, sites=formers) for each in two]
    began, before = time.perf_counter(), time.process_time()
    for start in range(0, SITES, OFFERS_MAX):
        some = names[start : start + OFFERS_MAX]
        shown = {
            site: [Shown(ROLLOUT, formers[site], tree.proof(site_leaf(site, formers[site])))]
            for site in some
        }
        given = [_document(site, people.now_ms) for site in some]
        refused = [why for why in await desk.sites.assign(given, said, shown) if why is not None]
        if refused:
            raise RuntimeError(f"not signed: {refused[0]}")
    took = time.perf_counter() - began, time.process_time() - before
    await client.close()
    return took


async def _members(sites: Collection[str]) -> dict[str, dict[str, int]]:
    return {site: {f"{site}.n{number}": 1 for number in (1, 2, 3)} for site in sites}


def _document(site: str, now_ms: int) -> SiteDocument:
    assignment = Assignment(
        rollout=ROLLOUT, job="a" * 32, target="app/web/1.0.json",
        nodes=[f"{site}.n{number}" for number in (1, 2, 3)], not_before_ms=0,
        not_after_ms=now_ms + 86_400_000,
    )  # fmt: skip
    return SiteDocument(v=1, site=site, assignments=[assignment])


async def turned(folder: Path) -> list[float]:
    """Return the ms of turns of ten rollouts."""
    clock = SystemClock()
    database = await Database.open(database_url(folder), clock=clock)
    view = FleetView()
    for number in range(SITES):
        site = f"s{number:05}"
        view.add_site(site, 1)
        row = view.add_node(f"{site}.n1", site, "n1")
        row.presence, row.interval_ms = "online", 30_000
        row.software = {f"app/p{each}": Running(*OLD) for each in range(ROLLOUTS)}
    runner = RolloutRunner(
        database, view, AlarmBook(shipped(), view, database, clock), clock, SystemEntropy()
    )
    runner.outgoing.send_bare = lambda _node, _offer: True
    for each in range(ROLLOUTS):
        await begin(runner, each, [*view.sites], clock.wall_ms())
    took = []
    with view.listen() as changes:
        names = [*view.nodes]
        for turn in range(TURNS + 5):
            for node in names[turn * NEWS % SITES :][:NEWS]:
                view.touch_node(node)
            began = time.perf_counter()
            await runner.turn(changes)
            took.append((time.perf_counter() - began) * 1_000)
    await database.close()
    return took[5:]


async def begin(runner: RolloutRunner, number: int, sites: list[str], now_ms: int) -> None:
    """Begin one of the rollouts: each offers its sites at the usual rate."""
    text = HEAD.format(component=f"app/p{number}") + "[[wave]]\nrest = true\n"
    head = Head(
        id=f"{number:032}", name=f"r{number}", component=f"app/p{number}", version=NEW[0],
        digest=NEW[1], size=1, plan_digest="0" * 64, by="bench", reason="", made_ms=now_ms,
        changed_ms=now_ms, waves=(WaveHead("rest"),), sites=len(sites),
    )  # fmt: skip
    jobs = [Job(site=site, wave=0, nodes=(f"{site}.n1",), former=OLD) for site in sites]
    rollout = Rollout(
        begun(head, RolloutState.SCHEDULED, now_ms), read_plan(text.encode()), jobs, now_ms
    )
    rollout.start(now_ms)
    await runner.acts.add(
        rollout, text.encode(), Act(now_ms, "bench", "", "rollout.create", "", {})
    )
