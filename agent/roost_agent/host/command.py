"""``roost-agent host processes``: the watched processes of this node, as its agent sees them."""

import json
import sys
from collections.abc import Mapping
from typing import Any, Final

from roost_agent.control.command import asked, parser
from roost_agent.control.message import HostProcesses
from roost_agent.control.table import columns

_HEAD: Final = ("PROCESS", "STATE", "MODE", "SEVERITY", "PID", "RESTARTS", "WHY")


def run(argv: list[str]) -> int:
    """Show the watched processes."""
    arguments = parser("host")
    arguments.add_argument("verb", choices=["processes"])
    arguments.add_argument("--json", action="store_true", help="everything, for a program")
    given = arguments.parse_args(argv)
    result = asked(given, HostProcesses())
    sys.stdout.write(json.dumps(result, indent=2) + "\n" if given.json else table(result))
    return 0


def table(report: Mapping[str, Any]) -> str:
    """Return a report as text for a terminal."""
    lines = columns(_HEAD, (_row(each) for each in report.get("processes", ())))
    degrade = report.get("degrade", {})
    lines += [f"degraded   by {reason}: {worst}" for reason, worst in degrade.items()]
    lines += [f"FAULT      {fault}" for fault in report.get("faults", ())]
    return "\n".join(lines) + "\n"


def _row(each: Mapping[str, Any]) -> list[str]:
    pid = each.get("pid", 0)
    return [
        each["name"],
        each["state"],
        each["mode"],
        each["severity"],
        str(pid) if pid else "-",
        str(each.get("restarts", 0)),
        each.get("reason", ""),
    ]
