"""What nodes say of their alarms: one word, or a part of the whole set again. Pure.

Leaves what becomes of an episode to episodes.py. Invariants: a node speaks of itself alone; after
its whole set was said, ours of it is equal.
"""

from collections.abc import Mapping

from roost_central.alarms.catalogue import Catalogue
from roost_central.alarms.draft import Draft
from roost_central.alarms.episodes import Episodes
from roost_central.alarms.facts import Limits, Said, SetSaid
from roost_central.alarms.row import CLEARED, AlarmRow
from roost_protocol.alarm import Alarm, AlarmState, Change, Scalar
from roost_protocol.catalogue import cut, render
from roost_protocol.entity import key, key_id, parse
from roost_protocol.severity import Severity


class NodeWords:
    """Takes in what nodes say."""

    def __init__(self, catalogue: Catalogue, episodes: Episodes, limits: Limits) -> None:
        self._catalogue = catalogue
        self._episodes = episodes
        self._limits = limits

    def said(self, draft: Draft, event: Said, now_ms: int) -> None:
        """Take in one word of a node."""
        said = event.alarm
        entity = full_entity(event.node, said.entity)
        old = draft.get(key_id(said.type, entity))
        if said.change is not Change.CLEAR:
            self._episodes.raised(draft, old, self._heard(event, entity, old, now_ms), now_ms)
        else:
            self._episodes.cleared(draft, old, said.reason or "gone", event.at_ms, now_ms)

    def _heard(self, event: Said, entity: str, old: AlarmRow | None, now_ms: int) -> AlarmRow:
        """Return the row that a raise or a change makes, whatever was there before."""
        said = event.alarm
        raised_ms = said.raised_ms or event.at_ms
        count = said.count
        if old is not None and old.state != CLEARED:
            raised_ms = old.raised_ms
            count = max(count, old.count + (said.change is Change.RAISE))
        site = event.node.partition(".")[0]
        return AlarmRow(
            key_id=key_id(said.type, entity),
            id="",
            type=said.type,
            entity=entity,
            site=site,
            node=event.node,
            reporter=event.node,
            said=said.entity,
            severity=said.severity,
            flapping=said.flapping,
            count=count,
            text=said.text
            or text_of(self._catalogue, said.type, said.severity, entity, said.params),
            params=said.params,
            raised_ms=raised_ms,
            changed_ms=event.at_ms,
            received_ms=now_ms,
            unsynced=said.unsynced,
            late=self._is_late(event.at_ms, now_ms, unsynced=said.unsynced),
        )

    def set_said(self, draft: Draft, event: SetSaid, now_ms: int) -> None:
        """Make our set of a node equal to what it says, within the part's bounds."""
        part = event.part
        held = {alarm_key(state): state for state in part.alarms}
        for row in draft.of_reporter(event.node):
            name = key(row.type, row.said)
            inside = name > part.after and (part.through is None or name <= part.through)
            if inside and name not in held and row.state != CLEARED and row.held_ms is None:
                self._episodes.close(draft, row, "reconciled", event.at_ms, now_ms)
        for state in part.alarms:
            self._reconcile(draft, event, state, now_ms)

    def _reconcile(self, draft: Draft, event: SetSaid, state: AlarmState, now_ms: int) -> None:
        said = Alarm(
            v=event.part.v,
            type=state.type,
            change=Change.CHANGE,
            severity=state.severity,
            entity=state.entity,
            text=state.text,
            params=state.params,
            raised_ms=state.raised_ms,
            count=state.count,
            flapping=state.flapping,
            unsynced=event.part.unsynced,
        )
        self.said(draft, Said(event.node, said, state.changed_ms), now_ms)

    def _is_late(self, at_ms: int, now_ms: int, *, unsynced: bool) -> bool:
        behind_ms = now_ms - at_ms
        return not unsynced and behind_ms > self._limits.late_ms


def text_of(
    catalogue: Catalogue,
    type_: str,
    severity: Severity,
    entity: str,
    params: Mapping[str, Scalar],
) -> str:
    """Return the text of a type, rendered; its name where it has none for the severity."""
    record = catalogue.record(type_)
    template = record.severities.get(severity.word, "")
    return cut(render(template, {**dict(parse(entity)), **params})) or record.name


def full_entity(node: str, said: str) -> str:
    """Return the entity from ``site=`` on of what a node says."""
    site, _, name = node.partition(".")
    return f"site={site},node={name},{said}" if said else f"site={site},node={name}"


def alarm_key(state: AlarmState) -> str:
    """Return the key of an alarm of a set, as the node orders them."""
    return key(state.type, state.entity)
