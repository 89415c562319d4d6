"""The file of a plan: TOML, read whole or refused by its field. Pure.

The bytes of the file are what people review and sign.
"""

import re
import tomllib
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec

from roost_central.choices import choices, one_of
from roost_central.fleet.query_suggest import hint
from roost_central.rollout.kpi import read_kpi
from roost_central.rollout.plan import Gates, InFlight, Plan, Rate, Wave, WeekWindow, waves_of
from roost_central.rollout.table import Kind
from roost_protocol.errors import ProtocolError

PLAN_BYTES_MAX: Final = 65_536
_PLAIN: Final = (
    (re.compile(r"^Object contains unknown field `(.*)`$"), r"there is no key \1"),
    (re.compile(r"^Invalid enum value (.*)$"), r"it cannot be \1"),
    (re.compile(r"^Object missing required field `(.*)`$"), r"it says no \1, and has to"),
    (re.compile(r"`array` of length"), "a list of length"),
    (re.compile(r"`str` of length"), "text of length"),
    (re.compile(r"`str` matching regex.*"), "text of another form (docs/rollouts.md)"),
    (re.compile(r"`array`"), "a list"),
    (re.compile(r"`object`"), "a table"),
    (re.compile(r"`str`"), "text"),
    (re.compile(r"`(?:int|float)( \| null)?`"), "a number"),
    (re.compile(r"`bool( \| null)?`"), "true or false"),
    (re.compile(r"`(\w+) \| null`"), r"\1"),
    (re.compile(r"^Expected (.*), got (.*)$"), r"it takes \1, and got \2"),
    (re.compile(r"^Expected (.*)$"), r"it takes \1"),
)


def read_plan(raw: bytes) -> Plan:
    """Return the plan in a TOML file.

    Raises:
        ProtocolError: ``plan``: it is none; ``field``: what it says cannot be.
    """
    if len(raw) > PLAN_BYTES_MAX:
        raise ProtocolError("plan", field="size", got=len(raw), bound=f"{PLAN_BYTES_MAX} bytes")
    try:
        said: Any = tomllib.loads(raw.decode())
    except (ValueError, RecursionError) as err:  # no UTF-8, no TOML, or a number of 4,301 digits
        raise ProtocolError("plan", detail=f"it is no TOML: {str(err)[:200]}") from err
    try:
        plan = msgspec.convert(said, Plan)
    except msgspec.ValidationError as err:
        text, _, where = str(err).partition(" - at `")
        place = where.removeprefix("key` in `")  # of a table, whose keys are a choice
        field = place.rstrip("`").removeprefix("$.") or "plan"
        raise ProtocolError(
            "plan", field=field, detail=f"{_plain(text)}{_meant(text, field)}"
        ) from err
    _check(plan)
    return plan


def _plain(text: str) -> str:
    """Return what msgspec has against a value, in the words of a file."""
    for pattern, words in _PLAIN:
        text = pattern.sub(words, text)
    return text[:200]


def _meant(text: str, field: str) -> str:
    """Return which key may have been meant, where one is unknown, or what a field may be."""
    if text.startswith("Invalid enum value "):
        words = choices(Plan, field)
        return f": it takes {one_of(words)}" if words else ""
    word = text.partition("unknown field `")[2].rstrip("`")
    kinds = (Plan, Wave, Gates, Rate, InFlight, WeekWindow)
    known = {name for each in kinds for name in each.__struct_encode_fields__}
    return hint(word, known) if word else ""


def plan_digest(raw: bytes) -> str:
    """Return the digest under which a plan is approved: SHA-256 of the file."""
    return sha256(raw).hexdigest()


def texts_digest(files: Sequence[tuple[str, str]], remove: Sequence[str]) -> str:
    """Return the digest of what a rollout of profiles brings: SHA-256 of names and texts."""
    told = msgspec.msgpack.encode(([list(each) for each in files], list(remove)))
    return sha256(told).hexdigest()


def _check(plan: Plan) -> None:
    _check_kind(plan)
    waves = waves_of(plan)
    for index, wave in enumerate(waves):
        if wave.sizes != 1:
            bound = "one of count, percent, rest, selector, sites"
            raise ProtocolError("plan", field=f"wave[{index}]", got=wave.sizes, bound=bound)
        if wave.rest and index < len(waves) - 1:
            raise ProtocolError("plan", field=f"wave[{index}].rest", bound="of the last wave alone")
    for rules, field in [(plan.wave_defaults, "wave_defaults")] + [
        (wave, f"wave[{index}]") for index, wave in enumerate(plan.wave)
    ]:
        part = "window"
        try:
            if rules.window is not None:
                rules.window.of("UTC")
            part = "gates"
            for text in rules.gates.kpi if rules.gates is not None else ():
                read_kpi(text)
        except ProtocolError as err:
            where = f"{field}.{part}.{err.field}"
            raise ProtocolError("plan", field=where, got=err.got, bound=err.bound) from err


def _check_kind(plan: Plan) -> None:
    """Refuse what says both a release and profiles, or neither, or means nothing for one."""
    of_release = ("component", "version")
    if plan.kind is Kind.RELEASE:
        for name in of_release:
            if not getattr(plan, name):
                bound = "component and version of a release, or files of profiles"
                raise ProtocolError("plan", field=name, got="nothing", bound=bound)
        return
    for name in (*of_release, "digest", "size", "reboot", "supersede", "selector"):
        if getattr(plan, name):
            why = "its profiles say whom it is for" if name == "selector" else "it is of profiles"
            raise ProtocolError("plan", field=name, got=getattr(plan, name), bound=f"none: {why}")
    for index, wave in enumerate((plan.wave_defaults, *plan.wave)):
        if wave.window is not None:
            field = f"wave[{index - 1}].window" if index else "wave_defaults.window"
            bound = "none: nodes go by the section update-window of their profiles"
            raise ProtocolError("plan", field=field, bound=bound)
