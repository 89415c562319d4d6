"""Frames that no member made: many in a minute are told, a few are not."""

from roost_agent.ha.forgery import FRAMES_MAX, MINUTE_MS, Forgery


def test_a_few_frames_in_each_minute_are_not_told_however_long_it_goes_on():
    forgery = Forgery(0)
    for minute in range(1, 100):
        assert forgery.look({"mac": FRAMES_MAX * minute}, minute * MINUTE_MS) == ""


def test_many_in_one_minute_are_told_by_kind_until_a_minute_brings_few():
    forgery = Forgery(0)
    counts = {"mac": FRAMES_MAX, "replayed": 1, "old-incarnation": 500}
    assert forgery.look(counts, MINUTE_MS - 1) == ""
    told = "made with another key, that had come before"
    assert forgery.look(counts, MINUTE_MS) == told
    assert forgery.look(counts, 2 * MINUTE_MS - 1) == told
    assert forgery.look(counts, 2 * MINUTE_MS) == ""


def test_what_every_restart_brings_does_not_count():
    forgery = Forgery(0)
    assert forgery.look({"old-incarnation": 500, "other-boot": 500}, MINUTE_MS) == ""


def test_what_came_before_the_last_look_counts_once():
    forgery = Forgery(0)
    assert forgery.look({"stranger": 500}, MINUTE_MS) == "from no member's address"
    assert forgery.look({"stranger": 500 + FRAMES_MAX}, 2 * MINUTE_MS) == ""
