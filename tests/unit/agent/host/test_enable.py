"""The enable sequence: a stage passes when nothing is missing, and ends at its deadline."""

import pytest

from roost_agent.host.enable import (
    DEADLINES_MS,
    SOAK_MS,
    Enable,
    Facts,
    Passed,
    Stage,
    StageFailed,
)

WELL = Facts()


def test_where_nothing_is_missing_only_the_soak_takes_time():
    enable = Enable(0)
    assert not enable.lets_services_run
    assert enable.look(WELL, 0) is None
    assert (enable.stage, enable.lets_services_run) == (Stage.SOAK, True)
    assert enable.look(WELL, SOAK_MS - 1) is None
    assert enable.look(WELL, SOAK_MS) == Passed()


def test_services_run_nowhere_before_the_health_checks_have_passed():
    enable = Enable(0)
    assert enable.look(Facts(health=None), 5_000) is None
    assert (enable.stage, enable.lets_services_run) == (Stage.HEALTH, False)
    assert enable.look(Facts(health="disk: 3 sectors"), 6_000) == StageFailed(
        Stage.HEALTH, "disk: 3 sectors"
    )


@pytest.mark.parametrize(
    ("stage", "facts", "why"),
    [
        (Stage.CONFIG, Facts(config="generation 4 is refused"), "generation 4 is refused"),
        (Stage.HEALTH, Facts(health=None), "the health checks do not end"),
        (Stage.PROCESSES, Facts(processes="nginx does not run"), "nginx does not run"),
    ],
)
def test_a_stage_that_lacks_something_fails_at_its_deadline(stage, facts, why):
    enable = Enable(0)
    assert enable.look(facts, DEADLINES_MS[stage] - 1) is None
    assert enable.stage is stage
    enable = Enable(0)
    enable.look(facts, 0)
    assert enable.look(facts, DEADLINES_MS[stage]) == StageFailed(stage, why)


def test_services_that_do_not_come_do_not_keep_a_host_out():
    enable = Enable(0)
    lacks = Facts(services="logs is not active")
    assert enable.look(lacks, 0) is None
    assert enable.stage is Stage.SERVICES
    assert enable.look(lacks, DEADLINES_MS[Stage.SERVICES]) is None
    ended = enable.look(WELL, DEADLINES_MS[Stage.SERVICES] + SOAK_MS)
    assert ended == Passed("logs is not active")


def test_what_goes_wrong_in_the_soak_begins_it_anew_and_not_without_end():
    enable = Enable(0)
    enable.look(WELL, 0)
    ill = Facts(processes="nginx died")
    assert enable.look(ill, 10_000) is None
    assert enable.look(WELL, SOAK_MS) is None, "counted from the fault"
    assert enable.look(WELL, 10_000 + SOAK_MS) == Passed()
    enable = Enable(0)
    enable.look(WELL, 0)
    assert enable.look(ill, DEADLINES_MS[Stage.SOAK] - 1) is None
    assert enable.look(ill, DEADLINES_MS[Stage.SOAK]) == StageFailed(Stage.SOAK, "nginx died")
    enable = Enable(0)
    enable.look(WELL, 0)
    enable.look(ill, DEADLINES_MS[Stage.SOAK] - 1)
    flaps = enable.look(WELL, DEADLINES_MS[Stage.SOAK])
    assert flaps == StageFailed(Stage.SOAK, "what was wrong a moment ago comes and goes")
