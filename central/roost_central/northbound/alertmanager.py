"""Alertmanager's ``/api/v2/alerts``: open incidents, and alarms that none of them explains.

Level-triggered: what is open is said again every minute, so a restarted Alertmanager knows it soon;
what ended, or changed its severity and with it its identity there, is said once more with an end.
What a storm may yet take is not said before it is known whether one did.
"""

import asyncio
from collections.abc import Container, Mapping, Sequence
from typing import Final

import msgspec

from roost_central.alarms.flat import FlatAlarm, FlatIncident, rfc3339
from roost_central.config_section import secret
from roost_central.errors import ConfigError
from roost_central.northbound.config import AlertmanagerConfig
from roost_central.northbound.core import LINE_RETRIES_S, retry_ms
from roost_central.northbound.feed import AlarmFeed, has_news
from roost_central.northbound.http import Answer, Poster
from roost_central.northbound.target import TargetState
from roost_central.ports import Clock, Entropy

RESEND_S: Final = 60.0
GATHER_S: Final = 1.0  # changes of a second go out together
CHUNK: Final = 500  # alerts of one request
ENDED_MAX: Final = 10_000  # ends that wait for an Alertmanager that is away
VALID_S: Final = 300  # an alert that is not said again ends by itself

Labels = tuple[tuple[str, str], ...]


class Alert(msgspec.Struct, frozen=True, rename="camel"):
    """One alert of the request; its labels are its identity."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: str
    ends_at: str
    generator_url: str = msgspec.field(name="generatorURL")


def alarm_alert(alarm: FlatAlarm, ends_at: str) -> Alert:
    """Return the alert of an alarm."""
    labels = {
        "alertname": alarm.name,
        "type": alarm.type,
        "site": alarm.site,
        "node": alarm.node,
        "entity": alarm.entity,
        "severity": alarm.severity,
    }
    notes = {"summary": alarm.text, "description": alarm.repair}
    return Alert(_filled(labels), _filled(notes), alarm.raised, ends_at, alarm.url)


def incident_alert(incident: FlatIncident, ends_at: str) -> Alert:
    """Return the alert of an incident."""
    labels = {
        "alertname": "incident",
        "type": "incident",
        "entity": f"incident={incident.id}",
        "severity": incident.severity,
    }
    cause = incident.cause or "not found"
    summary = f"{incident.sites} sites hit, {incident.unexplained} unexplained; cause: {cause}"
    return Alert(labels, {"summary": summary}, incident.started, ends_at, incident.url)


def identity(alert: Alert) -> Labels:
    """Return what Alertmanager knows an alert by."""
    return tuple(sorted(alert.labels.items()))


def _filled(labels: Mapping[str, str]) -> dict[str, str]:
    """Leave out empty labels: to Alertmanager they are absent ones."""
    return {name: value for name, value in labels.items() if value}


class AlertmanagerTarget:
    """One Alertmanager."""

    def __init__(
        self, config: AlertmanagerConfig, state: TargetState, *, clock: Clock, entropy: Entropy
    ) -> None:
        self.state = state
        self._config = config
        self._clock = clock
        self._entropy = entropy
        url = config.url.rstrip("/") + "/api/v2/alerts"
        self._poster = Poster(url, allow_private=config.allow_private)
        self._told: dict[Labels, Alert] = {}
        self._ended: dict[Labels, Alert] = {}

    async def run(self) -> None:
        """See Target."""
        while True:
            seq = self.state.feed.last_seq
            error = await self._tell_all()
            if error:
                self.state.failed(error)
                dice = self._entropy.uniform(0, 1)
                failures = self.state.health.failures
                await asyncio.sleep(retry_ms(LINE_RETRIES_S, failures, dice) / 1000)
                continue
            self.state.moved(seq)
            await self._change(seq)

    async def test(self) -> str:
        """See Target."""
        now_ms = self._clock.wall_ms()
        labels = {"alertname": "roost.test", "severity": "none"}
        alert = Alert(labels, {}, rfc3339(now_ms), rfc3339(now_ms + 1000), "")
        answer = await self._post([alert])
        return "" if answer.is_ok else answer.error

    async def _change(self, seq: int) -> None:
        """Wait for a change, at most until it is time to say everything again."""
        keeps = any(map(self.state.feed.is_candidate, self.state.feed.open_alarms()))
        if await has_news(self.state.feed, seq, GATHER_S if keeps else RESEND_S):
            await asyncio.sleep(GATHER_S)

    async def _tell_all(self) -> str:
        """Say what is open and what ended; returns what went wrong."""
        now_ms = self._clock.wall_ms()
        alerts = open_alerts(self.state.feed, rfc3339(now_ms + VALID_S * 1000), self._told)
        for key, alert in self._told.items():
            if key not in alerts and len(self._ended) < ENDED_MAX:
                self._ended[key] = msgspec.structs.replace(alert, ends_at=rfc3339(now_ms))
        for key in alerts:
            self._ended.pop(key, None)
        self._told = alerts
        waiting = [*self._ended.values(), *alerts.values()]
        for start in range(0, len(waiting), CHUNK):
            chunk = waiting[start : start + CHUNK]
            answer = await self._post(chunk)
            if not answer.is_ok:
                return answer.error
            self.state.worked(len(chunk))
        if not waiting:
            return ""
        self._ended = {}
        return ""

    async def _post(self, alerts: Sequence[Alert]) -> Answer:
        headers: dict[str, str] = {}
        if self._config.token_file is not None:
            try:
                token = await asyncio.to_thread(secret, self._config.token_file)
            except ConfigError as err:
                return Answer(0, str(err))
            headers["Authorization"] = f"Bearer {token.decode(errors='replace')}"
        return await self._poster.post(msgspec.json.encode(alerts), headers)


def open_alerts(feed: AlarmFeed, ends_at: str, told: Container[Labels] = ()) -> dict[Labels, Alert]:
    """Return the alerts of everything open that is not hidden, by identity.

    What a storm may yet take is not among them, unless it was ``told`` already.
    """
    seq = feed.last_seq
    incidents = [feed.flat_incident(each, "change", seq) for each in feed.open_incidents()]
    alerts = {
        identity(alert): alert
        for alert in (incident_alert(flat, ends_at) for flat in incidents if not flat.held)
    }
    for row in feed.open_alarms():
        flat = feed.flat(row, "change", seq)
        if not flat.suppressed or feed.stands_out(row):
            alert = alarm_alert(flat, ends_at)
            labels = identity(alert)
            if labels in told or not feed.is_candidate(row):
                alerts[labels] = alert
    return alerts
