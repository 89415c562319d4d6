"""The state of one path: read as a transcript of what happened and what was done."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from roost_agent.paths.core import (
    FLAP_WINDOW_MS,
    FLAPS_MAX,
    LOSS_SAMPLES_MIN,
    LOSS_WINDOW,
    MISSES_DOWN,
    OUTSTANDING_MAX,
    RECONNECT_MS_MAX,
    REFUSED_MS,
    WAN_ANSWER_MS,
    WAN_PROBE_MS,
    Answered,
    Cause,
    Connect,
    Connected,
    Disconnect,
    Hold,
    Lost,
    PathCore,
    Probe,
    Release,
    Sent,
    Start,
    StateChanged,
    Tick,
    Window,
)
from roost_protocol.beat import PathKind, PathState

BEAT_MS = 10_000


def lost(cause=Cause.NETWORK, jitter=0.5, why="reset by peer"):
    return Lost(cause, why, jitter)


def connected(kind, now_ms=0):
    path = PathCore(kind, answer_ms=WAN_ANSWER_MS if kind is PathKind.WAN else BEAT_MS)
    assert path.handle(Start(), now_ms) == [Connect()]
    path.handle(Connected(), now_ms)
    return path


def up(kind, now_ms=0):
    path = connected(kind, now_ms)
    path.handle(Sent(1), now_ms)
    path.handle(Answered(1, 40), now_ms)
    assert path.state is PathState.UP
    return path


def test_a_path_is_unknown_until_it_was_tried():
    path = PathCore(PathKind.WAN)
    path.handle(Start(), 0)
    assert path.state is PathState.UNKNOWN


def test_a_failed_first_attempt_makes_it_down():
    path = PathCore(PathKind.WAN)
    path.handle(Start(), 0)
    changes = path.handle(lost(why="refused"), 5)
    assert changes == [StateChanged(PathState.UNKNOWN, PathState.DOWN, "refused")]


def test_why_it_is_down_is_what_the_last_attempt_met():
    path = up(PathKind.WAN)
    path.handle(lost(why="closed"), 5)
    assert path.why == "closed"
    assert path.handle(lost(Cause.REFUSED, why="revoked"), 9) == []
    assert (path.state, path.why, path.since_ms) == (PathState.DOWN, "revoked", 5)


def test_an_open_socket_alone_is_not_up():
    path = PathCore(PathKind.WAN)
    path.handle(Start(), 0)
    assert path.handle(Connected(), 10) == [Probe()]
    assert path.state is PathState.UNKNOWN


def test_an_answered_report_makes_a_wan_path_up():
    path = connected(PathKind.WAN)
    path.handle(Sent(1), 0)
    actions = path.handle(Answered(1, 1234), 1)
    assert actions == [StateChanged(PathState.UNKNOWN, PathState.UP, "answered")]
    assert path.rtt_us == 1234


def test_its_own_echo_makes_a_site_path_up_and_no_probe_is_asked():
    path = PathCore(PathKind.SITE, answer_ms=BEAT_MS)
    path.handle(Start(), 0)
    assert path.handle(Connected(), 0) == []
    path.handle(Sent(1), 0)
    path.handle(Answered(1, 300), 1)
    assert path.state is PathState.UP


def test_an_answer_to_another_connections_probe_proves_nothing():
    path = connected(PathKind.WAN)
    path.handle(Sent(7), 0)
    path.handle(lost(), 1)
    path.handle(Tick(), path.due_ms())
    path.handle(Connected(), 1_000)
    path.handle(Answered(7, 40), 1_001)
    assert path.state is PathState.DOWN


def test_a_quiet_wan_path_is_probed_every_five_minutes():
    path = up(PathKind.WAN)
    assert path.due_ms() == WAN_PROBE_MS
    assert path.handle(Tick(), WAN_PROBE_MS) == [Probe()]


def test_a_silent_connection_is_ended_after_three_misses():
    path, now_ms = up(PathKind.WAN), 0
    actions = []
    for probe in range(2, 2 + MISSES_DOWN):
        path.handle(Sent(probe), now_ms)
        now_ms += WAN_ANSWER_MS
        actions += path.handle(Tick(), now_ms)
    why = "3 probes in a row without an answer"
    assert actions == [
        Probe(),
        Probe(),
        Disconnect(why),
        StateChanged(PathState.UP, PathState.DOWN, why),
    ]


def test_a_late_answer_does_not_count_as_received():
    path = up(PathKind.SITE)
    path.handle(Sent(2), 0)
    path.handle(Tick(), BEAT_MS)
    path.handle(Answered(2, 11_000_000), BEAT_MS + 1)
    assert path.loss_permille == 500


def test_loss_makes_a_path_flaky_and_it_stays_so_until_loss_is_well_below():
    path, now_ms, probe = up(PathKind.SITE), 0, 1
    for index in range(LOSS_WINDOW):
        probe, now_ms = probe + 1, now_ms + BEAT_MS
        path.handle(Sent(probe), now_ms - BEAT_MS)
        if index % 10:
            path.handle(Answered(probe, 40), now_ms - 1)
        path.handle(Tick(), now_ms)
        if index + 2 < LOSS_SAMPLES_MIN:
            assert path.state is PathState.UP
    assert path.state is PathState.FLAKY
    assert path.loss_permille == 100
    while path.loss_permille > 20:
        assert path.state is PathState.FLAKY
        probe += 1
        path.handle(Sent(probe), now_ms)
        path.handle(Answered(probe, 40), now_ms)
    assert path.state is PathState.UP


def test_a_path_that_falls_again_and_again_is_flaky_for_a_while():
    path, now_ms = up(PathKind.SITE), 0
    for _ in range(FLAPS_MAX):
        path.handle(lost(), now_ms)
        now_ms = path.due_ms()
        assert path.handle(Tick(), now_ms) == [Connect()]
        path.handle(Connected(), now_ms)
        path.handle(Sent(now_ms), now_ms)
        path.handle(Answered(now_ms, 40), now_ms)
    assert path.state is PathState.FLAKY
    path.handle(Tick(), path.due_ms())
    assert path.state is PathState.UP
    assert path.due_ms() is None or path.due_ms() > FLAP_WINDOW_MS


def delays(path, events):
    found, now_ms = [], 0
    for event in events:
        path.handle(event, now_ms)
        found.append(path._connect_ms - now_ms)
        now_ms = path._connect_ms
        path.handle(Tick(), now_ms)
    return found


def test_after_a_working_central_broker_the_first_try_spreads_over_centrals_window():
    path = up(PathKind.WAN)
    path.handle(Window(100_000), 0)
    assert delays(path, [lost(jitter=0.5)]) == [50_000]


def test_later_tries_back_off_to_five_minutes_with_full_jitter():
    path = up(PathKind.WAN)
    found = delays(path, [lost(jitter=1.0) for _ in range(12)])
    assert found[1:4] == [2_000, 4_000, 8_000]
    assert found[-1] == RECONNECT_MS_MAX
    assert delays(up(PathKind.WAN), [lost(jitter=0.0)] * 5) == [100] * 5


def test_site_paths_try_again_within_a_second_for_ever():
    path = up(PathKind.SITE)
    assert set(delays(path, [lost(jitter=1.0)] * 20)) == {1_000}
    assert set(delays(path, [lost(jitter=0.0)] * 20)) == {200}


@pytest.mark.parametrize("kind", list(PathKind))
def test_a_refused_credential_waits_from_a_minute_to_an_hour(kind):
    path = connected(kind)
    assert delays(path, [lost(Cause.REFUSED, 0.0)]) == [REFUSED_MS[0]]
    found = delays(path, [lost(Cause.REFUSED, 1.0) for _ in range(10)])
    assert found == sorted(found)
    assert found[-1] == REFUSED_MS[1]


def test_a_held_path_is_down_and_stays_disconnected_until_the_hold_ends():
    path = up(PathKind.WAN)
    actions = path.handle(Hold(60_000), 1_000)
    assert actions == [
        Disconnect("held by an operator"),
        StateChanged(PathState.UP, PathState.DOWN, "held by an operator"),
    ]
    path.handle(lost(why="held"), 1_001)
    assert path.due_ms() == 60_000
    assert path.handle(Tick(), 59_999) == []
    assert path.handle(Tick(), 60_000) == [Connect()]


def test_probes_past_what_is_remembered_count_as_lost():
    path = up(PathKind.WAN)
    for probe in range(2, OUTSTANDING_MAX + 3):
        path.handle(Sent(probe), 0)
    assert path.loss_permille == 500


def test_a_probe_on_no_connection_is_not_waited_for():
    path = PathCore(PathKind.WAN)
    path.handle(Sent(1), 0)
    assert (path.due_ms(), path.loss_permille) == (None, 0)


def test_a_hold_tells_how_long():
    path = up(PathKind.WAN)
    assert path.held_until_ms is None
    path.handle(Hold(60_000), 1_000)
    assert path.held_until_ms == 60_000


def test_release_ends_a_hold_at_once():
    path = up(PathKind.WAN)
    path.handle(Hold(60_000), 1_000)
    path.handle(lost(), 1_001)
    assert path.handle(Release(), 2_000) == [Connect()]


class PathMachine(RuleBasedStateMachine):
    """A driver that connects and loses, and a far end that answers or does not."""

    @initialize(kind=st.sampled_from(list(PathKind)))
    def start(self, kind):
        self.path = PathCore(kind, answer_ms=BEAT_MS)
        self.now_ms = 0
        self.busy = False
        self.held_until_ms = 0
        self.see(Start())

    def see(self, event):
        for action in self.path.handle(event, self.now_ms):
            if isinstance(action, Connect):
                assert not self.busy, "two attempts at a time"
                assert self.now_ms >= self.held_until_ms, "an attempt on a held path"
                self.busy = True

    @rule(wait_ms=st.integers(0, 20_000))
    def time_passes(self, wait_ms):
        self.now_ms += wait_ms
        self.see(Tick())

    @rule()
    def its_deadline_comes(self):
        if (due_ms := self.path.due_ms()) is not None:
            self.now_ms = max(self.now_ms, due_ms)
            self.see(Tick())
            assert self.path.due_ms() is None or self.path.due_ms() > self.now_ms, "it spins"

    @precondition(lambda self: self.busy)
    @rule()
    def broker_accepts(self):
        self.see(Connected())

    @precondition(lambda self: self.busy)
    @rule(cause=st.sampled_from(list(Cause)), jitter=st.floats(0, 1))
    def connection_ends(self, cause, jitter):
        self.busy = False
        self.see(lost(cause, jitter))

    @rule(probe=st.integers(0, 40))
    def a_probe_leaves(self, probe):
        self.see(Sent(probe))

    @rule(probe=st.integers(0, 40))
    def an_answer_comes(self, probe):
        self.see(Answered(probe, 50))

    @rule()
    def operator_holds(self):
        self.held_until_ms = self.now_ms + 30_000
        self.see(Hold(self.held_until_ms))

    @rule()
    def operator_releases(self):
        self.held_until_ms = 0
        self.see(Release())

    @invariant()
    def up_means_connected_and_not_held(self):
        if self.path.state in {PathState.UP, PathState.FLAKY}:
            assert self.path.connected
            assert self.now_ms >= self.held_until_ms

    @invariant()
    def what_it_remembers_is_bounded(self):
        assert len(self.path._outstanding) <= OUTSTANDING_MAX
        assert 0 <= self.path.loss_permille <= 1000


PathMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
test_whatever_happens_the_promises_hold = PathMachine.TestCase
