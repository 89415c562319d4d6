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


def test_who_always_tells_is_waited_for_and_what_is_not_well_is_a_miss():
    asked = Pinging(10_000, None, 2)
    asked.begin(0)
    assert (asked.tick(0), asked.tick(30_000), asked.due_ms()) == (1, None, None)
    assert asked.answered(1, "refused")
    assert (asked.misses, asked.complaint, asked.tick(30_000)) == (1, "refused", 2)
    assert asked.answered(2, "refused again")
    assert asked.has_failed


def test_what_nobody_could_ask_counts_neither_way():
    asked = Pinging(10_000, None, 2)
    asked.begin(0)
    for seq, complaint in ((1, "refused"), (2, None)):
        assert asked.tick(10_000 * seq) == seq
        asked.answered(seq, complaint)
    assert asked.misses == 1
    asked.tick(30_000)
    asked.answered(3, "")
    assert asked.misses == 0
