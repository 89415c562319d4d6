"""The topics under ``noc/v1``: which message belongs where, and what a retained tree lacks.

Pure. The tree is there more than once, below different roots: whole, collapsed, and for each tenant
over its own sites (noc_branch.py). The broker keeps nothing over a restart, so the retained part is
compared with the truth at each connect. A cleared alarm stays for a minute, so that a reader sees
it go, then its topic is emptied.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from roost_central.alarms.flat import Flat, FlatAlarm, FlatIncident, FlatSummary, encode

ROOT: Final = "noc/v1"
COLLAPSED: Final = f"{ROOT}/collapsed"  # the members of incidents are not told there
TENANTS: Final = f"{ROOT}/tenant"
STATUS: Final = f"{ROOT}/status"
SUMMARY: Final = f"{ROOT}/fleet/summary"
CLEARED_MS: Final = 60_000  # how long a cleared alarm stays readable
NO_SITE: Final = "-"  # the level of what belongs to no site
RETAINED: Final = ("site/+/alarm/+/+", "site/+/state", "site/+/value/+", "incident/+")
VALUES: Final = ("nodes", "nodes_online", "paths", "paths_up", "sev")  # of a site, as bare numbers

Attributes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One publication; an empty retained one removes what was there.

    Attributes:
        attributes: of an event, in a CloudEvents envelope.
    """

    topic: str
    payload: bytes
    retain: bool = True
    attributes: Attributes = ()


class Status(msgspec.Struct, frozen=True):
    """``noc/v1/status``: whether the feed itself lives; the will says ``offline``."""

    state: str
    version: str = ""
    ts: int = 0


class SiteState(msgspec.Struct, frozen=True, kw_only=True):
    """``noc/v1/site/<site>/state``.

    Attributes:
        release: of the agents that were heard; several are told by commas.
        redundancy: of local HA: ``none`` (there is no HA), ``ok``, ``unknown``, ``lost``, ``down``.
        active: groups and their active nodes, such as ``main=c0,web=c1``; not those on every host.
    """

    v: int = 1
    site: str
    state: str
    sev: int
    nodes: int
    nodes_online: int
    paths_up: int
    paths: int
    release: str = ""
    redundancy: str = "none"
    active: str = ""
    as_of: str
    ts: int


class TenantIncident(msgspec.Struct, frozen=True, kw_only=True):
    """An incident as a tenant sees it: how much of its own is hit, and nothing of others.

    The cause is not told: it may name what other tenants' sites have.
    """

    v: int = 1
    id: str
    event: str
    state: str
    severity: str
    sev: int
    type: str
    sites: int
    alarms: int
    started: str
    ts: int
    seq: int


def tenant_root(tenant: str) -> str:
    """Return the root of a tenant's tree."""
    return f"{TENANTS}/{tenant}"


def alarm_topic(alarm: FlatAlarm, root: str = ROOT) -> str:
    """Return where an open alarm is retained."""
    return alarm_place(alarm.site, alarm.type, alarm.key_id, root)


def alarm_place(site: str | None, type_: str, key_id: str, root: str = ROOT) -> str:
    """Return the same for an alarm that is not flat."""
    return f"{root}/site/{site or NO_SITE}/alarm/{type_}/{key_id}"


def incident_topic(incident: str, root: str = ROOT) -> str:
    """Return where an incident is retained."""
    return f"{root}/incident/{incident}"


def site_topic(site: str, root: str = ROOT) -> str:
    """Return where a site's state is retained."""
    return f"{root}/site/{site}/state"


def value_topic(site: str, name: str, root: str = ROOT) -> str:
    """Return where a number of a site is retained."""
    return f"{root}/site/{site}/value/{name}"


def is_over(flat: Flat) -> bool:
    """Whether an alarm is cleared or an incident closed."""
    return flat.state in {"cleared", "closed"}


def state_of(flat: Flat, root: str = ROOT) -> Message:
    """Return the retained message of an alarm or an incident."""
    if isinstance(flat, FlatAlarm):
        return Message(alarm_topic(flat, root), encode(flat))
    return Message(incident_topic(flat.id, root), encode(flat))


def tenant_incident(incident: FlatIncident, sites: int, alarms: int, root: str) -> Message:
    """Return the retained message of an incident for a tenant, with the tenant's own counts."""
    told = TenantIncident(
        id=incident.id,
        event=incident.event,
        state=incident.state,
        severity=incident.severity,
        sev=incident.sev,
        type=incident.type,
        sites=sites,
        alarms=alarms,
        started=incident.started,
        ts=incident.ts,
        seq=incident.seq,
    )
    return Message(incident_topic(incident.id, root), msgspec.json.encode(told))


def event_of(flat: FlatAlarm, root: str = ROOT) -> Message:
    """Return the message of a transition: not retained, so nobody sees it again."""
    topic = f"{root}/event/alarm/{flat.severity}/{flat.site or NO_SITE}/{flat.type}"
    attributes = (
        ("id", str(flat.seq)),
        ("source", "roost"),
        ("type", f"roost.alarm.{flat.event}"),
        ("time", flat.changed),
        ("subject", flat.entity),
    )
    return Message(topic, encode(flat), retain=False, attributes=attributes)


def summary_of(summary: FlatSummary, root: str = ROOT) -> Message:
    """Return the retained message of the fleet."""
    return Message(f"{root}/fleet/summary", encode(summary))


def rebuild(retained: Mapping[str, bytes], truth: Iterable[Message]) -> list[Message]:
    """Return what makes a retained tree true: ghosts are emptied first, then what is missing.

    Args:
        retained: payload by topic, as the broker has them.
        truth: the messages that should be there.
    """
    wanted = {message.topic: message for message in truth}
    ghosts = [Message(topic, b"") for topic in retained if topic not in wanted]
    missing = [each for topic, each in wanted.items() if not _same(retained.get(topic), each)]
    return ghosts + missing


def _same(payload: bytes | None, message: Message) -> bool:
    """Whether the broker has it already, but for the event that told it last."""
    if payload is None or payload == message.payload:
        return payload is not None
    try:
        there = msgspec.json.decode(payload, type=dict[str, object])
        ours = msgspec.json.decode(message.payload, type=dict[str, object])
    except msgspec.DecodeError:
        return False
    passing = {"event", "seq", "ts"}
    return {k: v for k, v in there.items() if k not in passing} == {
        k: v for k, v in ours.items() if k not in passing
    }
