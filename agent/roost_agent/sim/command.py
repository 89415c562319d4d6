"""``roost-agent sim``: a fleet that does not exist, against real brokers.

Leaves the work to run.py, imported only when there is something to run: gmqtt comes with
``roost[central]``, and the edge wheel has no simulator at all.
"""

import argparse
import asyncio
import logging
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from roost_agent.errors import AgentError
from roost_agent.sim import report
from roost_agent.sim.fault import SELECTORS, Fault, FaultError, parse_fault
from roost_agent.sim.places import (
    CARRIERS_MAX,
    NODES_MAX,
    REGIONS_MAX,
    SITES_MAX,
    Plan,
    ndjson,
    places,
)
from roost_protocol.limits import PATHS_MAX, SHARDS
from roost_protocol.update import COMPONENT_PATTERN, VERSION_PATTERN

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
INTERVAL_S_MAX: Final = 600.0  # as an agent's
CHURN_MAX: Final = 60_000.0  # a minute: 1,000 changes a second
_EPILOG: Final = f"""\
faults: KIND [NAME=PATTERN]... at=TIME for=TIME, with KIND cut, drop or reboot,
  NAME one of {", ".join(SELECTORS)}
  --fault 'cut carrier=carB region=r0* at=30s for=1m'    nothing gets through, silently
  --fault 'drop broker=wan1 at=10s for=20s'              connections reset and refused
  --fault 'reboot site=edge-0001 node=n2 at=5s for=15s'  off, and back with another boot
"""


def run(argv: list[str]) -> int:
    """Run the command with its arguments and return the exit status."""
    parser = _parser()
    asked = parser.parse_args(argv)
    if not asked.broker and asked.sites_file is None:
        parser.error("name a broker with --broker, or a file with --sites-file")
    if len(asked.broker) > PATHS_MAX:
        parser.error(f"--broker: a node has at most {PATHS_MAX} paths")
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(message)s"
    )
    logging.getLogger("gmqtt").setLevel(logging.ERROR)  # wire.py tells the same, once
    try:
        return _run(asked)
    except (AgentError, OSError) as err:
        sys.stderr.write(f"roost-agent sim: {err}\n")
        return EXIT_FAILED


def _run(asked: argparse.Namespace) -> int:
    plan = Plan(asked.sites, asked.nodes, asked.regions, asked.carriers, asked.seed)
    sites = list(places(plan))
    if asked.sites_file is not None:
        asked.sites_file.write_bytes(ndjson(sites))
    if not asked.broker:
        return 0
    try:
        from roost_agent.sim.run import Orders, simulate  # noqa: PLC0415 - see above
        from roost_agent.sim.update import Software  # noqa: PLC0415 - see above
        from roost_agent.sim.wire import Address  # noqa: PLC0415 - see above
    except ModuleNotFoundError as err:
        sys.stderr.write(f"roost-agent sim: needs {err.name}: install roost[central]\n")
        return EXIT_USAGE
    orders = Orders(
        brokers=tuple(Address.parse(f"wan{n}", url) for n, url in enumerate(asked.broker, start=1)),
        connections=asked.connections,
        interval_ms=round(asked.interval * 1000),
        ramp_ms=round(1000 * (asked.interval if asked.ramp is None else asked.ramp)),
        churn_per_minute=asked.churn,
        alarms_per_minute=asked.alarms,
        faults=tuple(asked.fault),
        seconds=asked.seconds,
        seed=asked.seed,
        tells_hosts=asked.hosts,
        software=Software(tuple(asked.software), frozenset(asked.bad_release)),
    )
    report.write(asyncio.run(simulate(orders, sites)), as_json=asked.json)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="roost-agent sim",
        description="Simulate a fleet against brokers; one WAN path a broker: wan1, wan2, ...",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--broker", action="append", default=[], metavar="URL", help="mqtt://HOST:PORT, repeatable")
    add("--sites", type=_count(1, SITES_MAX), default=100, metavar="N", help="default: 100")
    add("--nodes", type=_count(1, NODES_MAX), default=3, metavar="N", help="a site (default: 3)")
    add("--regions", type=_count(1, REGIONS_MAX), default=12, metavar="N", help="default: 12")
    add("--carriers", type=_count(1, CARRIERS_MAX), default=3, metavar="N", help="default: 3")
    add("--interval", type=_number(0.2, INTERVAL_S_MAX), default=30.0, metavar="S", help="of beats")
    add("--ramp", type=_number(0, INTERVAL_S_MAX), metavar="S", help="all start within it")
    add("--churn", type=_number(0, CHURN_MAX), default=0.0, metavar="N", help="changes a minute")
    add("--alarms", type=_number(0, CHURN_MAX), default=0.0, metavar="N", help="turned a minute")
    add("--hosts", action="store_true", help="nodes say how their hosts stand; a few are not well")
    add("--fault", action="append", default=[], type=_fault, metavar="TEXT", help="see below")
    add(
        "--software",
        action="append",
        default=[],
        type=_release,
        metavar="COMPONENT@VERSION",
        help="that every node runs; it takes updates of it",
    )
    add(
        "--bad-release",
        action="append",
        default=[],
        type=_release,
        metavar="COMPONENT@VERSION",
        help="that raises an alarm soon after it is installed",
    )
    add("--for", dest="seconds", type=_number(0, 1e9), metavar="S", help="end by itself")
    add("--connections", type=_count(1, SHARDS), default=1, metavar="N", help="a broker")
    add("--seed", type=int, default=1, metavar="N", help="the same fleet again (default: 1)")
    add("--sites-file", type=Path, metavar="FILE", help="write what `roost site import` reads")
    add("--json", action="store_true", help="write the summary as JSON")
    return parser


def _release(text: str) -> tuple[str, str]:
    component, _, version = text.rpartition("@")
    if not re.match(COMPONENT_PATTERN, component) or not re.match(VERSION_PATTERN, version):
        raise argparse.ArgumentTypeError(f"{text!r} is no release, such as app/pump@1.2.0")
    return component, version


def _fault(text: str) -> Fault:
    try:
        return parse_fault(text)
    except FaultError as err:
        raise argparse.ArgumentTypeError(str(err)) from err


def _count(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low} to {high}")
        return int(text)

    return read


def _number(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low:g} to {high:g}")
        return value

    return read
