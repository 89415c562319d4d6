"""``roost-agent ha drill``: begins a drill on this node, waits for its end, says what happened."""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from roost_agent.control.command import asked, parser, seconds_of
from roost_agent.control.message import DRILL_S, HaDrill, HaDrillResult
from roost_agent.errors import AgentError

POLL_S: Final = 0.5
SECONDS: Final = 30


def drill(argv: list[str]) -> int:
    """Cut paths of this node or stop its broker for a while."""
    arguments = _parser()
    given = arguments.parse_args(argv)
    low, high = DRILL_S
    if not low <= given.seconds <= high:
        arguments.error(f"--for: {low}s to {high}s")
    if not given.cut and not given.stop:
        arguments.error("say --cut PATH (or a network), or --stop broker")
    begun = asked(given, HaDrill(given.seconds, given.cut, given.stop == "broker"))
    is_json = given.output == "json"
    if not is_json:
        sys.stdout.write(f"{begun['sentence']} ...\n")
        sys.stdout.flush()
    result = _over(given)
    sys.stdout.write(json.dumps(result, indent=2) + "\n" if is_json else "".join(_lines(result)))
    return 0


def _parser() -> argparse.ArgumentParser:
    made = parser("ha drill")
    made.add_argument("--cut", action="append", default=[], metavar="PATH", help="or a network")
    made.add_argument("--stop", choices=["broker"], help="the site broker of this node")
    made.add_argument(
        "--for", dest="seconds", type=seconds_of, default=SECONDS, metavar="TIME",
        help=f"default: {SECONDS}s",
    )  # fmt: skip
    made.add_argument("-o", "--output", choices=["table", "json"], default="table")
    return made


def _over(given: argparse.Namespace) -> dict[str, Any]:
    """Wait for the end; the agent's word on it, however often it is asked."""
    while True:
        result = asked(given, HaDrillResult())
        if result["over"]:
            return result
        try:
            time.sleep(POLL_S)
        except KeyboardInterrupt:
            left = f"{result['left_s']:.0f} s"
            raise AgentError(
                f"the drill goes on for {left}; roost-agent ha explain tells its end"
            ) from None


def _lines(result: Mapping[str, Any]) -> Iterator[str]:
    yield f"{result['sentence']}\n"
    for change in result["role_changes"]:
        yield (
            f"role       {change['group']}: {change['role']} (epoch {change['epoch']}) "
            f"after {change['after_ms'] / 1_000:.1f} s\n"
        )
    for peer, gap_ms in result["gaps_ms"].items():
        yield f"peer       {peer}: silent for {gap_ms / 1_000:.2f} s at the longest\n"
    for text in result["alarms"]:
        yield f"alarm      {text}\n"
