"""Gates by figures: over sites that have the update, against a bound or against what they were."""

import pytest
from rollout_fleet import SmallFleet

from roost_central.rollout.head import Around
from roost_central.rollout.kpi import baseline, broken, known, read_kpi
from roost_central.rollout.plan_file import read_plan
from roost_central.rollout.table import JobState, Pause, RolloutState, WaveState
from roost_protocol.errors import ProtocolError

R, W, J = RolloutState, WaveState, JobState
BAD = "status>=degraded"


def gated(*kpis, plan="", **how):
    """Return a started fleet whose waves have gates, and what their queries hold for."""
    said = ", ".join(f'"{each}"' for each in kpis)
    fleet = SmallFleet(plan=f"{plan}gates = {{kpi = [{said}]}}\n", **how)
    fleet.rollout.start(fleet.now_ms)
    holds: dict[str, set[str]] = {read_kpi(each).query: set() for each in kpis}
    fleet.around = Around(kpis=holds)
    return fleet, holds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("status>=degraded <= 5 %", (BAD, True, 5.0, True, False)),
        (
            "config=failed OR drift>0 <= 0 sites",
            ("config=failed OR drift>0", True, 0, False, False),
        ),
        ("presence=online >= 99.5%", ("presence=online", False, 99.5, True, False)),
        ("drift>0 <= +2 %", ("drift>0", True, 2.0, True, True)),
        ("sync=in-sync >= -1 %", ("sync=in-sync", False, -1.0, True, True)),
    ],
)
def test_a_gate_is_a_query_and_a_bound(text, said):
    kpi = read_kpi(text)
    assert (kpi.query, kpi.is_most, kpi.bound, kpi.is_percent, kpi.is_change) == said


@pytest.mark.parametrize(
    "text", ["", "status>=degraded", "x < 5 %", "x <= 5", "<= 5 %", "x<=5 %", "x <= five %"]
)
def test_another_form_is_refused_with_the_one_that_it_has(text):
    with pytest.raises(ProtocolError, match="QUERY <= NUMBER %"):
        read_kpi(text)
    plan = 'name = "x"\ncomponent = "app/pump"\nversion = "1.1.0"\n'
    with pytest.raises(ProtocolError, match=r"wave_defaults\.gates\.kpi"):
        read_plan(f"{plan}[wave_defaults]\ngates = {{kpi = [{text!r}]}}\n".encode())


def test_a_broken_gate_fails_the_wave_and_says_by_how_much():
    fleet, holds = gated(f"{BAD} <= 0 sites")
    fleet.run(lambda: fleet.rollout.head.waves[0].state is W.SOAKING)
    holds[BAD] = {"s0001", "s0020"}  # the second has no update yet
    fleet.turn()
    head = fleet.rollout.head
    assert (head.state, head.pause) == (R.PAUSED, Pause.HEALTH_GATE)
    assert f"kpi {BAD} <= 0 sites: it holds for 1 of 3 updated sites" in head.why
    assert head.waves[0].state is W.FAILED


def test_sites_that_are_still_to_come_hide_no_bad_ones():
    twelve = "max_in_flight = {wave = 12}\n"
    fleet, holds = gated(f"{BAD} <= 50 %", plan=twelve, waves=((0, 30),))
    holds[BAD] = {f"s{number:04}" for number in range(30)}
    fleet.until_state(R.PAUSED)
    have_it = {J.SOAKING, J.SUCCEEDED}
    assert sum(job.state in have_it for job in fleet.rollout.jobs.values()) <= 12


def test_what_a_site_was_before_is_no_fault_of_the_release():
    fleet, holds = gated(f"{BAD} <= +0 sites")
    holds[BAD] = {"s0000", "s0001"}
    fleet.until_state(R.COMPLETED)
    fleet, holds = gated(f"{BAD} <= +0 sites")
    holds[BAD] = {"s0000", "s0001"}
    fleet.run(lambda: fleet.rollout.head.waves[0].state is W.SOAKING)
    holds[BAD] = {"s0000", "s0001", "s0002"}
    fleet.turn()
    assert "3 of 3 updated sites, 2 of them at their offers" in fleet.rollout.head.why


def test_a_figure_that_nobody_knows_stops_the_soak_and_offers_nothing():
    fleet, holds = gated(f"{BAD} <= 0 sites")
    del holds[BAD]
    for _ in range(20):
        fleet.turn()
    assert fleet.offered == []
    holds[BAD] = set()
    fleet.run(lambda: fleet.rollout.head.waves[0].state is W.SOAKING)
    del holds[BAD]
    before = fleet.rollout.head.waves[0].soaked_ms
    for _ in range(100):
        fleet.turn()
    now = fleet.rollout.head.waves[0]
    assert (now.state, now.soaked_ms) == (W.SOAKING, before)
    holds[BAD] = set()
    fleet.until_state(R.COMPLETED)


def test_who_is_silent_is_not_judged_by_what_was_said_last():
    fleet, holds = gated(f"{BAD} <= 0 sites")
    fleet.run(lambda: fleet.rollout.head.waves[0].state is W.SOAKING)
    fleet.sites["s0001"].is_dark = True
    fleet.turn()
    holds[BAD] = {"s0001"}
    fleet.turn()
    assert fleet.rollout.head.state is R.RUNNING


def test_a_percentage_counts_from_enough_sites_on():
    kpis = (read_kpi(f"{BAD} <= 10 %"),)
    fleet, _ = gated(f"{BAD} <= 10 %")
    fleet.run(lambda: fleet.rollout.head.waves[0].state is W.SOAKING)
    jobs = [*fleet.rollout.jobs.values()]
    assert broken(kpis, {BAD: {"s0001"}}, jobs, 0, 10) == ""
    assert "1 of 3" in broken(kpis, {BAD: {"s0001"}}, jobs, 0, 3)
    assert broken((), {}, jobs, 0, 1) == broken(kpis, {}, jobs, 0, 1) == ""
    assert known(kpis, {BAD: ()})
    assert not known(kpis, {})
    assert baseline(kpis, {BAD: {"s1"}}, "s1") == (True,)
