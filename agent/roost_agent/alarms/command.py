"""``roost-agent alarm``: raises, clears and lists alarms of the node over its local socket."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from roost_agent.alarms.local_client import AlarmClient
from roost_agent.alarms.local_message import LOG_TYPE, SEVERITIES
from roost_agent.config_file import load
from roost_agent.control.table import columns
from roost_agent.errors import AgentError, ConfigError

CONFIG: Final = "/etc/roost"
WAIT_S: Final = 2.0  # a person can wait longer than an application
PARTS_MAX: Final = 1_000  # of a list: no more alarms than that can stand
EXIT_UNREACHABLE: Final = 1
EXIT_REFUSED: Final = 3
_HEAD: Final = ("SEVERITY", "TYPE", "ENTITY", "COUNT", "TEXT")


def run(argv: list[str]) -> int:
    """Run one verb and return its exit status."""
    given = _parser().parse_args(argv)
    client = AlarmClient(_socket(given))
    try:
        if given.verb == "list":
            return _list(client, as_json=given.output == "json")
        return _done(client.request(_request(given), WAIT_S), client)
    finally:
        client.close()


def _request(given: argparse.Namespace) -> dict[str, Any]:
    match given.verb:
        case "raise":
            request = {"do": "raise", "type": given.type, "entity": given.entity}
            request |= {"severity": given.severity, "text": given.text}
            request["params"] = dict(given.param)
            return request if given.ttl is None else request | {"ttl_s": given.ttl}
        case "clear":
            return {"do": "clear", "type": given.type, "entity": given.entity}
        case "clear-all":
            return {"do": "clear_all", "prefix": given.prefix}
        case "log":
            request = {"do": "log", "text": given.text, "severity": given.severity}
            return request | {"entity": given.entity, "type": given.type}
        case _:
            return {"do": "list"}


def _done(answer: dict[str, Any] | None, client: AlarmClient) -> int:
    if answer is None:
        return _unreachable(client)
    if not answer.get("ok"):
        sys.stderr.write(f"roost-agent: {answer.get('detail') or answer.get('error')}\n")
        return EXIT_REFUSED
    if (result := answer.get("result")) is not None:
        sys.stdout.write(json.dumps(result) + "\n")
    return 0


def _list(client: AlarmClient, *, as_json: bool) -> int:
    alarms: list[dict[str, Any]] = []
    after: str | None = ""
    for _ in range(PARTS_MAX):
        answer = client.request({"do": "list", "after": after}, WAIT_S)
        if answer is None or not answer.get("ok"):
            return _done(answer, client)
        alarms += answer["result"]["alarms"]
        after = answer["result"]["next"]
        if after is None:
            break
    if as_json:
        sys.stdout.write(json.dumps(alarms, indent=2) + "\n")
        return 0
    rows = [[str(each[name.lower()]) for name in _HEAD] for each in alarms]
    sys.stdout.write("\n".join(columns(_HEAD, rows)) + "\n" if rows else "no alarm stands\n")
    return 0


def _unreachable(client: AlarmClient) -> int:
    sys.stderr.write(
        f"roost-agent: no agent answers on {client.path}: {client.refusal}\n"
        "  Does roost-agent run, is this user in the group roost-alarm? --socket names another.\n"
    )
    return EXIT_UNREACHABLE


def _socket(given: argparse.Namespace) -> str:
    if given.socket:
        return str(given.socket)
    try:
        path = load(Path(given.config)).alarms.socket
    except ConfigError:
        if given.config != CONFIG:
            raise
        return AlarmClient().path  # no right to read it, or none there: the usual place
    if not path:
        raise AgentError("alarms.socket is empty in the configuration: no local socket")
    return path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="roost-agent alarm", epilog="exit: 0 done, 1 agent not reachable, 2 usage, 3 refused"
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    raising = verbs.add_parser("raise", help="say that a condition is there")
    raising.add_argument("type", help="of source app, such as 750.801")
    raising.add_argument("--entity", required=True, help="such as app=pump,unit=2")
    raising.add_argument("--severity", required=True, choices=SEVERITIES)
    raising.add_argument("--text", default="")
    raising.add_argument("--param", action="append", default=[], type=_param, metavar="NAME=VALUE")
    raising.add_argument("--ttl", type=float, metavar="S", help="clears unless raised again within")
    clearing = verbs.add_parser("clear", help="say that a condition is over")
    clearing.add_argument("type")
    clearing.add_argument("--entity", required=True)
    all_of_it = verbs.add_parser("clear-all", help="say that all within an entity is over")
    all_of_it.add_argument("prefix", help="such as app=pump")
    listing = verbs.add_parser("list", help="show what stands on this node")
    listing.add_argument("-o", "--output", choices=["table", "json"], default="table")
    logging = verbs.add_parser("log", help="tell an event, which has no state")
    logging.add_argument("text")
    logging.add_argument("--entity", default="app=cli", help="default: app=cli")
    logging.add_argument("--severity", choices=SEVERITIES, default="warning")
    logging.add_argument("--type", default=LOG_TYPE)
    for each in (raising, clearing, all_of_it, listing, logging):
        each.add_argument("--config", default=CONFIG, help="where it names the socket")
        each.add_argument("--socket", help="instead of a configuration")
    return parser


def _param(text: str) -> tuple[str, str | int | float]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value
