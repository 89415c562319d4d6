"""A group that was moved too often by choice stays where it is for a while."""

from roost_agent.ha.moves import MOVES_MAX, MOVES_MS, Moves


def test_so_many_moves_are_allowed_within_a_window_and_not_one_more():
    moves = Moves()
    assert [moves.may_move("main", 1_000) for _ in range(MOVES_MAX + 1)] == [True] * 3 + [False]
    assert not moves.may_move("main", 1_000 + MOVES_MS - 1)
    assert moves.may_move("main", 1_000 + MOVES_MS)


def test_each_lease_has_its_own():
    moves = Moves()
    for _ in range(MOVES_MAX):
        assert moves.may_move("main", 0)
    assert moves.may_move("web", 0)
