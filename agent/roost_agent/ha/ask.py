"""``roost-agent ha status``, ``explain`` and orders: asks the resident agent."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from roost_agent.control.command import asked, parser, seconds_of
from roost_agent.control.message import (
    EXPLAIN_MAX,
    GoDown,
    HaExplain,
    HaMaintenance,
    HaMayGoDown,
    HaRequest,
    HaStatus,
    HaSwitchover,
    HaTakeover,
    HaTestWatchdog,
    HaVoters,
)
from roost_agent.control.table import columns, duration
from roost_agent.errors import AgentError
from roost_agent.ha.gateway import SILENT_MS

EXIT_OF: Final = {GoDown.YES: 0, GoDown.NO: 3, GoDown.AFTER_TRANSFER: 4}
_LEASES: Final = ("GROUP", "HERE", "HOLDER", "EPOCH", "LEFT", "RANK", "WHY NOT HERE")
_MEMBERS: Final = ("NODE", "STATE", "FOR", "LAST PROOF", "SUSPECT AFTER", "PATHS")
_FENCES: Final = ("FENCE OF", "DRIVER", "TESTED", "RESULT")
_PATHS: Final = ("PATH", "DRIVER", "NETWORK", "BROKER", "TLS", "OPEN", "DISCARDED", "FAULT")


def status(argv: list[str]) -> int:
    """Show local HA on this node."""
    return _show(_parser(status).parse_args(argv), HaStatus(), _status)


def explain(argv: list[str]) -> int:
    """Show what was decided of late, and why."""
    arguments = _parser(explain)
    arguments.add_argument("--last", type=int, default=50, metavar="N", help="default: 50")
    given = arguments.parse_args(argv)
    if not 1 <= given.last <= EXPLAIN_MAX:
        arguments.error(f"--last {given.last}: 1 to {EXPLAIN_MAX}")
    return _show(given, HaExplain(given.last), _explained)


def switchover(argv: list[str]) -> int:
    """Give a group that runs here to another node."""
    arguments = _parser(switchover)
    arguments.add_argument("group")
    arguments.add_argument("--to", metavar="NODE", help="default: the first that could")
    arguments.add_argument(
        "--force", action="store_true", help="also to a node that joined a moment ago"
    )
    given = arguments.parse_args(argv)
    return _show(given, HaSwitchover(given.group, given.to, given.force), _sentence)


def maintenance(argv: list[str]) -> int:
    """Let a group be on this node for a while: not watched, and not moved here."""
    arguments = _parser(maintenance)
    arguments.add_argument("group")
    arguments.add_argument("state", choices=["on", "off"])
    arguments.add_argument("--ttl", type=seconds_of, metavar="TIME", help="of on, e.g. 30m")
    given = arguments.parse_args(argv)
    if (given.state == "on") != (given.ttl is not None):
        arguments.error("on needs --ttl TIME: what is forgotten must end; off takes none")
    return _show(given, HaMaintenance(given.group, given.ttl or 0), _sentence)


def may_go_down(argv: list[str]) -> int:
    """Say whether this node may go down now; the exit status says it to programs."""
    made = _parser(may_go_down)
    made.epilog = "exit: 0 yes, 1 no agent answers, 3 no, 4 after transfer"
    given = made.parse_args(argv)
    result = asked(given, HaMayGoDown())
    _print(given, result, _sentence)
    return EXIT_OF[result["verdict"]]


def test_watchdog(argv: list[str]) -> int:
    """Have this node's watchdog reset it, once, to see that it does."""
    arguments = _parser(test_watchdog)
    arguments.add_argument(
        "--confirm-reset", action="store_true", help="this machine may be reset now"
    )
    given = arguments.parse_args(argv)
    return _show(given, HaTestWatchdog(given.confirm_reset), _sentence)


def takeover(argv: list[str]) -> int:
    """Take a group of a sticky pair whose other node is off."""
    arguments = _parser(takeover)
    arguments.add_argument("group")
    arguments.add_argument("--confirm-peer-off", action="store_true")
    given = arguments.parse_args(argv)
    if not given.confirm_peer_off:
        raise AgentError(
            "say --confirm-peer-off once you have seen that the other node is off: if it still "
            f"runs, {given.group} is active twice"
        )
    return _show(given, HaTakeover(given.group), _sentence)


def voters(argv: list[str]) -> int:
    """Let a node vote, or not any more."""
    arguments = _parser(voters)
    arguments.add_argument("change", choices=["add", "remove"])
    arguments.add_argument("node")
    arguments.add_argument(
        "--disk-gone", action="store_true", help="of a pair: the other node's disk is lost for good"
    )
    given = arguments.parse_args(argv)
    is_added = given.change == "add"
    if is_added and given.disk_gone:
        arguments.error("--disk-gone removes; add the node once it runs again")
    return _show(given, HaVoters(given.node, is_added, given.disk_gone), _sentence)


def _parser(verb: Callable[[list[str]], int]) -> argparse.ArgumentParser:
    """Return the parser of a verb, which is called as its function and does what that says."""
    made = parser(f"ha {verb.__name__.replace('_', '-')}", verb.__doc__)
    made.add_argument(
        "-o", "--output", choices=["table", "json"], default="table", help="default: table"
    )
    return made


def _show(
    given: argparse.Namespace, request: HaRequest, render: Callable[[Mapping[str, Any]], str]
) -> int:
    _print(given, asked(given, request), render)
    return 0


def _print(
    given: argparse.Namespace,
    result: Mapping[str, Any],
    render: Callable[[Mapping[str, Any]], str],
) -> None:
    is_json = given.output == "json"
    sys.stdout.write(json.dumps(result, indent=2) + "\n" if is_json else render(result))


def _sentence(result: Mapping[str, Any]) -> str:
    return f"{result['sentence']}\n"


def _explained(result: Mapping[str, Any]) -> str:
    lines = (
        f"{datetime.fromtimestamp(each['wall_ms'] / 1000, UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3]
        + f"Z  {each['sentence']}\n"
        for each in result["explained"]
    )
    return "".join(lines) or "nothing was decided yet\n"


def _status(result: Mapping[str, Any]) -> str:
    lines = [
        f"{result['node']}  profile {result['profile']}  voters {', '.join(result['voters'])}"
        f"{'  sticky' * result['sticky']}  local health {result['lhm']}"
        f"  connections {result['redundancy']}",
        "",
        *columns(_LEASES, (_lease(each) for each in result["leases"])),
        "",
        *columns(_MEMBERS, (_member(each) for each in result["members"])),
        "",
        *columns(_PATHS, (_path(each) for each in result["paths"])),
        *_rest(result),
    ]
    return "\n".join(lines) + "\n"


def _lease(each: Mapping[str, Any]) -> list[str]:
    left_ms = each.get("remaining_ms") or 0
    return [
        each["lease"],
        each["phase"],
        each["holder"] or "-",
        str(each["epoch"]),
        f"{left_ms / 1000:.1f} s" if left_ms else "-",
        str(each.get("rank", "-")),
        each["bar"] or (f"slot of {each['slot_of']}" if each.get("slot_of") else "-"),
    ]


def _member(each: Mapping[str, Any]) -> list[str]:
    age_ms = each["age_ms"]
    states = (f"{number} {path['state']}" for number, path in each["paths"].items())
    return [
        each["node"],
        each["state"],
        duration(each["for_ms"] // 1000),
        "-" if age_ms is None else f"{age_ms / 1000:.2f} s",
        f"{each['suspect_ms'] / 1000:.2f} s",
        ", ".join(states),
    ]


def _path(each: Mapping[str, Any]) -> list[str]:
    return [
        str(each["path"]),
        each["driver"],
        each["network"],
        each["broker"] or "-",
        {None: "-", True: "yes", False: "no"}[each["tls"]],
        "yes" if each["open"] else "no",
        str(each["discarded"]),
        each["fault"] or "-",
    ]


def _fencing(fencing: Mapping[str, Any] | None) -> Iterator[str]:
    if fencing is None:
        return
    yield ""
    yield from columns(_FENCES, (_fence(each) for each in fencing["fences"]))
    if fencing["doing"] or fencing["spent"]:
        yield f"fencing  {fencing['doing'] or 'nothing'}; attempts this hour: {fencing['spent']}"


def _guard(guard: Mapping[str, Any] | None) -> Iterator[str]:
    if guard is None:
        return
    known = {"kill": guard["kill_ms"], "lag": guard["lag_ms"]}
    said = (f"{what} {ms} ms" for what, ms in known.items() if ms is not None)
    bites = f"watchdog {guard['watchdog_ms'] / 1000:g} s" if guard["watchdog_ms"] else "no watchdog"
    yield f"guard  {', '.join((*said, bites))}"


def _fence(each: Mapping[str, Any]) -> list[str]:
    ago_ms = each["tried_ago_ms"]
    tried = "never" if ago_ms is None else f"{duration(ago_ms // 1000)} ago"
    return [each["node"], each["driver"], tried, each["fault"] or "good"]


def _witness(witness: Mapping[str, Any] | None) -> Iterator[str]:
    if witness is None:
        return
    does = "votes" if witness["votes"] else "does not vote"
    ago_ms = witness["answered_ms"]
    ago = "never answered" if ago_ms is None else f"answered {duration(ago_ms // 1000)} ago"
    why = f": {witness['why']}" if witness["why"] else ""
    yield f"witness at the centre  {does}, {ago}{why}"


def _rest(result: Mapping[str, Any]) -> Iterator[str]:
    yield from _witness(result.get("witness"))
    broker = result["broker"]
    if broker is not None:
        running = f"pid {broker['pid']}" if broker["pid"] else f"not running: {broker['fault']}"
        yield f"\nbroker of this node  {running}, started anew {broker['restarts']} times"
    yield from _guard(result.get("guard"))
    yield from _fencing(result.get("fencing"))
    for what in ("refused", "dropped"):
        if result[what]:
            counts = ", ".join(f"{why} {count}" for why, count in result[what].items())
            yield f"{what} frames  {counts}"
    if result["refused_orders"]:
        yield f"refused orders  {result['refused_orders']}; why: roost-agent ha explain"
    yield from _warnings(result)
    for one, other, witness in result["cuts"]:
        yield f"cut  {one} and {other} do not hear each other; {witness} hears both"
    if (silent_ms := result.get("gateway_silent_ms") or 0) >= SILENT_MS:
        yield f"gateway  no answer for {duration(silent_ms // 1000)}"
    if strangers := ", ".join(result.get("strangers", ())):
        yield f"WARNING  {strangers}: other groups or services in its ha.toml than here"
    if result.get("no_reboot"):
        yield f"FAULT  {result['no_reboot']}"
    if result["disk"]:
        yield f"FAULT  {result['disk']}"


def _warnings(result: Mapping[str, Any]) -> Iterator[str]:
    if why := result["clear_text"]:
        yield f"WARNING  site brokers are spoken to in clear text: {why}"
    if why := result.get("untested"):
        yield f"WARNING  {why}"
    roster = result["roster"]
    if roster is not None and roster["fault"]:
        yield f"WARNING  the site goes on as it was: {roster['fault']}"
