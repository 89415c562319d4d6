"""``roost-agent join``: one line on a new box, and it is a node."""

import argparse
import sys
import time
from pathlib import Path
from typing import Final

from roost_agent.discovery.reader import Reader
from roost_agent.enrol.box import hardware
from roost_agent.enrol.join import Order, Person, World, join
from roost_agent.enrolled import STATE_DIR
from roost_agent.errors import AgentError
from roost_agent.ports import SystemClock, SystemEntropy
from roost_protocol.errors import ProtocolError
from roost_protocol.join_token import JoinToken, from_text, parse_token

WAIT_H: Final = 168.0  # a week: as long as the centre keeps who waits
TOKEN_CHARS_MAX: Final = 512

EPILOG: Final = """\
The line comes from the centre: roost enrol token create --site SITE. It keeps the token off the
command line, where others on this box could read it:
  echo 'rst1...' | roost-agent join https://CENTRE:8471 --token -
Without a token a human compares six words here and at the centre.
"""


def run(argv: list[str]) -> int:
    """Join a fleet; return the exit status."""
    given = _parser().parse_args(argv)
    token = _token(given.token)
    pinned = token.pin if token else _pin(given.pin)
    if pinned is None and not (given.yes or sys.stdin.isatty()):
        raise AgentError("nobody is here to compare six words: pass --token -, or --pin, or --yes")
    order = Order(
        url=given.url,
        state_dir=Path(given.state_dir),
        token=token,
        pin=pinned,
        name=given.name,
        wait_s=given.wait_h * 3600,
        new_key=given.new_key,
    )
    reader = Reader()
    try:
        box = hardware(reader)
    finally:
        reader.close()
    person = Person(_tell, lambda words: _confirm(words, is_agreed=given.yes))
    try:
        facts = join(order, box, World(SystemClock(), SystemEntropy(), time.sleep, person))
    except OSError as err:
        raise AgentError(
            f"{err.filename or order.state_dir}: {err.strerror}; join as root"
        ) from err
    who = f"{facts.site}.{facts.node}, generation {facts.generation}"
    sys.stdout.write(f"joined {facts.fleet_domain} as {who}\n")
    sys.stdout.write("start the agent: systemctl enable --now roost-agent\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="roost-agent join",
        description="Ask the centre for an identity.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("url", metavar="URL", help="https://CENTRE:8471")
    add("--token", metavar="TOKEN", default="", help="rst1...; - reads it from standard input")
    add("--pin", default="", help="of the fleet's root (roost ca show), where there is no token")
    add("--name", default="", help="the node name that it would like, if that slot is empty")
    add("--state-dir", default=STATE_DIR, metavar="DIR", help=f"default: {STATE_DIR}")
    add("--wait-h", type=float, default=WAIT_H, metavar="HOURS", help="for people: a week")
    add("--new-key", action="store_true", help="give up what this box has and ask anew")
    add("--yes", action="store_true", help="trust whoever answers: nobody compares the words")
    return parser


def _token(text: str) -> JoinToken | None:
    if not text:
        return None
    if text == "-":
        text = sys.stdin.readline(TOKEN_CHARS_MAX)
    try:
        return parse_token(text)
    except ProtocolError as err:
        raise AgentError(f"--token: {err}") from err


def _pin(text: str) -> bytes | None:
    try:
        return from_text(text) if text else None
    except ProtocolError as err:
        raise AgentError(f"--pin: {err}") from err


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _confirm(words: str, *, is_agreed: bool) -> bool:
    _tell(f"\n    {words}\n")
    if is_agreed:
        return True
    sys.stderr.write("Does the centre show the same six words for this box? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
