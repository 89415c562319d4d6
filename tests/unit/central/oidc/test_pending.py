"""A login that waits for its browser: good once, for a while, for that browser, and bounded."""

import pytest

from roost_central.oidc.pending import LOGIN_MS_MAX, PENDING_MAX, Pending, PendingLogins, digest

PENDING = Pending(digest("browser"), "nonce", "verifier", "/alarms", 5)


@pytest.fixture
def logins():
    logins = PendingLogins()
    logins.add("state", PENDING, 1_000)
    return logins


def test_who_began_it_ends_it(logins):
    assert logins.take("state", "browser", 1_000 + LOGIN_MS_MAX - 1) == PENDING


def test_it_is_good_once(logins):
    logins.take("state", "browser", 1_001)

    assert logins.take("state", "browser", 1_002) is None


def test_it_ends_by_time(logins):
    assert logins.take("state", "browser", 1_000 + LOGIN_MS_MAX) is None


def test_it_is_of_one_browser_and_a_wrong_one_spoils_it(logins):
    assert logins.take("state", "another", 1_001) is None
    assert logins.take("state", "browser", 1_001) is None


def test_a_state_that_nobody_began_is_nobodys(logins):
    assert logins.take("", "", 1_001) is None
    assert len(logins) == 1


def test_the_oldest_goes_when_there_are_too_many(logins):
    for number in range(PENDING_MAX):
        logins.add(f"s{number}", PENDING, 1_000)

    assert len(logins) == PENDING_MAX
    assert logins.take("state", "browser", 1_001) is None
    assert logins.take("s0", "browser", 1_001) == PENDING
