"""The demo's plans are plans; the real site goes first with some simulated ones."""

import json

import pytest

from roost_central.demo import rollouts, sensor
from roost_central.rollout.plan_file import read_plan


@pytest.fixture
def folder(tmp_path):
    sites = [
        {"site": f"edge-{number}", "labels": {"carrier": carrier}}
        for number, carrier in enumerate(["carC", "carC", "carA", "carB", "carA"])
    ]
    lines = "".join(f"{json.dumps(each)}\n" for each in sites)
    (tmp_path / rollouts.SITES_FILE).write_text(lines)
    return tmp_path


def test_the_real_site_is_in_the_canary_with_simulated_ones_of_each_carrier(folder):
    plans = rollouts.plans(folder, site="lab")
    assert list(plans) == [sensor.GOOD, sensor.BAD]
    for version, file in plans.items():
        plan = read_plan(file.read_bytes())
        assert (plan.component, plan.version, plan.digest) == ("app/sensor", version, None)
        assert plan.wave[0].sites == ["lab", "edge-0", "edge-2", "edge-3", "edge-1"]
        assert plan.wave[-1].rest


def test_a_demo_of_the_real_site_alone_has_one_wave(tmp_path):
    plan = read_plan(rollouts.plans(tmp_path, site="lab")[sensor.GOOD].read_bytes())
    assert [wave.sites for wave in plan.wave] == [["lab"]]


def test_without_signatures_a_plan_names_a_digest_for_the_simulated_sites_alone(folder):
    plan = read_plan(rollouts.plans(folder)[sensor.BAD].read_bytes())
    assert len(plan.digest) == 64
    assert plan.selector == "carrier:car*"
    assert "lab" not in plan.wave[0].sites
