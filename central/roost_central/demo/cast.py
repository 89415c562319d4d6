"""Who takes part in the demo, with what configuration: centre, agents of the site, simulator."""

import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from roost_central.demo.brokers import Broker
from roost_central.demo.children import Command

SITE = "lab"
NODES = ("n1", "n2", "n3")
NETWORKS = {"lan-a": "127.0.1", "lan-b": "127.0.2"}  # a site path each, all of 127/8 is loopback
BROKER_HOST = 100  # of each of these networks
BEAT_S, SITE_BEAT_S = 5, 2  # livelier than a real WAN, so that a cut shows at once
SIM_BEAT_S = 10
SIM_RAMP_S = 3  # nobody watches an empty page for long; the beats are spread all the same
CHURN_PER_MINUTE = 20
ALARMS_PER_MINUTE = 0.5  # five in ten minutes: one operator, and half of what is a flood
AGENT_AGAIN_S = 30.0  # longer than a node takes to turn unreachable: one who kills wants to see it
SIM_CONNECTIONS = 4
NOC_READER = "noc"
LAB = {"site": SITE, "labels": {"region": "here", "carrier": "loopback"}, "nodes": list(NODES)}


def centre(
    folder: Path,
    port: int,
    brokers: Sequence[Broker],
    *,
    database: str | None = None,
    noc_port: int | None = None,
) -> Command:
    """Write the centre's configuration and return its command; ``noc_port`` is the NOC broker's."""
    lines = [f'data_dir = "{folder / "central"}"', 'admit = "loopback"']
    if database is not None:
        lines.append(f"database = {json.dumps(database)}")  # a TOML string is written the same
    lines += ["[http]", f"port = {port}"]
    for broker in brokers:
        lines += ["[[broker]]", f'name = "{broker.name}"', f'url = "{broker.url}"']
    if noc_port is not None:
        lines += ["[northbound.mqtt]", f"port = {noc_port}", f'readers = ["{NOC_READER}"]']
    path = folder / "central.toml"
    path.write_text("\n".join(lines) + "\n")
    return Command("centre", _program("roost_central", "run", "--config", str(path)))


def agent(
    folder: Path,
    number: int,
    wans: Sequence[Broker],
    lans: Sequence[Broker],
    *,
    ha_file: Path | None = None,
) -> Command:
    """Write the configuration of a node of the site and return its agent's command."""
    node = NODES[number - 1]
    lines = [
        f'site = "{SITE}"',
        f'node = "{node}"',
        f'state_dir = "{state_dir(folder, node)}"',
        f"[beat]\ninterval_s = {BEAT_S}\nsite_interval_s = {SITE_BEAT_S}",
    ]
    lines += [
        f'[[path]]\nname = "{broker.name}"\nkind = "wan"\nbroker = "{broker.url}"'
        for broker in wans
    ]
    for broker in lans:
        bind = f"{NETWORKS[broker.name]}.{number}"
        lines.append(
            f'[[path]]\nname = "{broker.name}"\nkind = "site"\n'
            f'broker = "{broker.url}"\nbind = "{bind}"'
        )
    if ha_file is not None:
        lines.append(f'[ha]\nfile = "{ha_file}"')
    path = folder / f"{node}.toml"
    path.write_text("\n".join(lines) + "\n")
    argv = _program("roost_agent", "run", "--config", str(path))
    return Command(node, argv, again_s=AGENT_AGAIN_S, end=signal.SIGUSR1)  # nobody need take over


def state_dir(folder: Path, node: str) -> Path:
    """Return where a node of the site keeps its state."""
    return folder / f"{SITE}.{node}"


def simulator(sites: int, wans: Sequence[Broker], faults: Sequence[str]) -> Command:
    """Return the command of the simulated fleet and of what is to go wrong in it."""
    argv = ["sim", "--sites", str(sites), "--interval", str(SIM_BEAT_S), "--ramp", str(SIM_RAMP_S)]
    argv += ["--churn", str(CHURN_PER_MINUTE), "--alarms", str(ALARMS_PER_MINUTE)]
    argv += ["--connections", str(SIM_CONNECTIONS)]
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
