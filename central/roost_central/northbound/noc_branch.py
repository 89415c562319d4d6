"""One tree of the NOC's broker, and what is already told in it: whole, collapsed, or a tenant's.

Pure: it says what to publish, mqtt.py publishes. Invariants: a tenant's tree holds nothing of a
site that its query does not select; a collapsed one no member of an incident, and nobody hears
there of the end of what was never told; an older transition never takes the place of a newer one.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from roost_central.alarms.flat import Flat, FlatAlarm, FlatIncident, FlatSummary
from roost_central.alarms.transition import Transition
from roost_central.northbound import noc_tree
from roost_central.northbound.core import Audience
from roost_central.northbound.noc_tree import ROOT, Message, SiteState

NEVER: Final = -1


@dataclass(frozen=True, slots=True)
class Present:
    """All that is open, as of one transition.

    Attributes:
        alarms: rows, which have key_id, type, site, incident and is_withheld; ``flat`` makes them
            flat.
        waits: whether an alarm, by key_id, is not told yet where members are not.
    """

    alarms: Sequence[Any]
    incidents: Sequence[FlatIncident]
    flat: Callable[[Any], FlatAlarm]
    seq: int
    waits: Callable[[str], bool] = lambda _key_id: False


@dataclass(slots=True)
class _Hit:
    """What of a tenant's own an incident hits."""

    sites: dict[str, None] = field(default_factory=dict)
    alarms: int = 0


class Branch:
    """One tree.

    Attributes:
        root: what its topics begin with.
        selects: which sites are in it; None: all, and what belongs to none.
        is_behind: something must be looked for in all that is open; see ``refresh``.
    """

    def __init__(
        self,
        root: str = ROOT,
        *,
        collapse: bool = False,
        selects: Callable[[str], bool] | None = None,
        values: Sequence[str] = (),
    ) -> None:
        self.root = root
        self.selects = selects
        self.is_behind = False
        self._collapse = collapse
        self._values = values
        self._audience = Audience()  # what was told as an event stays told over connections
        self._alarms: dict[str, int] = {}  # topic -> seq of what stands there
        self._incidents: dict[str, int] = {}
        self._closing: list[tuple[int, str]] = []  # due, topic: over, soon to be emptied
        self._sites: dict[str, SiteState] = {}
        self._due: dict[str, None] = {}  # sites to look at
        self._numbers: dict[tuple[str, str], int] = {}
        self._hits: dict[str, _Hit] = {}
        self._summary: FlatSummary | None = None

    @property
    def collapses(self) -> bool:
        """Whether the members of incidents are left out."""
        return self._collapse

    @property
    def is_partial(self) -> bool:
        """Whether something that is open may be left out."""
        return self._collapse or self.selects is not None

    def truth(self, present: Present, states: Mapping[str, SiteState]) -> list[Message]:
        """Return every retained message as it should be now, and begin anew with them."""
        for told in (self._alarms, self._incidents, self._sites, self._numbers, self._hits):
            told.clear()
        self._closing, self._summary, self._due = [], None, dict.fromkeys(states)
        return self.refresh(present) + self.sites(states)

    def refresh(self, present: Present) -> list[Message]:
        """Return what a look at all that is open adds to the tree, and takes from it.

        An alarm enters or leaves an incident, or a site a tenant, without a transition.
        """
        self.is_behind = False
        messages = self._left()
        self._count(present)
        for row in present.alarms:
            topic = noc_tree.alarm_place(row.site, row.type, row.key_id, self.root)
            is_member = self._collapse and row.incident and row.is_withheld
            if is_member or not self._has(row.site):
                if self._alarms.pop(topic, None) is not None:
                    messages.append(Message(topic, b""))
            elif topic not in self._alarms and not (self._collapse and present.waits(row.key_id)):
                self._alarms[topic] = present.seq
                messages.append(noc_tree.state_of(present.flat(row), self.root))
        for incident in present.incidents:
            if self._incident_place(incident.id) not in self._incidents:
                messages += self._incident(incident)
        return messages

    def changed(self, flat: Flat, now_ms: int) -> list[Message]:
        """Return the messages of a transition: its event, and its state unless that is newer."""
        if isinstance(flat, FlatIncident):
            messages = self._incident(flat)
            self._close_later(messages, flat, now_ms)
            return messages
        if not self._has(flat.site):
            return []
        is_member = self._collapse and bool(flat.incident) and flat.suppressed
        messages = []
        event = flat.event
        if self._collapse:
            event = self._audience.tells(flat.event, flat.key_id, is_suppressed=is_member)
        if event:
            messages.append(noc_tree.event_of(replace(flat, event=event), self.root))
        states = self._alarm(flat, is_member=is_member)
        self._close_later(states, flat, now_ms)
        return messages + states

    def pass_over(self, steps: Sequence[Transition]) -> None:
        """Note that nothing of an alarm's steps, the first its raise, is told here."""
        self._audience.pass_over(steps)

    def emptied(self, now_ms: int, limit: int) -> list[Message]:
        """Return what was cleared a minute ago, to be emptied; no more than ``limit`` at once."""
        messages: list[Message] = []
        while self._closing and self._closing[0][0] <= now_ms and len(messages) < limit:
            _, topic = heapq.heappop(self._closing)
            if topic not in self._alarms and topic not in self._incidents:  # not raised again
                messages.append(Message(topic, b""))
        return messages

    def touch_sites(self, sites: Iterable[str]) -> None:
        """Note sites that changed, are gone, or may have become or ceased to be this tree's."""
        self._due |= dict.fromkeys(sites)

    def sites(self, states: Mapping[str, SiteState], limit: int | None = None) -> list[Message]:
        """Return the states of touched sites that changed, and empty those that are gone.

        Where there are more than ``limit``, or a few more, the next call goes on.
        """
        messages: list[Message] = []
        while self._due and (limit is None or len(messages) < limit):
            name, _ = self._due.popitem()
            state = states.get(name) if self._has(name) else None
            if state is not None and self._sites.get(name) is not state:
                self._sites[name] = state
                messages += self._site(state)
            elif state is None and self._sites.pop(name, None) is not None:
                messages += self._no_site(name)
        return messages

    def summary(self, summary: FlatSummary) -> list[Message]:
        """Return the summary, if it is another one."""
        before = self._summary
        if before is not None and replace(before, ts=summary.ts) == summary:
            return []
        self._summary = summary
        return [noc_tree.summary_of(summary, self.root)]

    def _has(self, site: str | None) -> bool:
        return self.selects is None or self.selects(site or "")

    def _incident_place(self, incident: str) -> str:
        return noc_tree.incident_topic(incident, self.root)

    def _left(self) -> list[Message]:
        """Empty what stands of sites that are not selected any more."""
        if self.selects is None:
            return []
        place = self.root.count("/") + 2
        gone = [topic for topic in self._alarms if not self._has(topic.split("/")[place])]
        for topic in gone:
            del self._alarms[topic]
        return [Message(topic, b"") for topic in gone]

    def _count(self, present: Present) -> None:
        """Count what each incident hits of a tenant's own; of one that ends the last is kept."""
        if self.selects is None:
            return
        found: dict[str, _Hit] = {}
        for row in present.alarms:
            if row.incident and self._has(row.site):
                hit = found.setdefault(row.incident, _Hit())
                hit.sites[row.site or ""] = None
                hit.alarms += 1
        told = [id_ for id_ in self._hits if self._incident_place(id_) in self._incidents]
        known = [incident.id for incident in present.incidents]
        kept = self._hits | found
        self._hits = {id_: kept[id_] for id_ in (*told, *known) if id_ in kept}

    def _alarm(self, flat: FlatAlarm, *, is_member: bool) -> list[Message]:
        topic = noc_tree.alarm_topic(flat, self.root)
        if flat.incident and flat.incident not in self._hits:
            self.is_behind = self.selects is not None
        if flat.seq <= self._alarms.get(topic, NEVER):
            return []
        if noc_tree.is_over(flat):
            was_told = self._alarms.pop(topic, None) is not None
            return [] if is_member and not was_told else [noc_tree.state_of(flat, self.root)]
        if is_member:
            was_told = self._alarms.pop(topic, None) is not None
            return [Message(topic, b"")] if was_told else []
        self._alarms[topic] = flat.seq
        return [noc_tree.state_of(flat, self.root)]

    def _incident(self, flat: FlatIncident) -> list[Message]:
        topic = self._incident_place(flat.id)
        hit = self._hits.get(flat.id)
        if self.selects is not None and hit is None:  # none of this tenant's sites
            return []
        if flat.seq <= self._incidents.get(topic, NEVER):
            return []
        if noc_tree.is_over(flat):
            self._incidents.pop(topic, None)
            self._hits.pop(flat.id, None)
        else:
            self._incidents[topic] = flat.seq
        if hit is None:
            return [noc_tree.state_of(flat, self.root)]
        return [noc_tree.tenant_incident(flat, len(hit.sites), hit.alarms, self.root)]

    def _close_later(self, messages: Iterable[Message], flat: Flat, now_ms: int) -> None:
        if noc_tree.is_over(flat):
            for message in messages:
                heapq.heappush(self._closing, (now_ms + noc_tree.CLEARED_MS, message.topic))

    def _no_site(self, name: str) -> list[Message]:
        topics = [noc_tree.site_topic(name, self.root)]
        topics += [noc_tree.value_topic(name, value, self.root) for value in self._values]
        for value in self._values:
            self._numbers.pop((name, value), None)
        return [Message(topic, b"") for topic in topics]

    def _site(self, state: SiteState) -> list[Message]:
        messages = [Message(noc_tree.site_topic(state.site, self.root), msgspec.json.encode(state))]
        for name in self._values:
            number = int(getattr(state, name))
            if self._numbers.get((state.site, name)) != number:
                self._numbers[state.site, name] = number
                topic = noc_tree.value_topic(state.site, name, self.root)
                messages.append(Message(topic, str(number).encode()))
        return messages
