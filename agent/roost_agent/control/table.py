"""Renders a status for a person."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

_PATHS: Final = ("PATH", "KIND", "STATE", "FOR", "RTT", "LOSS", "BROKER", "WHY")
_LANES: Final = ("LANE", "WAITING", "BYTES", "RING BYTES", "DROPPED", "LAST", "CENTRAL HAS")
_MINUTE_S: Final = 60
_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400


def table(status: Mapping[str, Any]) -> str:
    """Return a status as text, some lines wide enough for a terminal."""
    inventory = status["inventory"]
    lines = [
        f"{status['node']}  agent {status['version']}  incarnation {status['incarnation']}"
        f"  running {duration(status['running_s'])}",
        *(f"FAULT  {fault}" for fault in status["faults"]),
        "",
        *columns(_PATHS, (_path(path) for path in status["paths"])),
        "",
        *columns(_LANES, (_lane(lane) for lane in status["outbox"])),
        "",
        f"inventory  generation {_or_dash(inventory['gen'])}"
        f"  digest {_or_dash(inventory['digest'])}{'  probing now' * inventory['probing']}",
    ]
    for lease in status.get("ha", ()):
        holder = lease["holder"] or "nobody"
        lines.append(f"ha         {lease['lease']}: {holder}, epoch {lease['epoch']}")
    alarms = status["alarms"]
    lines.append(f"alarms     {alarms['active']} stand{_worst(alarms)}")
    lines += [
        f"degraded   by {reason}: {each['severity']}, {each['alarm']}"
        for reason, each in status.get("degraded", {}).items()
    ]
    if (health := status.get("health", {})).get("checks"):
        failed = ", ".join(health["failed"])
        said = f"{len(health['failed'])} failed: {failed}" if failed else "all passed"
        lines.append(f"health     {health['checks']} checks, {said}")
    if status["refused"]:
        counts = ", ".join(f"{code} {count}" for code, count in status["refused"].items())
        lines.append(f"refused messages  {counts}")
    return "\n".join(lines) + "\n"


def duration(seconds: int) -> str:
    """Return a time span in its two largest units."""
    for unit_s, unit, below_s, below in (
        (_DAY_S, "d", _HOUR_S, "h"),
        (_HOUR_S, "h", _MINUTE_S, "min"),
        (_MINUTE_S, "min", 1, "s"),
    ):
        if seconds >= unit_s:
            return f"{seconds // unit_s} {unit} {seconds % unit_s // below_s} {below}"
    return f"{seconds} s"


def _path(path: Mapping[str, Any]) -> list[str]:
    held = path["held_s"]
    return [
        path["path"],
        path["kind"],
        path["state"],
        duration(path["for_s"]),
        "-" if path["rtt_us"] is None else f"{path['rtt_us'] / 1000:.1f} ms",
        f"{path['loss_permille'] / 10:g} %",
        path["broker"],
        path["why"] if held is None else f"held by an operator for another {duration(held)}",
    ]


def _lane(lane: Mapping[str, Any]) -> list[str]:
    keys = ("lane", "waiting_items", "waiting_bytes", "ring_bytes", "dropped", "last", "mark")
    return [str(lane[key]) for key in keys]


def _worst(alarms: Mapping[str, Any]) -> str:
    counts = [f"{count} {word}" for word, count in alarms["severities"].items() if count]
    return f": {', '.join(counts)}" if counts else ""


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)


def columns(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a head and its rows as aligned lines."""
    cells = [head, *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
