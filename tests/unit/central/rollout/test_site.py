"""A site that falls silent and comes back, whatever its job is at."""

from rollout_site import job, standing, terms

from roost_central.rollout.site import look
from roost_central.rollout.table import JobState as J


def test_a_silent_site_keeps_its_place_and_its_soak():
    soaking = job(J.SOAKING, since_ms=0, touched=True)
    dark = look(soaking, standing(is_dark=True), terms(), 100_000)
    assert (dark.state, dark.was, dark.soaked_ms) == (J.UNREACHABLE, J.SOAKING, 100_000)
    back = look(dark, standing(), terms(), 900_000)
    assert back.state is J.SOAKING
    assert look(back, standing(), terms(), 900_000 + 199_999).state is J.SOAKING
    assert look(back, standing(), terms(), 900_000 + 200_000).state is J.SUCCEEDED


def test_who_was_updated_and_stays_silent_is_lost_until_it_is_back():
    for state in (J.SOAKING, J.SUCCEEDED):
        dark = look(job(state, touched=True), standing(is_dark=True), terms(), 0 + 1)
        lost = look(dark, standing(is_dark=True), terms(), 600_001)
        assert lost.is_lost
        assert not look(lost, standing(), terms(), 600_002).is_lost
