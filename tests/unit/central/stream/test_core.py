"""The frames of the live stream: coalesced, numbered, kept, resumed."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost_central.stream.core import (
    FRAME_INTERVAL_MS,
    KEEPALIVE_MS,
    RING_BYTES_MAX,
    RING_FRAMES_MAX,
    Cell,
    Changed,
    Frame,
    FrameLog,
    LaidOut,
    Resync,
    Tick,
)

EPOCH = "ab12"


def changed(*cells):
    return Changed([Cell(*cell) for cell in cells])


def cells_of(frame):
    return [tuple(cell) for cell in msgspec.json.decode(frame.cells)]


@pytest.fixture
def log():
    return FrameLog(EPOCH, 0)


def frame(log, now_ms, *cells):
    """Put cells in and take the frame out."""
    log.handle(changed(*cells), now_ms)
    (made,) = log.handle(Tick(), now_ms)
    log.check_invariants()
    return made


def test_the_last_of_several_values_of_a_cell_is_sent(log):
    log.handle(changed((1, 2, "ok"), (1, 3, 5)), 0)
    log.handle(changed((1, 2, "down")), 10)

    (made,) = log.handle(Tick(), FRAME_INTERVAL_MS)

    assert cells_of(made) == [(1, 2, "down"), (1, 3, 5)]
    assert made.n == 1


def test_at_most_one_frame_goes_out_in_an_interval(log):
    frame(log, FRAME_INTERVAL_MS, (1, 2, "ok"))
    log.handle(changed((1, 2, "down")), FRAME_INTERVAL_MS)

    assert log.handle(Tick(), 2 * FRAME_INTERVAL_MS - 1) == []
    assert len(log.handle(Tick(), 2 * FRAME_INTERVAL_MS)) == 1


def test_a_quiet_fleet_still_sends_an_empty_frame_now_and_then(log):
    assert log.handle(Tick(), KEEPALIVE_MS - 1) == []

    (made,) = log.handle(Tick(), KEEPALIVE_MS)

    assert cells_of(made) == []


def test_a_client_resumes_with_exactly_the_frames_it_lacks(log):
    made = [frame(log, FRAME_INTERVAL_MS * n, (n, 1, n)) for n in range(1, 6)]

    assert log.resume(f"{EPOCH}-3") == made[3:]
    assert log.resume(f"{EPOCH}-5") == []
    assert log.resume(f"{EPOCH}-0") == made


def test_a_client_without_a_number_takes_what_comes(log):
    frame(log, FRAME_INTERVAL_MS, (1, 1, 1))

    assert log.resume("") == []
    assert log.resume(EPOCH) == []


@pytest.mark.parametrize(
    "position", ["cd34-1", "cd34", "ab12-", "ab12-x", "-1", "zz", "ab12-1-2", "ab12-" + "9" * 40]
)
def test_a_position_of_another_epoch_or_none_at_all_is_resynced(log, position):
    frame(log, FRAME_INTERVAL_MS, (1, 1, 1))

    assert log.resume(position) == [Resync(1, "epoch")]


def test_a_position_of_the_future_is_resynced(log):
    assert log.resume(f"{EPOCH}-1") == [Resync(0, "gap")]


def test_a_position_that_left_the_ring_is_resynced(log):
    for n in range(1, RING_FRAMES_MAX + 3):
        frame(log, FRAME_INTERVAL_MS * n, (1, 1, n))

    assert log.resume(f"{EPOCH}-1") == [Resync(log.n, "gap")]
    assert len(log.resume(f"{EPOCH}-2")) == RING_FRAMES_MAX


def test_the_ring_is_bounded_in_bytes(log):
    big = "x" * (RING_BYTES_MAX // 4)
    for n in range(1, 7):
        frame(log, FRAME_INTERVAL_MS * n, (1, 1, f"{big}{n}"))

    assert len(log.resume(f"{EPOCH}-{log.n - 3}")) == 3
    assert log.resume(f"{EPOCH}-2") == [Resync(6, "gap")]


def test_a_new_layout_resyncs_everyone_and_no_older_position_is_resumed(log):
    frame(log, FRAME_INTERVAL_MS, (1, 1, 1))
    log.handle(changed((1, 1, 2)), FRAME_INTERVAL_MS)

    assert log.handle(LaidOut(), 300) == [Resync(2, "structure")]
    log.check_invariants()

    assert log.resume(f"{EPOCH}-1") == [Resync(2, "gap")]
    assert log.resume(f"{EPOCH}-2") == []
    assert log.handle(Tick(), 600) == []  # the value of before the layout is in the snapshot


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("change"), st.integers(0, 5), st.integers(1, 3), st.integers(0, 9)),
            st.tuples(st.just("layout"), st.just(0), st.just(0), st.just(0)),
            st.tuples(st.just("tick"), st.integers(0, 6_000), st.just(0), st.just(0)),
        ),
        max_size=60,
    ),
    st.data(),
)
def test_a_client_that_resumes_ends_with_the_same_picture(steps, data):
    """Whoever has a snapshot and applies what ``resume`` gives has the values of now."""
    log, now_ms, truth = FrameLog(EPOCH, 0), 0, {}
    pictures = {0: {}}  # frame number -> what a snapshot at that number held
    for kind, first, second, value in steps:
        if kind == "change":
            truth[first, second] = value
            log.handle(changed((first, second, value)), now_ms)
        elif kind == "layout":
            log.handle(LaidOut(), now_ms)
        else:
            now_ms += first
            log.handle(Tick(), now_ms)
        log.check_invariants()
        pictures[log.n] = dict(truth)
    log.handle(Tick(), now_ms + KEEPALIVE_MS)

    start = data.draw(st.sampled_from(sorted(pictures)))
    picture = pictures[start]
    for action in log.resume(f"{EPOCH}-{start}"):
        if isinstance(action, Frame):
            picture |= {(row, at): value for row, at, value in cells_of(action)}
        else:
            picture = dict(truth)  # it reads the snapshot

    assert picture == truth
