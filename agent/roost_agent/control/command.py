"""``roost-agent status``, ``path`` and ``reprobe``: asks the resident agent, prints the answer."""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any, Final

from roost_agent.config_file import load
from roost_agent.control.client import ask
from roost_agent.control.message import (
    HOLD_S_MAX,
    PathHold,
    PathRelease,
    Reprobe,
    Request,
    Status,
)
from roost_agent.control.table import table
from roost_agent.discovery.command import class_name
from roost_agent.errors import AgentError

CONFIG: Final = "/etc/roost"
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3_600}


def status(argv: list[str]) -> int:
    """Show the running agent."""
    arguments = parser("status", status.__doc__)
    arguments.add_argument("--json", action="store_true", help="everything, for a program")
    given = arguments.parse_args(argv)
    result = asked(given, Status())
    sys.stdout.write(json.dumps(result, indent=2) + "\n" if given.json else table(result))
    return 0


def path(argv: list[str]) -> int:
    """Hold or release a path."""
    arguments = parser("path", path.__doc__)
    arguments.add_argument(
        "verb", choices=["hold", "release"], help="take it out, or bring it back"
    )
    arguments.add_argument("name", help="of the path, as `roost-agent status` shows it")
    arguments.add_argument(
        "--for", dest="seconds", type=seconds_of, metavar="TIME", help="of a hold: 1s to 24h"
    )
    given = arguments.parse_args(argv)
    if given.verb == "release":
        asked(given, PathRelease(given.name))
    elif given.seconds is None:
        arguments.error("path hold needs --for TIME: a hold that is forgotten must end")
    else:
        asked(given, PathHold(given.name, given.seconds))
    return 0


def reprobe(argv: list[str]) -> int:
    """Have the hardware looked at now: all of it, or some classes."""
    arguments = parser("reprobe", reprobe.__doc__)
    arguments.add_argument(
        "classes", nargs="*", metavar="CLASS", type=class_name, help="such as nic"
    )
    given = arguments.parse_args(argv)
    asked(given, Reprobe(given.classes))
    return 0


def parser(name: str, does: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of a command that asks the agent, with the options that find it."""
    made = argparse.ArgumentParser(prog=f"roost-agent {name}", description=does)
    _finds_agent(made, CONFIG, None)
    return made


class VerbParser(argparse.ArgumentParser):
    """Of a verb of such a command: it takes the options that find the agent behind it, too."""

    def __init__(self, **given: Any) -> None:  # noqa: ANN401 - as argparse makes it
        super().__init__(**given)
        _finds_agent(self, argparse.SUPPRESS, argparse.SUPPRESS)


def _finds_agent(made: argparse.ArgumentParser, config: str, state_dir: str | None) -> None:
    made.add_argument(
        "--config", default=config, metavar="PATH", help=f"names the state directory ({CONFIG})"
    )
    made.add_argument(
        "--state-dir", default=state_dir, metavar="DIR", help="instead of a configuration"
    )


def asked(given: argparse.Namespace, request: Request) -> dict[str, Any]:
    """Return the agent's answer to a request.

    Raises:
        AgentError: it did not answer, or refused.
    """
    state_dir = Path(given.state_dir or load(Path(given.config)).state_dir)
    answer = ask(state_dir, request)
    if answer.error:
        raise AgentError(answer.error)
    return answer.result


def seconds_of(text: str, most_s: int = HOLD_S_MAX) -> int:
    """Return a time span given as 90s, 2m or 1h, at most ``most_s``."""
    match = re.fullmatch(r"([0-9]{1,6})([smh]?)", text)
    seconds = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 1 <= seconds <= most_s:
        raise argparse.ArgumentTypeError(f"{text!r}: 1s to {most_s // 3600}h, e.g. 90s, 2m, 1h")
    return seconds
