"""``roost-agent config``: the settings of this node for a person, and for the agent itself.

``status`` and ``diff`` look for themselves, so they work without a running agent and without the
centre. ``look`` is what the agent runs as a child.
"""

import argparse
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from roost_agent.config_apply import told as tolds
from roost_agent.config_apply.look import look
from roost_agent.config_apply.looked import Looked
from roost_agent.config_apply.machine import Machine
from roost_agent.config_apply.told import Told
from roost_agent.config_apply.words import latest
from roost_agent.control.table import columns
from roost_agent.errors import AgentError
from roost_protocol.config_report import SectionState
from roost_protocol.profile.field import dotted

SAME: Final = 0
DIFFERS: Final = 4  # of diff: something is not what it should be
_SAID: Final = frozenset({SectionState.FAILED, SectionState.REFUSED, SectionState.WAITING})
_SECTIONS: Final = ("SECTION", "STATE", "WHY")
_DIFF: Final = ("SETTING", "WANTED", "FOUND")


def run(argv: list[str]) -> int:
    """Run one command line and return its exit status."""
    asked = _parser().parse_args(argv)
    try:
        told = tolds.read(Path(asked.told)) or Told()
    except (OSError, ValueError) as err:
        text = f"{asked.told}/{tolds.NAME}: {getattr(err, 'strerror', None) or err}"
        raise AgentError(f"{text}; root and the group roost may read it") from err
    told, looked = latest(told), look(told, Machine(asked.root))
    if asked.do == "look":
        sys.stdout.buffer.write(msgspec.json.encode(looked))
        return SAME
    if asked.do == "diff":
        return _diff(looked, as_json=asked.output == "json")
    _status(told, looked, as_json=asked.output == "json")
    return SAME


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="roost-agent config", description="The settings that the profiles give this node."
    )
    verbs = parser.add_subparsers(dest="do", required=True)
    for name, text in (
        ("status", "what is applied, and how each section is"),
        ("diff", "which settings are not what they should be; exit status 4 where there are any"),
        ("look", "the same for the agent, as JSON"),
    ):
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("-o", "--output", choices=["table", "json"], default="table")
        verb.add_argument("--told", default=tolds.FOLDER, help=f"what root told ({tolds.FOLDER})")
        verb.add_argument("--root", default="/", help="look below this folder")
    return parser


def _diff(looked: Looked, *, as_json: bool) -> int:
    rows = [each for found in looked.drift.values() for each in found]
    if as_json:
        names = ("setting", "wanted", "found")
        _print_json({"drift": [{name: getattr(row, name) for name in names} for row in rows]})
    elif rows:
        _print(columns(_DIFF, ([row.setting, row.wanted, row.found or "-"] for row in rows)))
    elif looked.digest:
        _print(["all settings are as they were applied"])
    else:
        _print(["nothing is applied: this node has no settings yet"])
    return DIFFERS if rows else SAME


def _status(told: Told, looked: Looked, *, as_json: bool) -> None:
    if as_json:
        table: dict[str, Any] = msgspec.to_builtins(told)
        table["pending"] = looked.pending
        _print_json({**table, "drift": msgspec.to_builtins(looked.drift), "unread": looked.unread})
        return
    if not told.applied_digest:
        _print(["applied   nothing yet"])
    else:
        _print([f"applied   generation {told.applied_desired}, {told.applied_digest[:16]}"])
    if told.state is not None and told.digest != told.applied_digest:
        _print([f"{told.state:<9} generation {told.desired}: {told.code}: {told.text}"])
    elif told.state is None and told.digest:
        _print([f"under way generation {told.desired}, {told.digest[:16]}"])
    if looked.pending:
        _print([f"reboot    waits for one: {', '.join(looked.pending)}"])
    rows = list(_rows(told, looked))
    if rows:
        _print(["", *columns(_SECTIONS, rows)])


def _rows(told: Told, looked: Looked) -> list[list[str]]:
    names = dict.fromkeys([*told.applied, *told.sections])
    return [[name, *_of_section(name, told, looked)] for name in names]


def _of_section(name: str, told: Told, looked: Looked) -> tuple[str, str]:
    report = told.sections.get(name)
    if report is not None and report.state in _SAID:
        return str(report.state), report.reason
    if name in looked.unread:
        return "unread", looked.unread[name]
    if name in looked.drift:
        return str(SectionState.DRIFTED), ", ".join(each.setting for each in looked.drift[name])
    waits = [each for each in looked.pending if each.startswith(f"{dotted((name,))}.")]
    if waits:
        return str(SectionState.PENDING_REBOOT), ", ".join(waits)
    return (str(SectionState.APPLIED), "") if name in told.applied else ("-", "")


def _print(lines: list[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _print_json(table: dict[str, Any]) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(table), indent=2).decode() + "\n")
