from roost_agent.ha.fence.budget import HOUR_MS, HOURLY_MAX, Budget


def test_an_hour_has_so_many_attempts():
    budget = Budget()
    for now_ms in range(HOURLY_MAX):
        assert budget.refusal(now_ms) == ""
        budget.spend(now_ms)
    assert budget.refusal(HOURLY_MAX) == "3 attempts of this hour's 3 are spent"
    assert budget.refusal(HOUR_MS) == "", "the first of them is forgotten"
    assert len(budget.spent_ms(HOUR_MS)) == HOURLY_MAX - 1


def test_attempts_of_before_the_boot_count():
    assert Budget((-1, -2, -3)).refusal(0)
