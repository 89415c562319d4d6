"""The topics under ``noc/v1``: which message belongs where, and what a retained tree lacks.

Pure. The broker keeps nothing over a restart, so the retained part is compared with the truth at
each connect. A cleared alarm stays for a minute, so that a reader sees it go, then its topic is
emptied.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from roost_central.alarms.flat import Flat, FlatAlarm, FlatIncident, FlatSummary, encode

ROOT: Final = "noc/v1"
STATUS: Final = f"{ROOT}/status"
SUMMARY: Final = f"{ROOT}/fleet/summary"
CLEARED_MS: Final = 60_000  # how long a cleared alarm stays readable
NO_SITE: Final = "-"  # the level of what belongs to no site
RETAINED: Final = (f"{ROOT}/site/+/alarm/+/+", f"{ROOT}/site/+/state", f"{ROOT}/incident/+")


@dataclass(frozen=True, slots=True)
class Message:
    """One publication; an empty retained one removes what was there."""

    topic: str
    payload: bytes
    retain: bool = True


class Status(msgspec.Struct, frozen=True):
    """``noc/v1/status``: whether the feed itself lives; the will says ``offline``."""

    state: str
    version: str = ""
    ts: int = 0


class SiteState(msgspec.Struct, frozen=True, kw_only=True):
    """``noc/v1/site/<site>/state``."""

    v: int = 1
    site: str
    state: str
    sev: int
    nodes: int
    paths_up: int
    paths: int
    as_of: str
    ts: int


def alarm_topic(alarm: FlatAlarm) -> str:
    """Return where an open alarm is retained."""
    return f"{ROOT}/site/{alarm.site or NO_SITE}/alarm/{alarm.type}/{alarm.key_id}"


def incident_topic(incident: FlatIncident) -> str:
    """Return where an incident is retained."""
    return f"{ROOT}/incident/{incident.id}"


def site_topic(site: str) -> str:
    """Return where a site's state is retained."""
    return f"{ROOT}/site/{site}/state"


def is_over(flat: Flat) -> bool:
    """Whether an alarm is cleared or an incident closed."""
    return flat.state in {"cleared", "closed"}


def state_of(flat: Flat) -> Message:
    """Return the retained message of an alarm or an incident."""
    topic = alarm_topic(flat) if isinstance(flat, FlatAlarm) else incident_topic(flat)
    return Message(topic, encode(flat))


def event_of(flat: FlatAlarm) -> Message:
    """Return the message of a transition: not retained, so nobody sees it again."""
    word = flat.severity
    topic = f"{ROOT}/event/alarm/{word}/{flat.site or NO_SITE}/{flat.type}"
    return Message(topic, encode(flat), retain=False)


def summary_of(summary: FlatSummary) -> Message:
    """Return the retained message of the fleet."""
    return Message(SUMMARY, encode(summary))


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
    if payload is None:
        return False
    try:
        there = msgspec.json.decode(payload, type=dict[str, object])
    except msgspec.DecodeError:
        return False
    ours = msgspec.json.decode(message.payload, type=dict[str, object])
    passing = {"event", "seq", "ts"}
    return {k: v for k, v in there.items() if k not in passing} == {
        k: v for k, v in ours.items() if k not in passing
    }
