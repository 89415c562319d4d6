"""The order of things in a demo: brokers, centre, labels, agents, fleet; watching; the end."""

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from roost_central.brokers.mosquitto import mosquitto
from roost_central.demo import aftermath, banner, cast, fleet, lab, rollouts
from roost_central.demo.brokers import Broker, answers, free_port, start_broker
from roost_central.demo.children import Child, ChildFailedError, Command
from roost_central.demo.fleet import Fleet
from roost_central.demo.releases import Releases
from roost_central.demo.rest import NotReadyError, Rest
from roost_central.ports import SystemClock
from roost_central.private_file import write_whole

NODES_A_SITE = 3
HEARD_S_MIN = 60.0  # for the first beat of every node, and a second more for each 50 sites
SITES_A_SECOND = 50
EXIT_FAILED = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """What a demo is asked for.

    Attributes:
        sites: simulated sites, beside the real one.
        seconds: end by itself after so long, counted from when all were heard.
        port: of the dashboard; 0 takes a free one.
        faults: what goes wrong in the simulated fleet, in the words of ``roost sim``.
        database: of the centre, as a URL; None for a file beside the rest of its state.
    """

    sites: int
    seconds: float | None
    port: int
    faults: tuple[str, ...] = ()
    database: str | None = None


def run(plan: Plan, data_dir: str | None) -> int:
    """Run the demo, keeping its state in ``data_dir`` if one is named; returns the exit code."""
    folder = Path(data_dir) if data_dir else Path(tempfile.mkdtemp(prefix="roost-demo-"))
    try:
        return asyncio.run(Demo(folder.resolve(), plan).run())
    except (ChildFailedError, NotReadyError, OSError) as err:
        print(f"\nroost demo: {err}", file=sys.stderr)
        return EXIT_FAILED
    finally:
        if data_dir is None:
            shutil.rmtree(folder, ignore_errors=True)


class Demo:
    """One demo; its children live as long as its ``run``."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self._folder = folder
        self._plan = plan
        self._sites = plan.sites
        self._port = plan.port or free_port("127.0.0.1")
        self._clock = SystemClock()
        self._began_ms = self._clock.mono_ms()
        self._children: dict[str, Child] = {}
        self._logs = folder / "logs"
        self._token_file = folder / "central" / "admin.token"
        self._root: Path | None = None  # of the services of the real site
        self._fleet: Fleet | None = None  # of the real site, where there is a broker with mTLS

    async def run(self) -> int:
        """Start everything, tell, watch until told to end or the time is over, end everything."""
        self._logs.mkdir(parents=True, exist_ok=True)
        self._check_port()
        told = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, told.set)
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(aiohttp.ClientSession())
            stack.push_async_callback(self._stop)
            rest = Rest(f"http://127.0.0.1:{self._port}", session)
            if not await cut_short(self._start(rest), by=told.wait()):
                await cut_short(self._watch(self._plan.seconds), by=told.wait())
            with suppress(NotReadyError, aiohttp.ClientError, TimeoutError):
                print(banner.summary(await rest.status(), self._seconds()))
            self._say("ending")
        return 0

    async def _start(self, rest: Rest) -> None:
        await self._begin_fleet()
        site_lines = await self._site_lines()
        self._say("brokers: two of the site, two of the centre in the clear")
        wans = [await self._broker(name, "127.0.0.1") for name in self._plain_names()]
        lans = [
            await self._broker(name, f"{network}.{cast.BROKER_HOST}")
            for name, network in cast.NETWORKS.items()
        ]
        self._say("centre")
        noc_port = free_port("127.0.0.1") if mosquitto() else None
        command = cast.centre(
            self._folder,
            self._port,
            wans,
            database=self._plan.database,
            noc_port=noc_port,
            fleet=self._fleet,
        )
        if self._fleet is not None and not await self._fleet.until_signed():
            raise ChildFailedError(f"the signer does not start:\n{self._children['signer'].tail()}")
        centre = await self._child(command)
        if self._fleet is not None:
            await self._start_fleet(self._fleet)
        if await cut_short(rest.until_healthy(), by=centre.ended()):
            raise ChildFailedError(f"the centre does not start:\n{centre.tail()}")
        rest.token = (await asyncio.to_thread(self._token_file.read_text)).strip()
        if noc_port is not None:
            secret = self._folder / "central" / "noc" / f"{cast.NOC_READER}.secret"
            self._say(f"alarms for the NOC: noc/v1/# on port {noc_port}, password in {secret}")
        await both(self._populate(rest, site_lines, wans, lans), self._serve_releases(rest))
        pids = {name: child.pid for name, child in self._children.items()}
        summary = banner.summary(await rest.status(), self._seconds())
        print(
            banner.ready(rest.url, rest.token, self._folder, pids, summary, fleet=self._fleet),
            flush=True,
        )

    async def _populate(
        self, rest: Rest, site_lines: bytes, wans: Sequence[Broker], lans: Sequence[Broker]
    ) -> None:
        """Start the simulated fleet and the real site, and wait until all of it was heard."""
        self._say("labels of the sites")
        await rest.import_sites(cast.lab_line() + site_lines)
        if self._sites:
            self._say(f"simulator of {self._sites:,} sites")
            await self._child(cast.simulator(self._sites, wans, self._plan.faults))
        await self._start_lab(rest, wans, lans)
        nodes = len(cast.NODES) + self._sites * NODES_A_SITE
        within_s = HEARD_S_MIN + self._sites / SITES_A_SECOND
        heard = rest.until_heard(nodes, self._say, within_s=within_s)
        await cut_short(heard, by=self._watch(None))

    async def _begin_fleet(self) -> None:
        """Make the keys of site lab's fleet and start its signer, where there can be brokers."""
        if mosquitto() is None:
            self._say("Mosquitto is not installed: amqtt takes its place, for a small fleet only")
            self._say("without it no node has an identity, so there are no orders and no settings")
            return
        self._say("keys of the fleet of site lab, and its signer")
        self._fleet = await asyncio.to_thread(fleet.made, self._folder)
        await self._child(self._fleet.signer())

    def _plain_names(self) -> tuple[str, ...]:
        """Return the names of the centre's brokers in the clear."""
        return fleet.BROKERS if self._fleet is None else ("sim1", "sim2")

    async def _start_fleet(self, its: Fleet) -> None:
        """Start the fleet's brokers beside the centre, which asks a late one ever more rarely."""
        for command in its.brokers(self._plan.database or cast.database(self._folder)):
            await self._child(command)

    async def _join(self, rest: Rest, its: Fleet) -> None:
        """Let the nodes of the real site in, by a token and over HTTPS, all at once."""
        self._say("identities of the nodes of site lab")
        file = cast.token_file(self._folder)
        token = await rest.site_token(cast.SITE, len(cast.NODES))
        await asyncio.to_thread(write_whole, file, f"{token}\n".encode())
        if not await answers(fleet.HOST, its.ports.enrol):
            raise NotReadyError(f"the centre lets nobody in at {its.url}")
        joins = [
            Child(cast.join(self._folder, node), logs=self._logs, clock=self._clock)
            for node in cast.NODES
        ]
        for child in joins:
            await child.start()
        for child in joins:
            if await child.ended() != 0:
                raise ChildFailedError(f"{child.command.name} failed:\n{child.tail()}")
        await asyncio.to_thread(file.unlink)
        for name, port in its.ports.brokers.items():
            if not await answers(fleet.HOST, port):
                raise NotReadyError(f"broker {name} does not answer: {self._children[name].tail()}")

    async def _serve_releases(self, rest: Rest) -> None:
        """Have the centre serve the releases, where anything is signed."""
        if self._fleet is None:
            return
        if not await rest.has_releases():
            its = self._fleet.releases
            for command in its.publications(rest.url, self._token_file):
                await self._done(command)

    async def _anchor(self, its: Releases, node: str) -> None:
        """Let a node trust the roots of releases, once and before its agent begins."""
        trust = cast.machine(self._folder, node).trust
        if not (trust / "state.json").exists():
            state_dir = cast.state_dir(self._folder, node)
            await self._done(its.anchor(f"{cast.SITE}.{node}", state_dir, trust))

    async def _done(self, command: Command) -> None:
        """Run a command to its end.

        Raises:
            ChildFailedError: it failed.
        """
        child = Child(command, logs=self._logs, clock=self._clock)
        await child.start()
        if await child.ended() != 0:
            raise ChildFailedError(f"{command.name} failed:\n{child.tail()}")

    async def _start_lab(self, rest: Rest, wans: Sequence[Broker], lans: Sequence[Broker]) -> None:
        """Start the real site: guards, then agents, and who cleans up after them."""
        site = await lab.prepared(self._folder)
        self._root = site.root
        self._say("agents of site lab" + (", and guards of its services" if site.root else ""))
        if site.why:
            self._say(f"site lab runs no service: {site.why}")
        after = [str(os.getpid()), str(self._folder), *([str(site.root)] if site.root else [])]
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "roost_central.demo.aftermath", *after,
            stdin=asyncio.subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        for guard in site.guards():
            await self._child(guard)
        agents = [
            cast.agent(self._folder, number, wans, lans, ha_file=site.file(node), fleet=self._fleet)
            for number, node in enumerate(cast.NODES, start=1)
        ]
        if self._fleet is not None:
            for node in cast.NODES:
                await self._child(cast.machine(self._folder, node).made())
            anchors = [self._anchor(self._fleet.releases, node) for node in cast.NODES]
            await both(self._join(rest, self._fleet), *anchors)
        for command in agents:
            await self._child(command)

    async def _watch(self, seconds: float | None) -> None:
        """Start again what ends, for ``seconds`` or for ever."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(child.keep(self._say), name=f"demo.{name}")
                for name, child in self._children.items()
            ]
            if seconds is not None:
                await asyncio.sleep(seconds)
                for task in tasks:
                    task.cancel()

    async def _broker(self, name: str, host: str) -> Broker:
        broker = await start_broker(name, host, folder=self._logs, clock=self._clock)
        self._children[name] = broker.child
        return broker

    async def _child(self, command: Command) -> Child:
        child = Child(command, logs=self._logs, clock=self._clock)
        self._children[command.name] = child
        await child.start()
        return child

    async def _site_lines(self) -> bytes:
        if not self._sites:
            return b""
        file = self._folder / rollouts.SITES_FILE
        command = cast.site_list(self._sites, file, self._plan.faults)
        process = await asyncio.create_subprocess_exec(*command)
        if await process.wait() != 0:
            raise ChildFailedError("the simulator refuses what was asked for; see above")
        return await asyncio.to_thread(file.read_bytes)

    def _check_port(self) -> None:
        try:
            socket.create_server(("127.0.0.1", self._port)).close()
        except OSError as err:
            raise NotReadyError(
                f"port {self._port}: {err.strerror}; --port 0 takes a free one"
            ) from err

    async def _stop(self) -> None:
        """End the children, the last one first."""
        for child in reversed(self._children.values()):
            await child.stop()
        await asyncio.to_thread(aftermath.clean, self._folder, self._root)

    def _seconds(self) -> float:
        return (self._clock.mono_ms() - self._began_ms) / 1000

    def _say(self, text: str) -> None:
        print(f"{self._seconds():6.1f} s  {text}", file=sys.stderr, flush=True)


async def both(*works: Coroutine[Any, Any, object]) -> None:
    """Do all of them at once; the first error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work, name="demo.both")
    except BaseExceptionGroup as errors:
        raise _first(errors) from None


async def cut_short(work: Coroutine[Any, Any, object], *, by: Coroutine[Any, Any, object]) -> bool:
    """Do the work unless ``by`` ends first; True when it did. Errors of either are raised."""
    try:
        async with asyncio.TaskGroup() as group:
            doing = group.create_task(work, name="demo.work")
            ending = group.create_task(by, name="demo.end")
            await asyncio.wait({doing, ending}, return_when=asyncio.FIRST_COMPLETED)
            is_cut = not doing.done()
            doing.cancel()
            ending.cancel()
    except BaseExceptionGroup as errors:
        raise _first(errors) from None
    return is_cut


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    found = errors.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
