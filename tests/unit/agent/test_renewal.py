"""When an identity is renewed: from half of its life, spread over the fleet, by a child."""

import pytest

from roost_agent import renewal
from roost_agent.enrolled import Facts
from roost_agent.renewal import first_ms, next_ms
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
    program.write_text(f"#!/bin/sh\nexit {status}\n")
    program.chmod(0o700)
    monkeypatch.setattr(renewal.sys, "executable", str(program))
    one = renewal.Renewal(tmp_path, facts(), None)
    assert await one._renewed() is is_over
