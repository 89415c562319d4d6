"""Acts of operators on one alarm."""

from alarms import said

from roost_central.alarms.facts import Acted


def acted(driven, verb, **more):
    return driven.do(Acted(verb, driven.row().key_id, "jd", **more))


def test_an_acknowledgement_is_told_once_and_taken_back_once(driven):
    driven.do(said())
    assert [acted(driven, verb) for verb in ("ack", "ack", "unack", "unack")] == [
        ["ack"], [], ["unack"], [],
    ]  # fmt: skip


def test_what_is_assigned_already_is_no_step(driven):
    driven.do(said())
    assert acted(driven, "assign", assignee="jd") == ["assign"]
    assert acted(driven, "assign", assignee="jd") == []
    assert acted(driven, "clear", note="by hand") == ["clear"]
