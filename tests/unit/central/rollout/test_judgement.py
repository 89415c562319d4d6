"""What the nodes of a site show: who runs the release, and which alarms speak against it."""

import pytest
from rollout_fleet import NEW, OLD
from rollout_site import ALARM, job, standing, terms

from roost_central.rollout.head import AlarmSeen, Standing
from roost_central.rollout.job import Job
from roost_central.rollout.judgement import blocking, runs, worse
from roost_central.rollout.table import JobState as J
from roost_protocol.severity import Severity


def test_alarms_hold_a_site_back_as_starlingx_says():
    warning = AlarmSeen("1|x", "1", Severity.WARNING, stops=False)
    for mode, some, held in (
        ("strict", warning, True), ("relaxed", warning, False), ("relaxed", ALARM, True),
        ("permissive", ALARM, False),
    ):  # fmt: skip
        given = terms(f'gates = {{alarms = "{mode}"}}\n')
        assert (blocking(standing(alarms=(some,)), given) is not None) is held
    ignored = terms(head='ignore_alarms = ["100.1"]\n')
    assert blocking(standing(alarms=(ALARM,)), ignored) is None
    assert worse(job(J.SOAKING), standing(alarms=(ALARM,)), ignored.plan) is None


@pytest.mark.parametrize(("type_", "holds"), [("900.021", 0), ("900.801", 0), ("900.804", 1)])
def test_a_site_whose_last_update_was_undone_gets_the_next_one_and_a_stuck_one_does_not(
    type_, holds
):
    left = AlarmSeen(f"{type_}|s", type_, Severity.MAJOR, stops=True)
    assert (blocking(standing(alarms=(left,)), terms()) is not None) is bool(holds)


def test_a_site_runs_it_when_each_of_its_nodes_says_so():
    pair = Job(site="s", wave=0, nodes=("s.n1", "s.n2"))
    for found, is_whole in (((), False), ((NEW, None), False), ((NEW, OLD), False)):
        assert runs(pair, Standing(is_dark=False, runs=found), terms()) is is_whole
    assert runs(pair, Standing(is_dark=False, runs=(NEW, NEW)), terms())
