"""``roost-agent samples``: the last day of this node, read from its files; no agent need run."""

import csv
import json
import math
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from roost_agent.config_file import load
from roost_agent.control.command import parser
from roost_agent.control.table import columns
from roost_agent.errors import AgentError
from roost_agent.host.samples import rollup
from roost_agent.host.samples.ring import BOARDS_FOLDER, FOLDER, Ring
from roost_agent.ports import SystemClock
from roost_protocol.errors import ProtocolError
from roost_protocol.samples import KINDS, Samples, Series, unpacked
from roost_protocol.topics import check_name

HOURS_MAX: Final = 24
_HEAD: Final = ("SERIES", "UNIT", "LOWEST", "MEAN", "HIGHEST", "LAST")


def run(argv: list[str]) -> int:
    """Show what was measured."""
    arguments = parser("samples")
    arguments.add_argument("series", nargs="*", help="such as cpu, memory, 'space|fs=/var'")
    arguments.add_argument("--hours", type=float, default=24.0, help="back from now, at most 24")
    arguments.add_argument("--step", type=int, default=60, metavar="MINUTES", help="1 to 60")
    arguments.add_argument("--board", metavar="NODE", help="the sensors of its board controller")
    form = arguments.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="every step, for a program")
    form.add_argument("--csv", action="store_true", help="every step, for a spreadsheet")
    given = arguments.parse_args(argv)
    if not 0 < given.hours <= HOURS_MAX or not 1 <= given.step <= 60:  # noqa: PLR2004 - as the help
        arguments.error(f"--hours: more than 0, at most {HOURS_MAX}; --step: 1 to 60 minutes")
    state_dir = Path(given.state_dir or load(Path(given.config)).state_dir)
    now_ms = SystemClock().wall_ms()
    wanted = rollup.window(now_ms - round(given.hours * 3_600_000), now_ms, given.step * 60)
    folder = state_dir / FOLDER
    if given.board is not None:
        try:
            folder = state_dir / BOARDS_FOLDER / check_name(given.board, field="--board")
        except ProtocolError as err:
            arguments.error(str(err))
    found = rollup.samples(Ring(folder).parts(), wanted, frozenset(given.series))
    if not found.series:
        what = ", ".join(given.series) or "nothing"
        raise AgentError(f"{folder} has no minutes of that time: {what}{_elsewhere(folder)}")
    if given.json:
        sys.stdout.write(json.dumps(_plain(found), indent=2) + "\n")
    elif given.csv:
        _write_csv(found)
    else:
        sys.stdout.write("\n".join(columns(_HEAD, map(_row, found.series))) + "\n")
    if found.left_out:
        sys.stderr.write(f"{found.left_out} series more: name some, or fewer steps\n")
    return 0


def _elsewhere(folder: Path) -> str:
    """Return what to do next where a controller's readings are not here; else nothing."""
    if folder.parent.name != BOARDS_FOLDER:
        return ""
    with suppress(OSError):
        if here := sorted(each.name for each in folder.parent.iterdir()):
            return f"; here are those of {', '.join(here)}"
    return "; the node that reads it has them: roost bmc show NODE names it"


def _plain(found: Samples) -> dict[str, Any]:
    return {
        "since": _time(found, 0),
        "step_s": found.step_s,
        "series": [
            {
                "series": each.name,
                "unit": KINDS[each.kind],
                "low": [_value(value) for value in unpacked(each.low)],
                "mean": [_value(value) for value in unpacked(each.mean)],
                "high": [_value(value) for value in unpacked(each.high)],
            }
            for each in found.series
        ],
    }


def _write_csv(found: Samples) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("at", "series", "unit", "low", "mean", "high"))
    for each in found.series:
        values = zip(unpacked(each.low), unpacked(each.mean), unpacked(each.high), strict=True)
        for step, (low, mean, high) in enumerate(values):
            if not math.isnan(mean):
                row = (_value(low), _value(mean), _value(high))
                out.writerow((_time(found, step), each.name, KINDS[each.kind], *row))


def _row(each: Series) -> list[str]:
    low, mean, high = (
        [value for value in unpacked(values) if not math.isnan(value)]
        for values in (each.low, each.mean, each.high)
    )
    shown = (min(low), sum(mean) / len(mean), max(high), mean[-1])
    return [each.name, KINDS[each.kind], *(f"{value:.4g}" for value in shown)]


def _value(value: float) -> float | None:
    return None if math.isnan(value) else float(f"{value:.4g}")


def _time(found: Samples, step: int) -> str:
    at_s = found.since_ms // 1000 + step * found.step_s
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
