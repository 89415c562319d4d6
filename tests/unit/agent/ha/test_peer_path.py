"""The word for one path to one peer."""

from roost_agent.ha.peer_path import PeerPath, PeerPathState

H_MS = 100
S = PeerPathState


def beaten(path, count, *, start_ms=0, every_ms=H_MS):
    for n in range(count):
        now_ms = start_ms + n * every_ms
        path.heard(now_ms, H_MS, now_ms)
        path.beat(now_ms)
    return start_ms + (count - 1) * every_ms


def state(path, now_ms, *, is_seen=True, is_echoing=True):
    return path.state(now_ms, is_seen=is_seen, is_echoing=is_echoing)


def test_who_hears_whom_makes_the_state():
    path = PeerPath(H_MS)
    assert state(path, 0, is_seen=False) is S.DOWN
    assert state(path, 0) is S.ONEWAY_OUT
    now_ms = beaten(path, 5)
    assert state(path, now_ms) is S.UP
    assert state(path, now_ms, is_seen=False) is S.ONEWAY_IN
    assert state(path, now_ms + 4 * H_MS) is S.UP
    assert state(path, now_ms + 4 * H_MS + 1) is S.ONEWAY_OUT


def test_without_our_own_echo_nothing_is_said_of_the_peer():
    path = PeerPath(H_MS)
    assert state(path, beaten(path, 5), is_echoing=False) is S.UNKNOWN


def test_old_news_in_a_burst_does_not_make_a_path_heard():
    path = PeerPath(H_MS)
    path.heard(0, H_MS, 10_000)
    assert not path.is_heard(10_000)


def test_a_fourth_of_the_beats_lost_is_flaky_until_it_is_clearly_better():
    path = PeerPath(H_MS)
    now_ms = beaten(path, 15)
    assert path.loss_permille(now_ms) == 0, "too few to judge"
    for n in range(200):
        now_ms += H_MS
        if n % 4:
            path.heard(now_ms, H_MS, now_ms)
            path.beat(now_ms)
    assert 200 < path.loss_permille(now_ms) <= 260
    assert state(path, now_ms) is S.FLAKY
    now_ms = beaten(path, 250, start_ms=now_ms + H_MS)
    assert path.loss_permille(now_ms) < 60
    assert state(path, now_ms) is S.UP


def test_between_the_two_limits_the_word_stays():
    path = PeerPath(H_MS)
    now_ms = 0
    for n in range(300):
        now_ms += H_MS
        path.heard(now_ms, H_MS, now_ms)
        if n % 6:  # one in six is lost
            path.beat(now_ms)
    assert 150 < path.loss_permille(now_ms) < 200
    assert state(path, now_ms) is S.UP
    path._is_flaky = True
    assert state(path, now_ms) is S.FLAKY


def test_a_path_that_was_dead_for_long_is_judged_anew():
    path = PeerPath(H_MS)
    now_ms = beaten(path, 100)
    now_ms = beaten(path, 30, start_ms=now_ms + 10_000)
    assert path.loss_permille(now_ms) == 0


def test_a_peer_that_beats_slower_is_waited_for():
    path = PeerPath(H_MS)
    path.heard(0, 10 * H_MS, 0)
    assert path.is_heard(40 * H_MS)
