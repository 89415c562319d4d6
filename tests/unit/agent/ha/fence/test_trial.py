from roost_agent.ha.fence.trial import AGAIN_MS, EVERY_MS, FIRST_MS, HOLDS_MS, JITTER, Trials


def test_the_first_trials_come_soon_after_the_start_and_then_hourly_with_jitter():
    trials = Trials([0, 1])
    assert trials.nodes == (0, 1)
    assert trials.due_ms(7) == 7
    assert trials.due(0.5, 0) == []
    assert trials.due_ms(0) == FIRST_MS // 2
    assert trials.due(0.0, FIRST_MS) == [0, 1]
    assert trials.due(0.0, FIRST_MS) == []
    assert trials.due_ms(FIRST_MS) == FIRST_MS + EVERY_MS * (1 - JITTER)


def test_one_that_failed_is_tried_again_sooner_and_counts_for_nothing():
    trials = Trials([0])
    assert trials.fault(0, 0) == "not tested yet"
    trials.due(0.0, 0)
    trials.tried(0, "401", 10)
    assert trials.fault(0, 10) == "401"
    assert trials.due_ms(10) == 10 + AGAIN_MS
    assert trials.tried_ms(0) == 10
    trials.tried(0, "", 20)
    assert trials.fault(0, 20) == ""


def test_one_that_passed_long_ago_counts_for_nothing():
    trials = Trials([0])
    trials.tried(0, "", 0)
    assert trials.fault(0, HOLDS_MS - 1) == ""
    assert trials.fault(0, HOLDS_MS) == f"last passed {HOLDS_MS // 60_000} min ago"


def test_a_node_without_a_fence():
    trials = Trials([])
    assert trials.due_ms(0) is None
    assert trials.fault(0, 0) == "has no fence"
