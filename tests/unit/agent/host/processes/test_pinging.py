from roost_agent.host.processes.pinging import SEQ_MAX, Pinging


def started():
    pings = Pinging(10_000, 5_000, 3)
    pings.begin(0)
    return pings


def test_a_ping_goes_out_each_period_while_it_is_answered():
    pings = started()
    assert [pings.tick(0), pings.answered(1), pings.tick(9_999), pings.tick(10_000)] == [
        1,
        True,
        None,
        2,
    ]


def test_misses_in_a_row_are_a_failure_and_one_answer_forgets_them():
    pings = started()
    for turn in range(2):
        assert pings.tick(10_000 * turn) == turn + 1
        pings.tick(10_000 * turn + 5_000)
    assert (pings.misses, pings.has_failed) == (2, False)
    assert pings.tick(20_000) == 3
    assert pings.answered(3)
    assert pings.misses == 0
    for turn in range(3, 6):
        pings.tick(10_000 * turn)
        pings.tick(10_000 * turn + 5_000)
    assert pings.has_failed


def test_an_answer_to_another_ping_or_one_too_late_counts_for_nothing():
    pings = started()
    pings.tick(0)
    assert not pings.answered(7)
    pings.tick(5_000)
    assert not pings.answered(1)
    assert pings.misses == 1


def test_nothing_is_asked_before_it_begins_or_after_it_ends():
    pings = Pinging(1_000, 500, 1)
    assert (pings.tick(10), pings.due_ms()) == (None, None)
    pings.begin(50)
    assert (pings.tick(49), pings.due_ms()) == (None, 50)
    pings.end()
    assert pings.tick(60) is None


def test_the_number_stays_one_that_libamon_can_read():
    pings = started()
    pings._seq = SEQ_MAX
    assert pings.tick(0) == 1
