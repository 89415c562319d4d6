"""When hardware is probed."""

from hypothesis import given
from hypothesis import strategies as st

from roost_agent.discovery.registry import PROBES
from roost_agent.wake.core import (
    DEVICE_QUIET_MS,
    NETWORK,
    NETWORK_QUIET_MS,
    NETWORK_SPACING_MS,
    RETRY_MS,
    SUBSYSTEMS,
    WAIT_MS_MAX,
    Asked,
    DeviceMoved,
    LinksMoved,
    Probe,
    Probed,
    Stale,
    Start,
    Tick,
    WakeCore,
)

HOURS_6_MS = 6 * 3_600_000
LINKS = Probe(tuple(sorted(NETWORK)))


def started(now_ms=0):
    core = WakeCore(interval_ms=HOURS_6_MS)
    assert core.handle(Start(), now_ms) == [Probe(())]
    assert core.handle(Probed(ok=True, jitter=0.5), now_ms) == []
    return core


def test_everything_is_probed_at_the_start_and_then_at_intervals():
    core = started()
    assert core.due_ms() == HOURS_6_MS
    assert core.handle(Tick(), HOURS_6_MS) == [Probe(())]


def test_nothing_is_due_before_the_start():
    assert WakeCore(interval_ms=HOURS_6_MS).due_ms() is None


def test_the_full_probe_is_spread_over_a_tenth_of_its_interval():
    for jitter, share in ((0.0, 0.9), (0.999999, 1.1)):
        core = WakeCore(interval_ms=HOURS_6_MS)
        core.handle(Start(), 0)
        core.handle(Probed(ok=True, jitter=jitter), 0)
        assert abs(core.due_ms() - share * HOURS_6_MS) < 1_000


def test_a_burst_of_link_messages_is_one_probe_once_it_is_quiet():
    core = started()
    for now_ms in range(1_000, 1_200, 10):
        assert core.handle(LinksMoved(), now_ms) == []
    assert core.due_ms() == 1_190 + NETWORK_QUIET_MS
    assert core.handle(Tick(), core.due_ms()) == [LINKS]


def test_probes_of_the_network_are_ten_seconds_apart():
    core = started()
    core.handle(LinksMoved(), 0)
    core.handle(Tick(), NETWORK_QUIET_MS)
    core.handle(Probed(ok=True, jitter=0), 600)
    core.handle(LinksMoved(), 700)
    assert core.due_ms() == NETWORK_QUIET_MS + NETWORK_SPACING_MS


def test_a_link_that_never_rests_is_probed_all_the_same():
    core, probes = started(), []
    for now_ms in range(0, 60_000, 100):
        if found := core.handle(LinksMoved(), now_ms):
            probes += found
            core.handle(Probed(ok=True, jitter=0), now_ms)
    assert 4 <= len(probes) <= 6


def test_a_device_wakes_the_classes_of_its_subsystem():
    core = started()
    core.handle(DeviceMoved("usb"), 0)
    core.handle(DeviceMoved("nobody knows"), 0)
    assert core.handle(Tick(), DEVICE_QUIET_MS) == [Probe(("usb",))]


def test_what_wakes_during_a_probe_is_probed_after_it():
    core = started()
    assert core.handle(Asked(("cpu",)), 0) == [Probe(("cpu",))]
    assert core.handle(Stale(("os",)), 1) == []
    assert core.due_ms() is None
    assert core.handle(Probed(ok=True, jitter=0), 2) == [Probe(("os",))]


def test_an_operator_gets_a_full_probe_at_once():
    assert started().handle(Asked(()), 5) == [Probe(())]


def test_a_failed_probe_is_tried_again_in_a_minute():
    core = started()
    core.handle(Asked(("cpu",)), 0)
    core.handle(Probed(ok=False, jitter=0), 10)
    assert core.due_ms() == 10 + RETRY_MS
    full = WakeCore(interval_ms=HOURS_6_MS)
    full.handle(Start(), 0)
    full.handle(Probed(ok=False, jitter=0), 0)
    assert full.due_ms() == RETRY_MS


def test_every_class_that_is_woken_can_be_probed():
    assert {each for classes in SUBSYSTEMS.values() for each in classes} <= PROBES.keys()


_events = st.one_of(
    st.just(LinksMoved()),
    st.builds(DeviceMoved, st.sampled_from(["usb", "block"])),
    st.just(Stale(("os",))),
    st.just(Asked(())),
    st.builds(Probed, st.booleans(), st.floats(0, 0.999)),
    st.just(Tick()),
)


@given(st.lists(st.tuples(_events, st.integers(0, 3_000)), max_size=60))
def test_there_is_one_probe_at_a_time_and_no_wake_is_put_off_for_ever(steps):
    core, now_ms, woken_ms = WakeCore(interval_ms=HOURS_6_MS), 0, None
    core.handle(Start(), 0)
    for event, wait_ms in steps:
        now_ms += wait_ms
        running = core.probing
        if isinstance(event, Probed) and not running:
            continue
        probes = core.handle(event, now_ms)
        assert len(probes) <= 1
        assert not (probes and running and not isinstance(event, Probed))
        if isinstance(event, LinksMoved) and woken_ms is None:
            woken_ms = now_ms
        if probes and (probes[0].classes == () or "nic" in probes[0].classes):
            woken_ms = None
        due_ms = core.due_ms()
        assert due_ms is None or due_ms > now_ms
        if woken_ms is not None and due_ms is not None and not core.probing:
            waits = core._waiting.get("nic")
            assert waits is None or waits[0] <= woken_ms + 2 * WAIT_MS_MAX + RETRY_MS
