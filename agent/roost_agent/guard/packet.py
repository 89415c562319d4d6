"""Requests and answers of the guard's socket: one JSON object a packet."""

from __future__ import annotations

import json

from roost_agent.guard.core import Arm, Disarm, Stopping
from roost_agent.guard.record import Any, Final, Record

PACKET_BYTES_MAX: Final = 4_096
NAME_CHARS_MAX: Final = 32
PATH_CHARS_MAX: Final = 255
PLACES_MAX: Final = 8  # cgroups of a lease, and its addresses
NUMBER_MAX: Final = 2**63 - 1

KEYS: Final = {
    "arm": {"lease", "epoch", "d1_ms", "d2_ms", "d3_ms", "cgroups", "vips", "hard"},
    "stopping": {"lease", "epoch"},
    "disarm": {"lease", "epoch"},
    "state": set(),
    "bite": set(),
}


class State(Record):
    """How is it?"""


class AskedToBite(Record):
    """Have the watchdog reset this machine, to see that it does."""


class PacketError(Exception):
    """A request that is none; the text names the field and its bound."""


Request = Arm | Stopping | Disarm | State | AskedToBite


def decode(raw: bytes) -> Request:
    """Return the request of a packet; a Disarm's ``is_empty`` is the guard's own to fill in.

    Raises:
        PacketError: it is none.
    """
    if len(raw) > PACKET_BYTES_MAX:
        raise PacketError(f"packet: bound {PACKET_BYTES_MAX} bytes")
    try:
        table = json.loads(raw)
    except (ValueError, RecursionError) as err:
        raise PacketError(f"packet: no JSON: {err}") from err
    if not isinstance(table, dict):
        raise PacketError("packet: must be an object")
    verb = table.pop("do", None)
    if not isinstance(verb, str) or verb not in KEYS:
        raise PacketError(f"do: must be one of {', '.join(KEYS)}")
    if unknown := sorted(table.keys() - KEYS[verb]):
        raise PacketError(f"{unknown[0][:NAME_CHARS_MAX]}: unknown field of {verb}")
    if verb == "state":
        return State()
    if verb == "bite":
        return AskedToBite()
    lease, epoch = _text(table, "lease", NAME_CHARS_MAX), _number(table, "epoch")
    if verb == "stopping":
        return Stopping(lease, epoch)
    if verb == "disarm":
        return Disarm(lease, epoch, is_empty=False)
    return _arm(table, lease, epoch)


def encode(answer: dict[str, Any]) -> bytes:
    """Return the packet of an answer."""
    return json.dumps(answer).encode()


def _arm(table: dict[str, Any], lease: str, epoch: int) -> Arm:
    is_hard = table.get("hard", False)
    if not isinstance(is_hard, bool):
        raise PacketError("hard: must be true or false")
    times = [None if table.get(key) is None else _number(table, key) for key in _TIMES]
    return Arm(lease, epoch, times[0], times[1], times[2], _cgroups(table), _vips(table), is_hard)


_TIMES: Final = ("d1_ms", "d2_ms", "d3_ms")


def _cgroups(table: dict[str, Any]) -> tuple[str, ...]:
    found = table.get("cgroups", [])
    if not isinstance(found, list) or len(found) > PLACES_MAX or not all(map(_is_path, found)):
        raise PacketError(f"cgroups: up to {PLACES_MAX} paths of {PATH_CHARS_MAX} characters")
    return tuple(found)


def _is_path(text: object) -> bool:
    return isinstance(text, str) and text.startswith("/") and len(text) <= PATH_CHARS_MAX


def _vips(table: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    found = table.get("vips", [])
    if not isinstance(found, list) or len(found) > PLACES_MAX or not all(map(_is_vip, found)):
        raise PacketError(f'vips: up to {PLACES_MAX} of ["ADDRESS/LENGTH", "INTERFACE"]')
    return tuple((address, interface) for address, interface in found)


def _is_vip(pair: object) -> bool:
    return (
        isinstance(pair, list)
        and len(pair) == 2  # noqa: PLR2004 - a pair
        and all(isinstance(each, str) and len(each) <= PATH_CHARS_MAX for each in pair)
        and "/" in pair[0]
    )


def _text(table: dict[str, Any], key: str, chars_max: int) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not 1 <= len(value) <= chars_max:
        raise PacketError(f"{key}: must be a text of 1 to {chars_max} characters")
    return value


def _number(table: dict[str, Any], key: str) -> int:
    value = table.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= NUMBER_MAX:
        raise PacketError(f"{key}: must be a whole number, 1 to {NUMBER_MAX}")
    return value
