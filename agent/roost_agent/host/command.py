"""``roost-agent host``: the node as a host: its state, what may be done with it, its processes.

Whoever may read the state directory may ask and act, which is the agent's own user and root; it
works with the WAN down.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from roost_agent.control.command import asked, parser, seconds_of
from roost_agent.control.message import (
    HOST_MAINTENANCE_S_MAX,
    HostAct,
    HostProcesses,
    HostShow,
)
from roost_agent.control.table import columns
from roost_agent.errors import AgentError
from roost_agent.host.core import LOCKED_TYPE
from roost_agent.ports import SystemClock

ACTS: Final = ("lock", "force-lock", "unlock", "swact", "recover", "reboot")
VERBS: Final = ("show", "processes", *ACTS, "maintenance")
POLL_S: Final = 0.5
WAIT_S: Final = 1_260.0  # the longest act, behind another one
GONE_S: Final = 60.0  # for an agent that is started again in the middle
_HEAD: Final = ("PROCESS", "STATE", "MODE", "SEVERITY", "PID", "RESTARTS", "WHY")
_HOSTS: Final = ("HOST", "STATE", "SINCE", "REASONS", "TASK", "WHY")


def run(argv: list[str]) -> int:
    """Show this host and its site, or act on it."""
    arguments = parser("host")
    arguments.add_argument("verb", choices=VERBS)
    arguments.add_argument(
        "given", nargs="?", metavar="on|off|NODE", help="of a maintenance; of a lock, a silent host"
    )
    arguments.add_argument("--json", action="store_true", help="everything, for a program")
    arguments.add_argument("--reason", default="", help="of an act; it is kept and told")
    arguments.add_argument("--force", action="store_true", help="break what can be broken")
    arguments.add_argument("--confirm", metavar="NODE", help="of force-lock: this node's name")
    arguments.add_argument("--for", dest="seconds", type=_seconds, metavar="TIME", default=7_200)
    arguments.add_argument("--no-wait", action="store_true", help="begin it, and ask later")
    given = arguments.parse_args(argv)
    if given.verb == "processes":
        result = asked(given, HostProcesses())
        sys.stdout.write(json.dumps(result, indent=2) + "\n" if given.json else table(result))
        return 0
    if given.verb == "show":
        result = asked(given, HostShow())
        sys.stdout.write(json.dumps(result, indent=2) + "\n" if given.json else shown(result))
        return 0
    return _act(given, arguments)


def _seconds(text: str) -> int:
    return seconds_of(text, HOST_MAINTENANCE_S_MAX)


def table(report: Mapping[str, Any]) -> str:
    """Return a report as text for a terminal."""
    lines = columns(_HEAD, (_row(each) for each in report.get("processes", ())))
    degrade = report.get("degrade", {})
    lines += [f"degraded   by {reason}: {worst}" for reason, worst in degrade.items()]
    lines += [f"FAULT      {fault}" for fault in report.get("faults", ())]
    return "\n".join(lines) + "\n"


def shown(report: Mapping[str, Any]) -> str:
    """Return the hosts of a site as text for a terminal."""
    lines = columns(_HOSTS, (_host(each) for each in report["hosts"]))
    if report["is_mnfa"]:
        lines.append("several hosts are silent together: the network is to blame, none is failed")
    if report["bar"]:
        lines.append(f"runs no service: {report['bar']}")
    lines += [f"ALARM      {_alarm(*each)}" for each in report["alarms"].items()]
    if report["fault"]:
        lines.append(f"FAULT      not kept: {report['fault']}")
    if act := report["act"]:
        lines.append(f"last act   {act['verb']}: {act['state']} {act.get('sentence', '')}".rstrip())
    return "\n".join(lines) + "\n"


def _alarm(type_: str, params: Mapping[str, Any]) -> str:
    """Return an alarm of this host as the catalogue says it."""
    if type_ == LOCKED_TYPE:
        return f"Locked by {params['by']}: {params['reason']}"
    return f"Automatic recovery stopped after {params['max']} {params['cause']} failures"


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


def _host(each: Mapping[str, Any]) -> list[str]:
    since = datetime.fromtimestamp(each["since_ms"] / 1000, UTC)
    return [
        each["node"],
        each["state"],
        f"{since:%Y-%m-%dT%H:%M:%SZ}" if each["since_ms"] else "-",
        ",".join(each["reasons"]) or "-",
        each["task"] or "-",
        each["cause"],
    ]


def _act(given: argparse.Namespace, arguments: argparse.ArgumentParser) -> int:
    if given.verb == "maintenance" and given.given not in {"on", "off"}:
        arguments.error("host maintenance on --for TIME, or host maintenance off")
    if not given.reason and given.given != "off":
        arguments.error(f"host {given.verb} needs --reason TEXT: who comes after you reads it")
    if given.verb == "force-lock":
        name = given.given or asked(given, HostShow())["node"]
        if given.confirm != name:
            raise AgentError(f"what runs here may stop; if that may be: --confirm {name}")
    is_maintenance = given.verb == "maintenance"
    is_lock = given.verb in {"lock", "force-lock"}
    if given.given and not (is_lock or is_maintenance):
        arguments.error(f"host {given.verb} is of this host alone, and takes no {given.given!r}")
    request = HostAct(
        node=given.given or "" if is_lock else "",
        verb=f"host-{given.verb}",
        by=_by(),
        reason=given.reason,
        force=given.force,
        seconds=given.seconds if is_maintenance and given.given == "on" else 0,
    )
    asked(given, request)
    if given.no_wait:
        sys.stdout.write("begun; roost-agent host show says what came of it\n")
        return 0
    return _wait(given)


def _by() -> str:
    """Return who asks, as far as the system says."""
    return f"{os.environ.get('SUDO_USER') or 'root'} at the node"[:60]


def _wait(given: argparse.Namespace) -> int:
    """Wait for the end of an act; the agent may be started again in the middle."""
    clock = SystemClock()
    began_ms = heard_ms = clock.mono_ms()
    while clock.mono_ms() - began_ms < WAIT_S * 1000:
        time.sleep(POLL_S)
        try:
            act = asked(given, HostShow())["act"]
        except AgentError:
            if clock.mono_ms() - heard_ms > GONE_S * 1000:
                raise
            continue
        heard_ms = clock.mono_ms()
        if act and act["state"] != "running":
            sys.stdout.write(f"{act['sentence']}\n")
            return 0 if act["state"] == "done" else 1
    raise AgentError("it is not over yet; roost-agent host show says what comes of it")
