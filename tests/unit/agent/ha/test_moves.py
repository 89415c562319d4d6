"""A group that was moved too often by choice stays where it is for a while."""

from hypothesis import given
from hypothesis import strategies as st

from roost_agent.ha.moves import MOVES_MAX, MOVES_MS, TOLD_MAX, Moves


def moved(*when, lease="main"):
    moves = Moves()
    for epoch, now_ms in enumerate(when, start=1):
        moves.moved(lease, epoch, now_ms)
    return moves


def test_so_many_moves_are_allowed_within_a_window_and_not_one_more():
    assert moved(1_000, 1_001).may_move("main", 2_000)
    moves = moved(1_000, 1_001, 1_002)
    assert not moves.may_move("main", 1_000 + MOVES_MS - 1)
    assert moves.may_move("main", 1_000 + MOVES_MS)
    assert moves.may_move("web", 2_000), "each lease has its own"


def test_what_one_node_did_counts_on_the_next_and_only_once():
    first, second = moved(1_000, 2_000), Moves()
    for _ in range(3):
        second.heard(first.told(5_000), 70_005_000)
    assert second.told(70_005_000) == {"main": {1: 4_000, 2: 3_000}}
    second.moved("main", 3, 70_006_000)
    first.heard(second.told(70_006_000), 6_000)
    assert not first.may_move("main", 6_000)


def test_what_is_over_is_told_no_more_and_not_learnt_either():
    assert moved(0).told(MOVES_MS) == {}
    moves = Moves()
    moves.heard({"main": {1: MOVES_MS}, "web": {}}, 2 * MOVES_MS)
    assert moves.told(2 * MOVES_MS) == {}


def test_a_beat_tells_of_the_leases_that_moved_last():
    moves = Moves()
    for n in range(TOLD_MAX + 2):
        moves.moved(f"g{n}", 1, n)
    assert set(moves.told(100)) == {"g2", "g3", "g4", "g5"}


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(1, MOVES_MS)), max_size=40)
)
def test_whoever_holds_it_there_are_never_more_than_so_many_in_a_window(steps):
    nodes = [Moves() for _ in range(3)]
    now_ms, epoch, made = 0, 0, []
    for who, heard_by, pause_ms in steps:
        now_ms += pause_ms
        if nodes[who].may_move("main", now_ms):
            epoch += 1
            made.append(now_ms)
            nodes[who].moved("main", epoch, now_ms)
        for other in nodes:  # the next holder hears of it before it holds anything
            other.heard(nodes[who].told(now_ms), now_ms)
        nodes[heard_by % 3].heard(nodes[who].told(now_ms), now_ms)
    for at_ms in made:
        assert sum(at_ms <= each < at_ms + MOVES_MS for each in made) <= MOVES_MAX
