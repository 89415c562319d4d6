"""What a frame proves of its sender."""

from dataclasses import dataclass, field

import pytest
from ha_site import H_MS, beat
from hypothesis import example, given, settings
from hypothesis import strategies as st

from roost_agent.ha.freshness import Drop, DropReason, Freshness, Heard, SelfEcho
from roost_agent.ha.peer_path import PeerPathState
from roost_protocol.sent import SENT_MAX

ME, PEER, OTHER = 0, 1, 2


@pytest.fixture
def fresh():
    return Freshness(ME, 5, peers=[PEER, OTHER], echoes=[True, False], h_ms=H_MS)


def told(fresh, seq, now_ms, *, path=0, echo=None, **more):
    """The peer's frame, which echoes (inc, seq, held) of ours."""
    echoes = {} if echo is None else {ME: echo}
    return fresh.heard(path, beat(PEER, seq, path=path, echo=echoes, **more), now_ms)


def test_an_echo_proves_life_as_of_the_moment_we_sent(fresh):
    k = fresh.sent(1_000)
    assert fresh.alive_as_of(PEER) is None
    assert fresh.age_ms(PEER, 1_000) is None
    assert told(fresh, 1, 1_500, echo=(5, k, 20)) == Heard(is_fresh=True, is_first=True)
    assert fresh.alive_as_of(PEER) == 1_000
    assert fresh.age_ms(PEER, 1_500) == 500
    assert fresh.path_age_ms(PEER, 0, 1_500) == 500
    assert fresh.path_age_ms(PEER, 1, 1_500) is None


def test_a_frame_without_an_echo_of_ours_proves_nothing(fresh):
    k = fresh.sent(1_000)
    for seq, echo in enumerate([None, (4, k, 0), (5, k + 1, 0), (5, -1, 0)], start=1):
        assert told(fresh, seq, 1_100, echo=echo) == Heard(is_fresh=False, is_first=True)
    assert fresh.alive_as_of(PEER) is None


def test_an_older_echo_does_not_take_back_what_was_known(fresh):
    first, second = fresh.sent(1_000), fresh.sent(1_200)
    told(fresh, 2, 1_250, echo=(5, second, 0))
    assert told(fresh, 1, 1_300, path=1, echo=(5, first, 0)) == Heard(is_fresh=False, is_first=True)
    assert fresh.alive_as_of(PEER) == 1_200
    assert fresh.path_age_ms(PEER, 1, 1_300) == 300
    told(fresh, 3, 1_350, path=1, echo=(5, second, 0))
    told(fresh, 4, 1_360, path=1, echo=(5, first, 0))
    assert fresh.path_age_ms(PEER, 1, 1_400) == 200


def test_a_frame_counts_once_a_path_and_its_copies_are_known(fresh):
    assert told(fresh, 7, 0) == Heard(is_fresh=False, is_first=True)
    assert told(fresh, 7, 0) == Drop(DropReason.REPLAYED)
    assert told(fresh, 6, 0) == Drop(DropReason.OVERTAKEN)
    assert told(fresh, 7, 0, path=1) == Heard(is_fresh=False, is_first=False)
    assert told(fresh, 900, 0) == Heard(is_fresh=False, is_first=True)
    assert told(fresh, 8, 0, path=1) == Heard(is_fresh=False, is_first=False), "too far behind"
    assert told(fresh, 899, 0, path=1) == Heard(is_fresh=False, is_first=True), "lost on path 0"
    assert fresh.dropped[DropReason.REPLAYED] == fresh.dropped[DropReason.OVERTAKEN] == 1


def test_strangers_and_frames_from_another_path_are_dropped(fresh):
    assert fresh.heard(0, beat(9, 1), 0) == Drop(DropReason.UNKNOWN_NODE)
    assert fresh.heard(1, beat(PEER, 1, path=0), 0) == Drop(DropReason.WRONG_PATH)
    assert fresh.dropped[DropReason.UNKNOWN_NODE] == fresh.dropped[DropReason.WRONG_PATH] == 1


def test_a_restart_of_the_peer_begins_its_numbers_anew_and_ends_the_old_ones(fresh):
    k = fresh.sent(0)
    told(fresh, 50, 10, inc=3, echo=(5, k, 0))
    assert fresh.incarnation(OTHER) is None
    assert fresh.incarnation(PEER) == (3, b"boot-of-00000001")
    again = told(fresh, 1, 20, inc=4, boot=b"another boot 016")
    assert again == Heard(is_fresh=False, is_first=True, is_restarted=True)
    assert told(fresh, 51, 30, inc=3) == Drop(DropReason.OLD_INCARNATION)
    assert fresh.alive_as_of(PEER) == 0, "that it was up then stays true"
    assert fresh.echoes(60)[PEER].inc == 4
    assert fresh.echoes(60)[PEER].held_ms == 40


def test_one_incarnation_in_two_boots_is_refused(fresh):
    told(fresh, 1, 0)
    assert told(fresh, 2, 0, boot=b"another boot 016") == Drop(DropReason.OTHER_BOOT)


def test_a_peer_that_knows_a_later_self_of_ours_says_so(fresh):
    assert told(fresh, 1, 0, echo=(6, 1, 0)) == Heard(
        is_fresh=False, is_first=True, knows_later_me=True
    )


def test_the_age_of_a_request_is_bounded_by_what_it_echoes(fresh):
    k = fresh.sent(1_000)
    assert fresh.request_age_ms(beat(PEER, 1, echo={ME: (5, k, 300)}), 1_450) == 150
    assert fresh.request_age_ms(beat(PEER, 1, echo={ME: (5, k, 900)}), 1_450) == 0
    assert fresh.request_age_ms(beat(PEER, 1, echo={ME: (4, k, 0)}), 1_450) is None
    assert fresh.request_age_ms(beat(PEER, 1), 1_450) is None


def test_only_so_many_send_times_are_remembered(fresh):
    first = fresh.sent(0)
    for n in range(SENT_MAX):
        fresh.sent(n)
    assert told(fresh, 1, SENT_MAX, echo=(5, first, 0)) == Heard(is_fresh=False, is_first=True)


def test_our_own_frames_show_what_their_path_is_worth(fresh):
    assert not fresh.is_echoing(0, 0)
    k = fresh.sent(1_000)
    own = beat(ME, k, inc=5)
    assert fresh.heard(0, own, 1_010) == SelfEcho()
    assert fresh.heard(0, own, 1_020) == Drop(DropReason.REPLAYED)
    assert fresh.heard(0, beat(ME, k + 1, inc=5), 1_020) == Drop(DropReason.REPLAYED)
    assert fresh.heard(0, beat(ME, k, inc=4), 1_020) == Drop(DropReason.REPLAYED)
    assert fresh.is_echoing(0, 1_000 + 3 * H_MS)
    assert not fresh.is_echoing(0, 1_001 + 3 * H_MS)
    assert fresh.brings_back(0)
    assert not fresh.brings_back(1)


def test_without_a_broker_any_peer_that_is_heard_shows_that_we_hear(fresh):
    assert not fresh.is_echoing(1, 0)
    fresh.heard(1, beat(OTHER, 1, path=1), 0)
    assert fresh.is_echoing(1, 0)
    assert fresh.states(PEER, 0, 0)[1] is PeerPathState.DOWN


def test_old_news_in_a_burst_is_not_taken_for_a_path_that_works(fresh):
    k = fresh.sent(10_000)
    told(fresh, 1, 10_010, echo=(5, k, 0), boot_ms=77_010)  # the peer's clock is known by this
    assert fresh.seen(10_010) == {PEER: 0b01, OTHER: 0}
    told(fresh, 2, 18_000, boot_ms=77_110)
    assert fresh.seen(18_000) == {PEER: 0, OTHER: 0}
    told(fresh, 3, 18_001, boot_ms=85_001)
    assert fresh.seen(18_001) == {PEER: 0b01, OTHER: 0}


def test_a_slow_answer_does_not_set_the_peers_clock(fresh):
    k = fresh.sent(0)
    told(fresh, 1, 5_000, echo=(5, k, 0), boot_ms=0)
    assert fresh._peers[PEER].offset_ms is None
    assert fresh.seen(5_000)[PEER] == 0b01, "its moment of receipt, while no better is known"


def test_silence_between_proofs_is_remembered(fresh):
    for at_ms in (0, 100, 700):
        told(fresh, at_ms + 1, at_ms + 10, echo=(5, fresh.sent(at_ms), 0))
    assert fresh.gap_ms(PEER, 1_000) == 625
    assert fresh.loss_permille(PEER, 0, 1_000) == 0


def test_lease_frames_are_no_beats_to_count_loss_by(fresh):
    fresh.heard(0, beat(PEER, 1), 0)
    for n in range(30):
        fresh.heard(0, beat(PEER, 2 + n), 100 * n, is_beat=False)
    assert fresh.loss_permille(PEER, 0, 3_000) > 900
    assert fresh.peers == (PEER, OTHER)


# I9: whatever is done to the frames, alive_as_of never passes the time the peer really was up.


@dataclass
class Box:
    """A node that restarts, and remembers when it was up."""

    index: int
    inc: int = 1
    up_ms: int = 0
    is_up: bool = True
    fresh: Freshness = field(init=False)

    def __post_init__(self):
        self.start()

    def start(self):
        self.fresh = Freshness(
            self.index, self.inc, peers=[1 - self.index], echoes=[False, False], h_ms=H_MS
        )

    def frame(self, path, now_ms):
        echo = {
            peer: (each.inc, each.seq, each.held_ms)
            for peer, each in self.fresh.echoes(now_ms).items()
        }
        return beat(
            self.index, self.fresh.sent(now_ms), path=path, inc=self.inc, echo=echo, boot_ms=now_ms
        )


WHAT = ("exchange", "exchange", "send", "send", "deliver", "deliver", "deliver", "crash", "start")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(WHAT),
        st.integers(0, 1),
        st.integers(0, 1),
        st.integers(0, 12),
        st.integers(0, 400),
    ),
    min_size=10,
    max_size=100,
)


LATE = [  # an answer that comes long after its sender died
    ("exchange", 0, 0, 0, 0),
    ("send", 1, 0, 0, 10),
    ("crash", 1, 0, 0, 10),
    ("deliver", 0, 0, 0, 400),
]
AGAIN = [*LATE, ("start", 1, 0, 0, 10), ("crash", 1, 0, 0, 10), ("deliver", 0, 0, 0, 400)]


@given(STEPS)
@example(LATE)
@example(AGAIN)
@settings(max_examples=300)
def test_no_duplicate_delay_reorder_or_replay_makes_a_peer_live_longer(steps):
    boxes = [Box(0), Box(1)]
    frames = []  # all that were ever sent: any of them may come at any time, and as often
    now_ms = 0
    for what, node, path, back, wait_ms in steps:
        now_ms += wait_ms
        box, other = boxes[node], boxes[1 - node]
        for each in boxes:
            each.up_ms = now_ms if each.is_up else each.up_ms
        if what == "crash":
            box.is_up = False
        elif what == "start" and not box.is_up:
            box.is_up, box.inc, box.up_ms = True, box.inc + 1, now_ms
            box.start()
        elif what in {"send", "exchange"} and box.is_up:
            frames.append(box.frame(path, now_ms))
            if what == "exchange" and other.is_up:
                other.fresh.heard(path, frames[-1], now_ms)
        elif what == "deliver" and box.is_up and frames:
            frame = frames[max(len(frames) - 1 - back, 0)]
            box.fresh.heard(frame.path, frame, now_ms)
        for one, two in ((0, 1), (1, 0)):
            alive_ms = boxes[one].fresh.alive_as_of(two)
            assert alive_ms is None or alive_ms <= boxes[two].up_ms
