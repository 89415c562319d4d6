"""Alarms on the wire: what the types cannot say, and a whole set in parts."""

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_protocol.alarm import Alarm, AlarmSet, AlarmState, Change, alarm_sets
from roost_protocol.codec import Decoder, encode
from roost_protocol.digest import EMPTY_SET, alarm_digest
from roost_protocol.entity import key
from roost_protocol.errors import ProtocolError
from roost_protocol.limits import ALARM_SET_ITEMS_MAX
from roost_protocol.severity import Severity


def alarm(**more):
    given = {"type": "100.104", "change": Change.RAISE, "severity": Severity.MAJOR, **more}
    return Alarm(v=1, **given)


def state(type_="100.104", entity="fs=/var", severity=Severity.MAJOR, **more):
    return AlarmState(type_, entity, severity, 1, 2, **more)


def test_a_raise_and_a_clear_are_accepted():
    alarm(entity="fs=/var").check()
    alarm(change=Change.CLEAR, severity=Severity.CLEARED).check()


@pytest.mark.parametrize(
    ("more", "code", "field"),
    [
        ({"severity": Severity.CLEARED}, "severity", "severity"),
        ({"change": Change.CLEAR}, "severity", "severity"),
        ({"entity": "fs"}, "entity", "entity"),
        ({"text": "ä" * 128}, "oversize", "text"),
        ({"params": {str(n): "x" * 200 for n in range(6)}}, "oversize", "params"),
    ],
)
def test_what_is_wrong_is_named(more, code, field):
    with pytest.raises(ProtocolError) as refused:
        alarm(**more).check()
    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_cleared_alarm_is_in_no_set():
    with pytest.raises(ProtocolError, match="severity"):
        state(severity=Severity.CLEARED).check()


def test_an_alarm_of_every_bound_at_once_is_within_the_whole():
    state(entity="a" * 16 + "=" + "v" * 238, text="t" * 255, params={"p": "x" * 255}).check()


@given(st.sets(st.tuples(st.integers(0, 999), st.integers(0, 99)), max_size=300))
def test_the_parts_of_a_set_cover_every_key_once_and_stand_alone(names):
    rows = [state(f"100.{one:03}", f"fs=/{two}") for one, two in names]
    parts = alarm_sets(rows)
    said = [row for part in parts for row in part.alarms]
    assert said == sorted(rows, key=lambda row: key(row.type, row.entity))
    assert parts[0].after == ""
    assert parts[-1].through is None
    for part, following in itertools.pairwise(parts):
        assert part.through == following.after
    for part in parts:
        part.check()
        assert len(part.alarms) <= ALARM_SET_ITEMS_MAX
        assert Decoder[AlarmSet](AlarmSet).decode(encode(part)) == part


def test_an_empty_set_is_one_part_that_says_so():
    (only,) = alarm_sets([])
    assert only == AlarmSet(v=1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"alarms": [state(entity="fs=/b"), state(entity="fs=/a")]},
        {"alarms": [state(), state()]},
        {"after": key("100.104", "fs=/var"), "alarms": [state()]},
        {"through": "100.104|fs=/a", "alarms": [state(entity="fs=/b")]},
        {"after": "100.104|", "through": "100.104|"},
    ],
)
def test_a_set_out_of_order_or_past_its_bounds_is_refused(wrong):
    with pytest.raises(ProtocolError) as refused:
        AlarmSet(v=1, **wrong).check()
    assert refused.value.code == "order"


def test_the_digest_does_not_know_the_order_and_does_know_the_severity():
    one, two = ("100.104", "fs=/var", 3), ("100.101", "", 4)
    assert alarm_digest([one, two]) == alarm_digest([two, one])
    assert alarm_digest([one]) != alarm_digest([("100.104", "fs=/var", 4)])
    assert alarm_digest([]) == EMPTY_SET
    assert alarm_digest([one]) == alarm_digest([("100.104", "fs=/var", Severity.MAJOR)])


def test_more_than_a_part_holds_is_refused_by_the_decoder():
    rows = [state(entity=f"fs=/{n:03}") for n in range(ALARM_SET_ITEMS_MAX + 1)]
    with pytest.raises(ProtocolError, match="type"):
        Decoder[AlarmSet](AlarmSet).decode(encode(AlarmSet(v=1, alarms=rows)))
    assert msgspec.structs.replace(AlarmSet(v=1), alarms=rows[:-1]).alarms
