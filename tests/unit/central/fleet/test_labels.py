"""A change of labels."""

from roost_central.fleet.labels import LabelChange


def test_some_are_set_some_are_taken_away_and_the_others_stay():
    change = LabelChange({"wave": "2"}, frozenset({"rack", "none"}))
    before = {"wave": "1", "rack": "7", "tier": "gold"}
    assert change.applied(before) == {"wave": "2", "tier": "gold"}
    assert before == {"wave": "1", "rack": "7", "tier": "gold"}
    assert LabelChange().applied(before) == before
