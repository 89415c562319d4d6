"""Storms: when one begins, who belongs to it, who is back, and how it ends."""

import pytest
from alarms import Driven, S, cleared, said

from roost_central.alarms.core import AlarmCore
from roost_central.alarms.facts import Attached, OwnRaised, ToldApart
from roost_central.alarms.incident_row import Cause, IncidentNote
from roost_central.alarms.incidents import NOTES_MAX, Incidents
from roost_central.alarms.open_incident import HOLD_MS
from roost_central.alarms.row import Ack
from roost_central.alarms.storm import SITES_MIN


class Storm(Driven):
    """A driven core whose drafts the incidents see, as the book shows them."""

    def __init__(self, catalogue):
        super().__init__(AlarmCore(catalogue))
        self.incidents = Incidents(catalogue, lambda site: f"r{site[-1]}")
        self.core.join_incidents(self.incidents.of_alarm)
        self.steps = []

    def do(self, *events, wait_ms=0, act=None):
        self.now_ms += wait_ms
        draft = self.core.draft()
        for event in events:
            self.core.handle(draft, event(self.now_ms), self.now_ms)
        for event in act(draft, self.now_ms) if act else ():
            self.core.handle(draft, event, self.now_ms)
        joined = self.incidents.observe(draft, self.now_ms)
        for key_id, incident in joined.items():
            self.core.handle(draft, Attached([key_id], incident), self.now_ms)
        self.core.handle(draft, ToldApart(self.incidents.take_apart()), self.now_ms)
        self.core.settle(draft, self.now_ms)
        self.core.adopt(draft)
        told = [step for step in draft.transitions if step.incident]
        self.steps += told
        return [step.event for step in told]

    @property
    def only(self):
        (row,) = self.incidents.open_rows
        return row

    def members(self):
        return [row for row in self.core.index.rows.values() if row.incident]


@pytest.fixture
def storm(catalogue):
    return Storm(catalogue)


def node(n):
    return f"s{n}.n1"


def strike(storm, count=SITES_MIN, *, first=0, **more):
    return storm.do(*(said(node=node(n), **more) for n in range(first, first + count)))


def test_one_type_at_many_sites_within_a_minute_is_one_incident_with_all_of_them(storm):
    assert strike(storm, SITES_MIN - 1) == []
    assert strike(storm, 1, first=SITES_MIN - 1) == ["incident-open"]
    row = storm.only
    assert (row.kind, row.type, row.sites, row.severity) == ("types", "100.001", 50, S.MAJOR)
    assert len(storm.members()) == SITES_MIN


def test_many_alarms_of_few_sites_or_over_a_longer_time_are_none(storm):
    for n in range(20):
        storm.do(said(node=node(n % 5), entity=f"fs=/{n}"))
    for n in range(SITES_MIN):
        storm.do(said(node=node(n), type_="100.004"), wait_ms=2_000)
    assert storm.incidents.open_rows == []


def test_a_rate_far_above_the_usual_of_a_region_is_one_too(storm):
    for n in range(40):
        storm.do(said(node="s1.n1", entity=f"fs=/{n}"), wait_ms=100)
    assert (storm.only.kind, storm.only.region) == ("rate", "r1")
    storm.do(said(node="s2.n1"))
    assert storm.core.index.rows
    assert all(row.site == "s1" for row in storm.members())


def test_the_incident_of_a_consequence_becomes_that_of_its_cause(storm):
    strike(storm, type_="100.003", entity="port=x", severity=S.MINOR)
    id_ = storm.only.id
    assert strike(storm, type_="100.002", entity="", severity=S.CRITICAL) == ["incident-change"]
    row = storm.only
    assert (row.id, row.type, row.severity, row.sites) == (id_, "100.002", S.CRITICAL, SITES_MIN)
    assert row.alarms == len(storm.members()) == 2 * SITES_MIN
    assert strike(storm, 60, first=200, type_="100.003", entity="port=x") == []
    assert {each.incident for each in storm.members()} == {id_}
    assert len(storm.members()) == 2 * SITES_MIN + 60


def test_an_acknowledged_incident_of_a_consequence_stays_what_was_seen(storm):
    strike(storm, type_="100.003", entity="port=x")
    ack = Ack("jd", 1, "seen")
    id_ = storm.only.id
    storm.do(act=lambda draft, now_ms: storm.incidents.acked(draft, id_, ack, now_ms) and ())
    assert strike(storm, type_="100.002", entity="") == ["incident-open"]
    assert [row.type for row in storm.incidents.open_rows] == ["100.003", "100.002"]


def test_what_comes_later_joins_and_so_does_what_it_may_be_caused_by(storm):
    strike(storm, type_="100.002", entity="")
    storm.do(said(node="s900.n1", type_="100.002", entity=""))
    storm.do(said(node="s901.n1", type_="100.003", entity="port=x"))
    storm.do(said(node="s902.n1"))
    assert len(storm.members()) == SITES_MIN + 2
    assert strike(storm, 60, first=200, type_="100.002", entity="") == []
    assert storm.do(wait_ms=2_000) == ["incident-change"]
    assert storm.only.sites == SITES_MIN + 62


def test_an_acknowledgement_covers_members_and_those_to_come(storm):
    strike(storm)
    ack = Ack("jd", 5, "carrier")
    keys = []

    def act(draft, now_ms):
        keys.extend(storm.incidents.acked(draft, storm.only.id, ack, now_ms))
        return []

    assert storm.do(act=act) == ["incident-change"]
    assert len(keys) == SITES_MIN
    storm.do(said(node="s900.n1"))
    assert storm.row(entity="site=s900,node=n1,fs=/var").ack == ack


def test_a_site_is_back_after_a_quiet_minute_and_the_end_comes_with_the_last(storm):
    strike(storm)
    storm.do(*(cleared(node=node(n)) for n in range(SITES_MIN - 1)))
    assert not storm.incidents.is_due(storm.now_ms)
    storm.do(said(node=node(0)), wait_ms=30_000)
    assert storm.do(wait_ms=31_000) == ["incident-change"]
    assert storm.only.recovered == SITES_MIN - 2
    storm.do(cleared(node=node(0)), cleared(node=node(SITES_MIN - 1)))
    assert storm.do(wait_ms=59_000) == []
    assert storm.incidents.is_due(storm.now_ms + 1_000)
    assert storm.do(wait_ms=2_000) == ["incident-close"]
    closed = storm.steps[-1].incident
    assert (closed.state, closed.reason, closed.not_back) == ("closed", "recovered", [])
    assert storm.incidents.open_rows == []
    assert not storm.incidents.is_due(storm.now_ms)


def test_an_end_by_hand_names_who_is_not_back(storm):
    strike(storm)
    left = []

    def act(draft, now_ms):
        left.extend(storm.incidents.close(draft, storm.only.id, "jd", "split", now_ms))
        return [Attached(left, "")]

    assert storm.do(act=act) == ["incident-close"]
    assert len(storm.steps[-1].incident.not_back) == len(left) == SITES_MIN
    assert storm.members() == []
    storm.do(cleared(node=node(0)))
    assert storm.incidents.find("INC-x") is None


def test_what_was_found_is_shown_once_and_says_of_each_member_whether_it_is_explained(storm):
    strike(storm)
    (id_, sites), *_ = storm.incidents.unexplained()
    told = {}

    def act(draft, now_ms):
        told.update(storm.incidents.explained(draft, id_, {"covered": 49}, ["s0"], now_ms))
        return []

    assert len(sites) == SITES_MIN
    assert storm.do(act=act) == ["incident-change"]
    assert sum(not is_explained for is_explained in told.values()) == 1
    assert storm.only.unexplained == 1
    assert storm.incidents.unexplained() == []
    assert storm.do(act=act) == []
    storm.do(said(node="s900.n1"))
    assert storm.incidents.unexplained()
    assert storm.incidents.explained(storm.core.draft(), "INC-gone", {}, [], 0) == {}


def test_notes_are_kept_and_bounded(storm):
    strike(storm)

    def act(draft, now_ms):
        for n in range(NOTES_MAX + 1):
            note = IncidentNote(now_ms, "jd", str(n))
            storm.incidents.noted(draft, storm.only.id, note, now_ms)
        return []

    storm.do(act=act)
    assert len(storm.only.notes) == NOTES_MAX
    assert storm.only.notes[-1].text == str(NOTES_MAX)


def test_open_incidents_go_on_after_a_restart(storm, catalogue):
    strike(storm)
    again = Storm(catalogue)
    again.core.load(storm.core.index.rows.values(), storm.core.seq)
    again.incidents.load(storm.incidents.open_rows, storm.core.index.rows.values())
    assert again.only.id == storm.only.id
    assert again.incidents.find(again.only.id) == again.only
    again.do(*(cleared(node=node(n)) for n in range(SITES_MIN)), wait_ms=70_000)
    assert again.do(wait_ms=61_000) == ["incident-close"]


def mass(count, *, first=0, of_many=True):
    for n in range(first, first + count):
        entity, params = f"site=s{n}", {"s": 80}
        yield lambda _now_ms, e=entity, s=f"s{n}", p=params: OwnRaised(
            "200.001", e, S.CRITICAL, p, site=s, is_one_of_many=of_many
        )


def test_a_storm_that_was_seen_before_its_alarms_is_an_incident_with_the_first_of_them(storm):
    storm.do(*mass(2, of_many=False))
    assert storm.do(*mass(1, first=2)) == ["incident-open"]
    assert (storm.only.sites, storm.only.region) == (3, ""), "those of a moment ago belong to it"
    assert storm.do(*mass(7, first=3)) == []
    assert len(storm.members()) == 10


def test_what_was_cleared_before_the_incident_began_is_no_member_that_never_comes_back(storm):
    strike(storm, SITES_MIN - 1)
    storm.do(cleared(node=node(0)))
    strike(storm, 1, first=SITES_MIN)
    assert storm.only.sites == SITES_MIN - 1
    assert not any(row.site == "s0" for row in storm.members())


def explain(storm, unexplained, causes=("carrier=carB",)):
    """What the search found is shown, as explain.py does."""
    (row,) = storm.incidents.open_rows
    change = {"causes": [Cause(text, {}, 1.0, 1, 1) for text in causes]}

    def act(draft, now_ms):
        told = storm.incidents.explained(draft, row.id, change, unexplained, now_ms)
        return [Attached(list(told), row.id, told)]

    storm.do(act=act)


def apart(storm):
    return {row.site for row in storm.core.index.rows.values() if row.apart}


def test_what_the_cause_does_not_explain_is_told_apart_with_the_incident_and_once(storm):
    strike(storm)
    explain(storm, ["s3", "s4"])
    assert apart(storm) == set(), "nothing is told before the incident is"
    told = []
    adopt = storm.core.adopt
    storm.core.adopt = lambda draft: (told.extend(draft.transitions), adopt(draft))
    storm.do(wait_ms=HOLD_MS)
    assert apart(storm) == {"s3", "s4"}
    steps = [step for step in told if step.alarm]
    assert {(step.event, step.note) for step in steps} == {("change", "unexplained")}
    assert not any(step.alarm.is_withheld for step in steps)
    explain(storm, ["s3", "s4"])
    assert len([step for step in told if step.alarm]) == 2


def test_what_comes_later_and_is_unexplained_is_told_apart_when_that_is_known(storm):
    strike(storm)
    explain(storm, [])
    storm.do(wait_ms=HOLD_MS)
    storm.do(said(node="s900.n1"))
    assert apart(storm) == set()
    explain(storm, ["s900"])
    assert apart(storm) == {"s900"}
    storm.do(cleared(node="s900.n1"))
    explain(storm, ["s900"])


@pytest.mark.parametrize(
    ("unexplained", "causes"),
    [(50, ("carrier=carB",)), (40, ())],
    ids=["a storm of its own", "no cause is known"],
)
def test_many_that_are_unexplained_are_not_told_one_by_one(storm, unexplained, causes):
    strike(storm, 100)
    explain(storm, [f"s{n}" for n in range(unexplained)], causes)
    storm.do(wait_ms=HOLD_MS)
    assert apart(storm) == set()


def test_what_leaves_its_incident_is_not_apart_from_it_any_more(storm):
    strike(storm)
    explain(storm, ["s3"])
    storm.do(wait_ms=HOLD_MS)
    storm.do(lambda _now_ms: Attached([row.key_id for row in storm.members()], ""))
    assert apart(storm) == set()


def test_an_alarm_is_a_candidate_until_an_incident_takes_it(storm):
    strike(storm, SITES_MIN - 1)
    first = storm.row(entity="site=s0,node=n1,fs=/var")
    assert storm.incidents.is_candidate(first, storm.now_ms)
    strike(storm, 1, first=SITES_MIN)
    first = storm.row(entity="site=s0,node=n1,fs=/var")
    assert not storm.incidents.is_candidate(first, storm.now_ms)


def test_receivers_are_told_once_when_the_hold_is_over(storm):
    strike(storm)
    assert storm.only.held
    assert not storm.incidents.is_due(storm.now_ms + HOLD_MS - 1)
    storm.do(wait_ms=HOLD_MS - 1)
    assert storm.only.held
    assert storm.incidents.is_due(storm.now_ms + 1)
    assert storm.do(wait_ms=1) == ["incident-notify"]
    assert not storm.only.held
    assert storm.do(wait_ms=HOLD_MS) == []


def test_one_that_joins_as_it_is_raised_is_told_as_a_member_and_one_from_before_once_more(storm):
    strike(storm, SITES_MIN - 1)
    told = []
    adopt = storm.core.adopt
    storm.core.adopt = lambda draft: (told.extend(draft.transitions), adopt(draft))
    strike(storm, 2, first=SITES_MIN - 1)
    steps = [(step.event, step.alarm.node) for step in told if step.alarm]
    assert all(step.alarm.incident == storm.only.id for step in told if step.alarm)
    assert steps[:2] == [("raise", node(SITES_MIN - 1)), ("raise", node(SITES_MIN))]
    assert sorted(steps[2:]) == sorted(("change", node(n)) for n in range(SITES_MIN - 1))


def split(storm, *sites, incident=None):
    made = []

    def act(draft, now_ms):
        keys = [row.key_id for row in storm.members() if row.site in sites]
        id_ = incident or storm.only.id
        made.append(
            storm.incidents.split(draft, id_, keys, by="jd", reason="other power", now_ms=now_ms)
        )
        return [Attached(keys, made[0])]

    return storm.do(act=act), made[0]


def test_a_split_makes_some_members_an_incident_of_their_own(storm):
    strike(storm)
    first = storm.only.id
    told, new = split(storm, "s1", "s2", "s3")
    assert told == ["incident-open", "incident-change"]
    one, other = storm.incidents.open_rows
    assert (one.id, one.sites, one.alarms) == (first, SITES_MIN - 3, SITES_MIN - 3)
    assert (other.id, other.sites, other.alarms, other.split_from) == (new, 3, 3, first)
    assert not other.held
    assert other.ack is None
    assert {row.site for row in storm.members() if row.incident == new} == {"s1", "s2", "s3"}
    assert {id_ for id_, _ in storm.incidents.unexplained()} == {first, new}


def test_what_is_raised_later_goes_where_its_site_is(storm):
    strike(storm)
    first = storm.only.id
    _, new = split(storm, "s1", "s2", "s3")
    storm.do(said(node="s2.n2"), said(node="s99.n1"))
    by_node = {row.node: row.incident for row in storm.members()}
    assert (by_node["s2.n2"], by_node["s99.n1"]) == (new, first)


def test_each_part_ends_by_itself_and_the_type_may_storm_again(storm):
    strike(storm, SITES_MIN)
    _, new = split(storm, "s1")
    storm.do(*(cleared(node=node(n)) for n in range(SITES_MIN) if n != 1))
    assert storm.do(wait_ms=61_000) == ["incident-close"]
    assert storm.only.id == new
    assert storm.incidents.of_alarm(storm.members()[0])[0] == new
    strike(storm, SITES_MIN, first=100)
    assert [row.split_from for row in storm.incidents.open_rows] == [storm.steps[0].incident.id, ""]
    storm.do(cleared(node="s1.n1"))
    assert "incident-close" in storm.do(wait_ms=61_000)
    assert [row.split_from for row in storm.incidents.open_rows] == [""]


def test_a_split_is_what_it_was_after_a_restart(storm):
    strike(storm)
    first = storm.only.id
    _, new = split(storm, "s1", "s2")
    rows = storm.incidents.open_rows
    storm.incidents.load(rows, list(storm.core.index.rows.values()))
    storm.do(said(node="s1.n2"), said(node="s99.n1"))
    by_node = {row.node: row.incident for row in storm.members()}
    assert (by_node["s1.n2"], by_node["s99.n1"]) == (new, first)


def test_what_a_closed_incident_leaves_is_told_as_its_own(storm):
    strike(storm)
    told = []
    adopt = storm.core.adopt
    storm.core.adopt = lambda draft: (told.extend(draft.transitions), adopt(draft))

    def act(draft, now_ms):
        return [Attached(storm.incidents.close(draft, storm.only.id, "jd", "done", now_ms), "")]

    storm.do(act=act)
    released = [step for step in told if step.event == "change"]
    assert len(released) == SITES_MIN
    assert {step.alarm.incident for step in released} == {""}
