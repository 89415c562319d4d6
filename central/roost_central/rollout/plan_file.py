"""The file of a plan: TOML, read whole or refused with all that is wrong by its field. Pure.

The bytes of the file are what people review and sign.
"""

import tomllib
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec

from roost_central.rollout.kpi import read_kpi
from roost_central.rollout.plan import Plan, Rules, waves_of
from roost_central.rollout.plan_faults import PlanError, shaped
from roost_central.rollout.table import Kind
from roost_protocol.errors import ProtocolError

PLAN_BYTES_MAX: Final = 65_536
_KIND: Final = frozenset({"component", "version", "profiles", "remove"})


def read_plan(raw: bytes) -> Plan:
    """Return the plan in a TOML file.

    Raises:
        PlanError: what it says cannot be, each fault by its field.
        ProtocolError: ``plan``: it is none.
    """
    if len(raw) > PLAN_BYTES_MAX:
        raise ProtocolError("plan", field="size", got=len(raw), bound=f"{PLAN_BYTES_MAX} bytes")
    try:
        said: Any = tomllib.loads(raw.decode())
    except (ValueError, RecursionError) as err:  # no UTF-8, no TOML, or a number of 4,301 digits
        raise ProtocolError("plan", detail=f"it is no TOML: {str(err)[:200]}") from err
    plan, faults, blamed = shaped(said)
    if plan is not None:
        faults += [fault for fault in _faults(plan) if not _follows(fault.field, blamed)]
    if faults or plan is None:
        raise PlanError(faults)
    return plan


def plan_digest(raw: bytes) -> str:
    """Return the digest under which a plan is approved: SHA-256 of the file."""
    return sha256(raw).hexdigest()


def texts_digest(files: Sequence[tuple[str, str]], remove: Sequence[str]) -> str:
    """Return the digest of what a rollout of profiles brings: SHA-256 of names and texts."""
    told = msgspec.msgpack.encode(([list(each) for each in files], list(remove)))
    return sha256(told).hexdigest()


def _follows(field: str, blamed: set[str]) -> bool:
    """Whether a fault may come of another one: something of its table, or kind, was taken out."""
    if field in _KIND:
        return bool(_KIND & blamed)
    table = field.partition(".")[0]
    return any(each.partition(".")[0] == table for each in blamed)


def _faults(plan: Plan) -> Iterator[ProtocolError]:
    """Yield what a plan of the right shape says that cannot be."""
    yield from _kind_faults(plan)
    waves = waves_of(plan)
    for index, wave in enumerate(waves):
        field = f"wave[{index}]"
        if wave.sizes != 1:
            bound = "one of count, percent, rest, selector, sites"
            yield ProtocolError("plan", field=field, got=wave.sizes, bound=bound)
        elif wave.rest and index < len(waves) - 1:
            yield ProtocolError("plan", field=f"{field}.rest", bound="of the last wave alone")
    yield from _rules_faults(plan.wave_defaults, "wave_defaults")
    for index, wave in enumerate(plan.wave):
        yield from _rules_faults(wave, f"wave[{index}]")


def _rules_faults(rules: Rules, field: str) -> Iterator[ProtocolError]:
    """Yield what is wrong with a window, and with each figure of a gate."""
    try:
        if rules.window is not None:
            rules.window.of("UTC")
    except ProtocolError as err:
        yield _placed(err, f"{field}.window")
    for text in rules.gates.kpi if rules.gates is not None else ():
        try:
            read_kpi(text)
        except ProtocolError as err:
            yield _placed(err, f"{field}.gates")


def _placed(err: ProtocolError, where: str) -> ProtocolError:
    return ProtocolError(
        "plan", field=f"{where}.{err.field}", got=err.got, bound=err.bound, detail=err.detail
    )


def _kind_faults(plan: Plan) -> Iterator[ProtocolError]:
    """Yield what says both a release and profiles, or neither, or means nothing for one."""
    of_release = ("component", "version")
    if plan.kind is Kind.RELEASE:
        for name in of_release:
            if not getattr(plan, name):
                bound = "component and version of a release, or files of profiles"
                yield ProtocolError("plan", field=name, got="nothing", bound=bound)
        return
    for name in (*of_release, "digest", "size", "reboot", "supersede", "selector"):
        if getattr(plan, name):
            why = "its profiles say whom it is for" if name == "selector" else "it is of profiles"
            yield ProtocolError("plan", field=name, got=getattr(plan, name), bound=f"none: {why}")
    for index, wave in enumerate((plan.wave_defaults, *plan.wave)):
        if wave.window is not None:
            field = f"wave[{index - 1}].window" if index else "wave_defaults.window"
            bound = "none: nodes go by the section update-window of their profiles"
            yield ProtocolError("plan", field=field, bound=bound)
