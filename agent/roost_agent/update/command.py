"""``roost-agent update``: the updates of this node for a person on it."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from roost_agent.config_file import load
from roost_agent.control.command import VerbParser, asked, parser
from roost_agent.control.message import UpdateHold, UpdateRelease, UpdateStatus
from roost_agent.control.table import columns
from roost_agent.errors import AgentError, StorageError
from roost_agent.ports import SystemClock
from roost_agent.update.journal import Journal
from roost_agent.update.kept import Line
from roost_agent.update.step import TABLE, Step
from roost_protocol.remedy import remedy
from roost_protocol.update import FailureType

FOLDER: Final = "updates"
REASON_MAX: Final = 200  # as the agent bounds it (control/message.py)
_LINES: Final = ("TIME", "JOB", "STEP", "AFTER", "WHY")
_COMPONENTS: Final = ("COMPONENT", "RUNNING", "TRIAL", "BEFORE")


def run(argv: list[str]) -> int:
    """Run one command line and return its exit status."""
    made = parser("update")
    made.description = "Software updates of this node."
    verbs = made.add_subparsers(dest="do", required=True, parser_class=VerbParser)
    for name, text in (
        ("status", "what runs, and what is under way"),
        ("history", "what was done, the newest last; without the agent, too"),
    ):
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("--json", action="store_true", help="everything, for a program")
    hold = verbs.add_parser("hold", help="let nothing go in until then, 7 days at most")
    hold.add_argument("--until", required=True, type=_moment, metavar="YYYY-MM-DDTHH:MM[Z]")
    hold.add_argument("--reason", required=True, type=_reason, help="at most 200 characters")
    verbs.add_parser("release", help="end a hold")
    given = made.parse_args(argv)
    if given.do == "history":
        return _history(given)
    if given.do == "hold":
        if given.until <= SystemClock().wall_ms():
            raise AgentError("--until: it is past already")
        sys.stdout.write(_held(asked(given, UpdateHold(given.until, given.reason))) + "\n")
    elif given.do == "release":
        sys.stdout.write(_held(asked(given, UpdateRelease())) + "\n")
    else:
        found = asked(given, UpdateStatus())
        sys.stdout.write(json.dumps(found, indent=2) + "\n" if given.json else table(found))
    return 0


def table(found: Mapping[str, Any]) -> str:
    """Return the state as text for a terminal."""
    rows = [
        [name, *(_release(each.get(what)) for what in ("running", "trial", "previous"))]
        for name, each in found["components"].items()
    ]
    lines = columns(_COMPONENTS, rows) if rows else ["no release is installed here"]
    if (job := found["job"]) is not None:
        lines.append(f"job        {job['job']}.{job['attempt']}: {job['release']}, {job['state']}")
        lines.append(f"step       {job['step']} for {job['for_s']} s  {job['why']}".rstrip())
        if job.get("failure"):
            lines.append(f"what to do {remedy(FailureType(job['failure']), job['why'])}")
    if found["hold"] is not None:
        lines.append(_held(found))
    lines += [f"fault      {each}" for each in found["faults"]]
    return "\n".join(lines) + "\n"


def _held(found: Mapping[str, Any]) -> str:
    """Return what counts: a hold ends earlier than was said, a file may hold longer."""
    hold = found["hold"]
    if hold is None:
        return "nothing holds"
    return f"held       until {_time(hold['until_ms'])}: {hold['why']}"


def _history(given: argparse.Namespace) -> int:
    state_dir = Path(given.state_dir or load(Path(given.config)).state_dir)
    journal = Journal(state_dir / FOLDER)
    try:
        journal.open_to_read()
        lines = journal.lines()
    except StorageError as err:
        raise AgentError(f"{err}: no job was here yet, or you may not read it") from err
    finally:
        journal.close()
    if given.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(lines), indent=2).decode() + "\n")
        return 0
    rows = [
        [_time(each.at_ms), f"{each.job[:8]}.{each.attempt}", each.step, each.ended, each.why]
        for each in lines
    ]
    sys.stdout.write("\n".join([*columns(_LINES, rows), *_remedies(lines)]) + "\n")
    return 0


def _remedies(lines: Sequence[Line]) -> list[str]:
    """Return what to do where the newest job failed: by the first step of it that did."""
    job = [each for each in lines if (each.job, each.attempt) == _newest(lines)]
    failed = next((each for each in job if each.why and each.ended in TABLE), None)
    if failed is None:
        return []
    failure = TABLE[Step(failed.ended)].failure
    return [f"what to do: {remedy(failure, f'{failed.ended}: {failed.why}')}"]


def _newest(lines: Sequence[Line]) -> tuple[str, int] | None:
    return (lines[-1].job, lines[-1].attempt) if lines else None


def _release(found: Mapping[str, str] | None) -> str:
    return "-" if found is None else found["version"]


def _reason(text: str) -> str:
    if not 0 < len(text) <= REASON_MAX:
        raise argparse.ArgumentTypeError(f"say why, in 1 to {REASON_MAX} characters")
    return text


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as err:
        raise argparse.ArgumentTypeError(f"{text!r}: e.g. 2027-01-31T06:00Z") from err
    return round(moment.astimezone(UTC).timestamp() * 1_000)


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
