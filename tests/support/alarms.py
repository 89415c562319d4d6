"""Alarms to drive a core with: what nodes say, what the centre sees, and a core that commits."""

from dataclasses import dataclass, field

from roost_central.alarms.core import AlarmCore
from roost_central.alarms.facts import NodeDark, OwnCleared, OwnRaised, Said, SetSaid, Shelf, Tick
from roost_protocol.alarm import Alarm, AlarmState, Change, alarm_sets
from roost_protocol.severity import Severity

TYPE = """\
"{id}":
  name: {name}
  source: agent
  severities: {{{texts}}}
  default: {default}
  repair: "r"
  x733: {{event_type: qos, cause: unknown}}
"""


def _type(id_, name, texts, *more, default="major"):
    lines = TYPE.format(id=id_, name=name, texts=texts, default=default)
    return lines + "".join(f"  {line}\n" for line in more)


CATALOGUE = "".join(
    (
        _type("100.001", "fs", 'minor: "m", major: "M {value}", critical: "C"', "entity: [fs]"),
        _type("100.002", "node", 'major: "down"'),
        _type(
            "100.003",
            "child",
            'major: "{port} down"',
            "entity: [port]",
            'inhibited_by: ["200.001", "100.002"]',
        ),
        _type("100.004", "latched", 'major: "x"', "entity: [fs]", "latch: true"),
        _type(
            "200.001",
            "site",
            'critical: "silent {s}"',
            "params: [s]",
            "suppressible: false",
            default="critical",
        ),
    )
)
S = Severity


def said(type_="100.001", entity="fs=/var", severity=S.MAJOR, *, node="lab.n1", at_ms=None, **more):
    change = Change.CLEAR if severity is S.CLEARED else Change.RAISE
    return lambda now_ms: Said(
        node,
        Alarm(
            v=1, **{"type": type_, "change": change, "severity": severity, "entity": entity, **more}
        ),
        now_ms if at_ms is None else at_ms,
    )


def cleared(type_="100.001", entity="fs=/var", **more):
    return said(type_, entity, S.CLEARED, **more)


def whole(*states, node="lab.n1"):
    rows = [AlarmState(type_, entity, severity, 1, 2) for type_, entity, severity in states]
    return [SetSaid(node, part, 2) for part in alarm_sets(rows)]


def silent(site="lab"):
    return OwnRaised("200.001", f"site={site}", S.CRITICAL, {"s": 80}, site=site)


def heard(site="lab"):
    return OwnCleared("200.001", f"site={site}")


def dark(node="lab.n1"):
    return NodeDark(node)


@dataclass
class Driven:
    """A core whose every draft is committed, and what it told."""

    core: AlarmCore
    now_ms: int = 1_800_000_000_000
    told: list = field(default_factory=list)

    def do(self, *events, wait_ms=0):
        """Handle events in one transaction; return what was told, as (event, type, site)."""
        self.now_ms += wait_ms
        draft = self.core.draft()
        for event in events:
            made = event(self.now_ms) if callable(event) else event
            self.core.handle(draft, made, self.now_ms)
        self.core.settle(draft, self.now_ms)
        self.core.adopt(draft)
        self.core.index.check_invariants()
        self.told += draft.transitions
        return [step.event for step in draft.transitions]

    def tick(self, wait_ms):
        return self.do(Tick(), wait_ms=wait_ms)

    @property
    def rows(self):
        return {(row.type, row.entity): row for row in self.core.index.rows.values()}

    def row(self, type_="100.001", entity="site=lab,node=n1,fs=/var"):
        return self.rows.get((type_, entity))


def key_of(driven, **where):
    """Return the key of the one alarm."""
    return driven.row(**where).key_id


def shelf(**more):
    """Return a shelf without an end in sight."""
    given = {"id": "s1", "by": "jd", "reason": "lab", "made_ms": 0, "until_ms": 2**60, **more}
    return Shelf(**given)
