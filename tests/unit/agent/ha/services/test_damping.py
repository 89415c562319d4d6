from roost_agent.ha.services.damping import HALF_LIFE_MS, Damping


def test_a_penalty_halves_in_its_half_life():
    damping = Damping()
    damping.lost(0)
    assert damping.penalty(0) == 1_000
    assert damping.penalty(HALF_LIFE_MS) == 500
    damping.lost(HALF_LIFE_MS)
    assert damping.penalty(HALF_LIFE_MS) == 1_500


def test_a_node_that_keeps_losing_is_left_out_until_it_has_cooled_down():
    damping = Damping()
    for now_ms in (0, 1, 2):
        damping.lost(now_ms)
        assert not damping.is_suppressed(now_ms)
    damping.lost(3)
    assert damping.is_suppressed(3)
    assert damping.is_suppressed(2 * HALF_LIFE_MS)  # about 1,000: still too much to come back
    assert not damping.is_suppressed(3 * HALF_LIFE_MS)
    assert not damping.is_suppressed(3 * HALF_LIFE_MS)
