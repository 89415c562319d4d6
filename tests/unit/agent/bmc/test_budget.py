"""The acts of a site's hour: one durable count, whoever asks for them."""

import pytest

from roost_agent.bmc.acting import HOUR_MS, SITE_MAX
from roost_agent.bmc.budget import FILE, ActBudget

WALL = 1_800_000_000_000


class Clock:
    def __init__(self):
        self.ms = WALL

    def wall_ms(self):
        return self.ms


@pytest.fixture
def clock():
    return Clock()


def spent(folder, clock, count=SITE_MAX):
    budget = ActBudget(folder, clock)
    for _ in range(count):
        assert not budget.refusal()
        budget.spend()
        clock.ms += 1_000
    return budget


def test_three_an_hour_and_then_the_oldest_makes_room(tmp_path, clock):
    budget = spent(tmp_path, clock)
    assert budget.refusal() == "3 machines of the site were acted on this hour: again in 3597 s"
    clock.ms = WALL + HOUR_MS
    assert not budget.refusal()
    budget.spend()
    assert budget.refusal()


def test_a_restart_forgets_no_act(tmp_path, clock):
    spent(tmp_path, clock)
    assert ActBudget(tmp_path, clock).refusal()


def test_a_clock_that_was_set_back_forgets_no_act(tmp_path, clock):
    spent(tmp_path, clock)
    clock.ms -= 100_000 * HOUR_MS
    assert ActBudget(tmp_path, clock).refusal()
    clock.ms += HOUR_MS  # and not for eleven years
    assert not ActBudget(tmp_path, clock).refusal()


def test_what_no_board_took_is_given_back_once(tmp_path, clock):
    budget = ActBudget(tmp_path, clock)
    at = budget.spend()
    budget.give_back(at)
    budget.give_back(at)
    assert ActBudget(tmp_path, clock).spent() == budget.spent() == ()


@pytest.mark.parametrize("content", [b"", b"{", b'{"at_ms": ["x"]}', b'{"at_ms": [1, 1, 1, 1]}'])
def test_where_the_count_cannot_be_read_the_hour_is_full(tmp_path, clock, content):
    (tmp_path / FILE).write_bytes(content)
    budget = ActBudget(tmp_path, clock)
    assert budget.refusal()
    clock.ms += HOUR_MS
    assert not budget.refusal()


def test_what_cannot_be_counted_is_not_spent(tmp_path, clock):
    budget = ActBudget(tmp_path / "gone", clock)
    with pytest.raises(OSError, match="No such file"):
        budget.spend()
    assert budget.spent() == ()
