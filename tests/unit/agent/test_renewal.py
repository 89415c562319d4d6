"""When an identity is renewed: from half of its life, spread over the fleet, by a child."""

import pytest

from roost_agent import renewal
from roost_agent.enrolled import Facts
from roost_agent.renewal import REST_S, first_ms, is_before, is_urgent, next_ms, rest_s
from roost_protocol.hardware import Hardware

DAY_MS = 86_400_000


def facts(node="n1", generation=1):
    return Facts(
        fleet_domain="edge.example", site="lab", node=node, generation=generation, box=1,
        hw_fp=Hardware(), brokers=(), enrolled_ms=0, not_after_ms=90 * DAY_MS,
        image_root="none", centre="https://x",
    )  # fmt: skip


def test_the_first_attempt_is_between_half_and_six_tenths_of_its_life():
    due = [first_ms(facts(f"n{number}")) for number in range(1_000)]
    assert min(due) >= 45 * DAY_MS
    assert max(due) <= 54 * DAY_MS
    assert max(due) - min(due) > 8 * DAY_MS  # a fleet of one day does not come back in one


def test_the_day_moves_with_the_generation():
    assert first_ms(facts(generation=1)) != first_ms(facts(generation=2))


def test_an_attempt_that_failed_leaves_eight_more():
    due, attempts = first_ms(facts()), 0
    while due < 90 * DAY_MS:
        due, attempts = next_ms(facts(), due), attempts + 1
    assert attempts >= 8


@pytest.mark.parametrize(("status", "is_over"), [(0, True), (1, False)])
async def test_a_child_that_fails_is_not_taken_for_a_renewal(
    tmp_path, monkeypatch, status, is_over
):
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\nexit {status}\n')
    program.chmod(0o700)
    monkeypatch.setattr(renewal.sys, "executable", str(program))
    one = renewal.Renewal(tmp_path, facts(), None, None)
    assert (await one.now() == "") is is_over
    assert (tmp_path / "asked").read_text().endswith("--when now\n")


@pytest.mark.parametrize(
    ("now_ms", "urgent"),
    [
        (0, False),
        (90 * DAY_MS - 1, False),
        (90 * DAY_MS, True),
        (-301_000, True),
        (-300_000, False),
    ],
)
def test_a_certificate_that_ended_and_a_clock_from_before_it_are_urgent(now_ms, urgent):
    assert is_urgent(facts(), now_ms) is urgent
    assert is_before(facts(), now_ms) is (now_ms < -300_000)


def test_urgent_attempts_rest_longer_each_time_up_to_an_hour():
    longest = [rest_s(tries, 1.0) for tries in range(1, 12)]
    assert longest[:3] == [120.0, 240.0, 480.0]
    assert longest[-1] == REST_S[1]
    assert {rest_s(tries, 0.0) for tries in range(100)} == {REST_S[0]}


class Hands:
    """Clocks that the test sets."""

    def __init__(self, now_ms):
        self.now_ms = now_ms

    def wall_ms(self):
        return self.now_ms

    boot_ms = wall_ms

    def uniform(self, low, high):
        return high


async def test_a_node_whose_certificate_ended_asks_at_once_and_then_rests(tmp_path, monkeypatch):
    hands, asked = Hands(90 * DAY_MS), []
    one = renewal.Renewal(tmp_path, facts(), hands, hands)

    async def look(seconds):
        hands.now_ms += int(seconds * 1000)

    async def renewed(when):
        assert when == "due"
        asked.append(hands.now_ms - 90 * DAY_MS)
        return "" if len(asked) == 4 else "no"

    monkeypatch.setattr(one, "_rest", look)
    monkeypatch.setattr(one, "now", renewed)
    await one.run()
    assert [at_ms // 60_000 for at_ms in asked] == [0, 2, 6, 14]
