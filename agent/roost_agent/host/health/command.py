"""``roost-agent health``: what the health scripts of this node said last, or say now."""

import json
import sys
import time
from collections.abc import Mapping
from typing import Any, Final

from roost_agent.control.command import asked, parser
from roost_agent.control.message import HostHealth
from roost_agent.control.table import columns, duration
from roost_agent.errors import AgentError

WAIT_S: Final = 310.0  # a round is at most 300 s
STEP_S: Final = 0.5
UNWELL: Final = 1
_HEAD: Final = ("CHECK", "STATE", "TOOK", "SAID")


def run(argv: list[str]) -> int:
    """Show the health scripts; the exit status is 1 where one has failed."""
    arguments = parser("health")
    arguments.add_argument("--run", action="store_true", help="run them now, and wait")
    arguments.add_argument("--json", action="store_true", help="everything, for a program")
    given = arguments.parse_args(argv)
    result = asked(given, HostHealth(given.run))
    steps = round(WAIT_S / STEP_S)
    while given.run and result["running"]:
        if not (steps := steps - 1):
            raise AgentError(f"the scripts still run after {WAIT_S:g} s; look again later")
        time.sleep(STEP_S)
        result = asked(given, HostHealth())
    sys.stdout.write(json.dumps(result, indent=2) + "\n" if given.json else table(result))
    return UNWELL if any(each["state"] == "failed" for each in result["checks"]) else 0


def table(report: Mapping[str, Any]) -> str:
    """Return a report as text for a terminal."""
    if report["age_s"] is None:
        begun = f"a round runs: {report['running']}" if report["running"] else "none has run yet"
        return f"health: {begun}\n"
    head = f"{report['stage']}, {duration(report['age_s'])} ago"
    if not report["checks"]:
        return f"health: no scripts ({head})\n"
    lines = columns(_HEAD, (_row(each) for each in report["checks"]))
    return "\n".join([head, *lines]) + "\n"


def _row(each: Mapping[str, Any]) -> list[str]:
    said = each["output"]
    return [each["check"], each["state"], f"{each['spent_ms'] / 1000:.1f} s", said or "-"]
