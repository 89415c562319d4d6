"""Who takes part in the demo, with what configuration: centre, agents of the site, simulator."""

import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from roost_central.demo import rollouts, sensor
from roost_central.demo.brokers import Broker
from roost_central.demo.children import Command
from roost_central.demo.fleet import Fleet
from roost_central.demo.machine import PROFILE, Machine

SITE = "lab"
NODES = ("n1", "n2", "n3")
NETWORKS = {"lan-a": "127.0.1", "lan-b": "127.0.2"}  # a site path each, all of 127/8 is loopback
BROKER_HOST = 100  # of each of these networks
BEAT_S, SITE_BEAT_S = 3, 2  # livelier than a real WAN, so that a cut shows at once
SIM_BEAT_S = 10
SIM_RAMP_S = 3  # nobody watches an empty page for long; the beats are spread all the same
CHURN_PER_MINUTE = 20
ALARMS_PER_MINUTE = 0.5  # five in ten minutes: one operator, and half of what is a flood
AGENT_AGAIN_S = 30.0  # longer than a node takes to turn unreachable: one who kills wants to see it
SIM_CONNECTIONS = 4
NOC_READER = "noc"
NEWCOMER = "n4"  # whom the user lets in
LAB = {"site": SITE, "labels": {"region": "here", "carrier": "loopback"}, "nodes": list(NODES)}


def centre(  # noqa: PLR0913 - who it speaks to
    folder: Path,
    port: int,
    brokers: Sequence[Broker],
    *,
    database: str | None = None,
    noc_port: int | None = None,
    fleet: Fleet | None = None,
) -> Command:
    """Write the centre's configuration and return its command; ``noc_port`` is the NOC broker's."""
    lines = [f'data_dir = "{folder / "central"}"', 'admit = "loopback"']
    if database is not None:
        lines.append(f"database = {json.dumps(database)}")  # a TOML string is written the same
    lines += ["[http]", f"port = {port}"]
    lines += [] if fleet is None else fleet.centre()
    for broker in brokers:
        lines += ["[[broker]]", f'name = "{broker.name}"', f'url = "{broker.url}"']
    if noc_port is not None:
        lines += ["[northbound.mqtt]", f"port = {noc_port}", f'readers = ["{NOC_READER}"]']
    path = folder / "central.toml"
    path.write_text("\n".join(lines) + "\n")
    return Command("centre", _program("roost_central", "run", "--config", str(path)))


def database(folder: Path) -> str:
    """Return where the centre keeps its state unless it is told to use another database."""
    return f"sqlite+aiosqlite:///{folder / 'central' / 'roost.db'}"


def agent(  # noqa: PLR0913 - who it speaks to
    folder: Path,
    number: int,
    wans: Sequence[Broker],
    lans: Sequence[Broker],
    *,
    ha_file: Path | None = None,
    fleet: Fleet | None = None,
) -> Command:
    """Write the configuration of a node of the site and return its agent's command.

    Of a fleet, it gets its name and its WAN paths with its identity; without one it has none.
    """
    node = NODES[number - 1]
    lines = [] if fleet is not None else [f'site = "{SITE}"', f'node = "{node}"']
    lines += [
        f'state_dir = "{state_dir(folder, node)}"',
        f"[beat]\ninterval_s = {BEAT_S}\nsite_interval_s = {SITE_BEAT_S}",
    ]
    if fleet is not None:
        lines += [_join(folder, fleet, node), *machine(folder, node).settings()]
    lines += [
        f'[[path]]\nname = "{broker.name}"\nkind = "wan"\nbroker = "{broker.url}"'
        for broker in (wans if fleet is None else ())
    ]
    for broker in lans:
        bind = f"{NETWORKS[broker.name]}.{number}"
        lines.append(
            f'[[path]]\nname = "{broker.name}"\nkind = "site"\n'
            f'broker = "{broker.url}"\nbind = "{bind}"'
        )
    watched = _processes(folder, node, lans[:1], has_sensor=fleet is not None)
    starts = "" if fleet is None else machine(folder, node).processes()
    lines.append(f'[processes]\n{starts}folders = ["{watched}"]')
    if ha_file is not None:
        lines.append(f'[ha]\nfile = "{ha_file}"')
    path = agent_file(folder, node)
    path.write_text("\n".join(lines) + "\n")
    argv = _program("roost_agent", "run", "--config", str(path))
    return Command(node, argv, again_s=AGENT_AGAIN_S, end=signal.SIGUSR1)  # nobody need take over


def agent_file(folder: Path, node: str) -> Path:
    """Return the configuration of a node of the site."""
    return folder / f"{node}.toml"


def join(folder: Path, node: str) -> Command:
    """Return the command by which a node gets its identity, as its unit has it before a start."""
    words = ("join", "--unattended", "--config", str(agent_file(folder, node)))
    return Command(f"join-{node}", _program("roost_agent", *words))


def machine(folder: Path, node: str) -> Machine:
    """Return what stands for a node's machine."""
    return Machine(state_dir(folder, node), node)


def token_file(folder: Path) -> Path:
    """Return the file of the token that lets the site's nodes in."""
    return folder / f"{SITE}.token"


def newcomer(folder: Path) -> Path:
    """Write the configuration of one more node, for the user to let in, and return the file."""
    file = agent_file(folder, NEWCOMER)
    file.write_text(f'state_dir = "{state_dir(folder, NEWCOMER)}"\n[beat]\ninterval_s = {BEAT_S}\n')
    return file


def profile(folder: Path) -> Path:
    """Write an example of what the site's nodes should be, and return the file."""
    file = folder / f"{SITE}-profile.toml"
    file.write_text(PROFILE.format(site=SITE))
    return file


def _join(folder: Path, fleet: Fleet, node: str) -> str:
    """Return where a node is let in; it looks nowhere else, as on media of this machine."""
    return (
        f'[join]\nurl = "{fleet.url}"\ntoken_file = "{token_file(folder)}"\nname = "{node}"\n'
        "dns = false\nclaim_dirs = []"
    )


def _processes(folder: Path, node: str, brokers: Sequence[Broker], *, has_sensor: bool) -> Path:
    """Write which processes a node watches, the first node some brokers, and return the folder."""
    files = folder / f"{node}.processes"
    files.mkdir(exist_ok=True)
    for broker in brokers if node == NODES[0] else ():
        (files / f"{broker.name}.toml").write_text(
            f'[process.{broker.name}]\npidfile = "{broker.child.pid_file}"\nseverity = "major"\n'
        )
    if has_sensor:
        (files / "sensor.toml").write_text(sensor.watched(machine(folder, node).root))
    return files


def state_dir(folder: Path, node: str) -> Path:
    """Return where a node of the site keeps its state."""
    return folder / f"{SITE}.{node}"


def simulator(sites: int, wans: Sequence[Broker], faults: Sequence[str]) -> Command:
    """Return the command of the simulated fleet and of what is to go wrong in it."""
    argv = ["sim", "--sites", str(sites), "--interval", str(SIM_BEAT_S), "--ramp", str(SIM_RAMP_S)]
    argv += ["--churn", str(CHURN_PER_MINUTE), "--alarms", str(ALARMS_PER_MINUTE)]
    argv += ["--connections", str(SIM_CONNECTIONS), "--hosts", *rollouts.simulated()]
    for broker in wans:
        argv += ["--broker", broker.url]
    return Command("simulator", _program("roost_agent", *argv, *_fault_options(faults)))


def site_list(sites: int, file: Path, faults: Sequence[str]) -> tuple[str, ...]:
    """Return the command that writes the simulated sites with their labels.

    It is given the faults as well, so that one that cannot be read is told before anything runs.
    """
    argv = ["sim", "--sites", str(sites), "--sites-file", str(file), *_fault_options(faults)]
    return _program("roost_agent", *argv)


def lab_line() -> bytes:
    """Return the real site as a line of an import."""
    return json.dumps(LAB).encode() + b"\n"


def _fault_options(faults: Sequence[str]) -> list[str]:
    return [word for fault in faults for word in ("--fault", fault)]


def _program(module: str, *args: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *args)
