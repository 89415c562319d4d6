"""Liveness' decisions as sentences for the event log. Types are those of the alarm catalogue."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from roost_central.fleet.entity import entity_of
from roost_central.liveness.facts import (
    Action,
    AgentRestarted,
    CloneChanged,
    LossChanged,
    PathChanged,
    PresenceChanged,
    QuietChanged,
    Rebooted,
    SiteChanged,
)
from roost_central.liveness.loss import BEATS
from roost_central.storage.events import NewEvent, Scalars
from roost_protocol.severity import Severity

SITE_OFFLINE = "280.001"
PATH_DOWN = "280.801"
NODE_SILENT = "280.802"
CLONE = "280.805"
FLEET_SILENT = "280.808"
PATH_LOSS = "280.816"
NODE_REBOOTED = "280.811"
AGENT_RESTARTED = "280.812"
BROKER_LOST = "280.813"

Told = tuple[str, Severity, str, str, Scalars]  # type, severity, entity, text, params


def event_of(action: Action, *, site: str | None, now_ms: int) -> NewEvent | None:
    """Return the event of an action, None where it is not worth one."""
    teller = _TELLERS.get(type(action))
    told = teller(action) if teller else None
    if told is None:
        return None
    type_, severity, entity, text, params = told
    node: str | None = getattr(action, "node", None)
    return NewEvent(
        at_ms=now_ms,
        received_ms=now_ms,
        kind="liveness",
        type=type_,
        severity=severity,
        text=text,
        site=site,
        node=node,
        entity=entity_of(site, node, entity),
        params=params,
    )


def canary_event(broker: str, *, is_well: bool, now_ms: int) -> NewEvent:
    """Return the event of our own messages that a broker does not bring back, or does again."""
    words = "come back again" if is_well else "do not come back"
    event = broker_event(broker, is_up=is_well, now_ms=now_ms)
    return replace(event, text=f"our own messages through broker {broker} {words}")


def broker_event(broker: str, *, is_up: bool, now_ms: int) -> NewEvent:
    """Return the event of a broker that was lost or is back."""
    text = f"broker {broker} is connected again" if is_up else f"broker {broker} is lost"
    return NewEvent(
        at_ms=now_ms,
        received_ms=now_ms,
        kind="central",
        type=BROKER_LOST,
        severity=Severity.CLEARED if is_up else Severity.MAJOR,
        text=text,
        entity=f"central=roost,broker={broker}",
        params={"broker": broker},
    )


def _presence(action: PresenceChanged) -> Told | None:
    if not action.announce:
        return None
    if action.new == "unreachable":
        seconds = action.silent_ms // 1000
        text = f"nothing heard for {seconds} s on any path"
        return NODE_SILENT, Severity.MINOR, "", text, {"s": seconds}
    if action.old == "unreachable":
        return NODE_SILENT, Severity.CLEARED, "", f"heard again, {action.new}", {}
    return None


def _path(action: PathChanged) -> Told | None:
    if not action.announce:
        return None
    severity = Severity.CLEARED if action.new == "up" else Severity.MINOR
    text = f"path {action.path} is {action.new}, was {action.old}"
    return PATH_DOWN, severity, f"path={action.path}", text, {"path": action.path}


def _loss(action: LossChanged) -> Told | None:
    if not action.announce:
        return None
    severity = Severity.MINOR if action.is_lossy else Severity.CLEARED
    text = f"path {action.path}: {action.lost} of the last {BEATS} beats did not come"
    params: Scalars = {"path": action.path, "lost": action.lost}
    return PATH_LOSS, severity, f"path={action.path}", text, params


def _site(action: SiteChanged) -> Told | None:
    if not action.announce:
        return None
    if action.new == "unknown":
        text = "nothing is heard from any node of the site"
        return SITE_OFFLINE, Severity.CRITICAL, "", text, {}
    if action.old == "unknown":
        return SITE_OFFLINE, Severity.CLEARED, "", f"the site is heard again, {action.new}", {}
    return None


def _quiet(action: QuietChanged) -> Told | None:
    if action.is_recount:
        return None
    if action.on and action.why == "silence":
        text = f"{action.silent} of {action.sites} sites silent at once; suspecting ourselves"
        params: Scalars = {"count": action.silent, "sites": action.sites}
        return FLEET_SILENT, Severity.CRITICAL, "central=roost", text, params
    if not action.on and action.why == "silence":
        text = "our own parts were well meanwhile; sites that still are silent are announced now"
        return FLEET_SILENT, Severity.CLEARED, "central=roost", text, {}
    return None


def _clone(action: CloneChanged) -> Told:
    if not action.is_suspected:
        return CLONE, Severity.CLEARED, "", "one box speaks again", {}
    return CLONE, Severity.CRITICAL, "", "two boxes use one identity, by turns", {}


def _reboot(_action: Rebooted) -> Told:
    return NODE_REBOOTED, Severity.WARNING, "", "the machine has rebooted", {}


def _restart(_action: AgentRestarted) -> Told:
    return AGENT_RESTARTED, Severity.WARNING, "", "the agent has restarted", {}


_TELLERS: Final[dict[type, Callable[[Any], Told | None]]] = {
    PresenceChanged: _presence,
    PathChanged: _path,
    LossChanged: _loss,
    SiteChanged: _site,
    QuietChanged: _quiet,
    CloneChanged: _clone,
    Rebooted: _reboot,
    AgentRestarted: _restart,
}
