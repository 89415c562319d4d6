"""Tables of docs/rollouts.md and docs/updates.md say what the programs go by, figure by figure."""

import re
from pathlib import Path

import pytest

from roost_agent.install.contract import DEADLINES_S
from roost_agent.update.step import TABLE, Step, Who
from roost_central.rollout.plan import Plan, Rules, Wave, waves_of
from roost_central.rollout.rules import settled
from roost_central.rollout.table import JobState, Kind, Pause, RolloutState, WaveState
from roost_protocol.release.kinds import OF_CLASS, PLUGGED
from roost_protocol.update import FailureType

DOCS = Path(__file__).parents[2] / "docs"
ROLLOUTS, UPDATES = ((DOCS / f"{name}.md").read_text() for name in ("rollouts", "updates"))
PLAN = Plan(name="pump", component="app/pump", version="1.0")
CODE = re.compile(r"`([^`]+)`")
JOB_S = 0  # "the job's time"


def rows(page, head):
    """Return the rows below a table's head, each as its cells."""
    lines = page[page.index(head) :].splitlines()[2:]
    found = []
    for line in lines:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def codes(text):
    return CODE.findall(text)


def figures(text):
    return [int(each.replace(",", "")) for each in re.findall(r"\d[\d,]*", text)]


PLAN_ROWS = rows(ROLLOUTS, "| field | unit | default |\n")
RULE_ROWS = rows(ROLLOUTS, "| field | unit | default (canary) |\n")
DEFAULTS = {cells[0]: cells[2] for cells in RULE_ROWS}


def test_each_field_of_a_plan_is_documented_and_each_that_is_exists():
    said = {field for cells in PLAN_ROWS for field in codes(cells[0])}
    shown = {"name", "component", "version", "profiles", "remove", "wave", "wave_defaults"}
    assert said | shown == set(Plan.__struct_fields__)  # the shown stand in the examples
    assert {field for cells in RULE_ROWS for field in codes(cells[0])} == set(
        Rules.__struct_fields__
    )
    kinds = "A wave has one of `count`, `percent`, `rest`, `selector` and `sites`"
    assert kinds in ROLLOUTS
    assert set(codes(kinds)) == set(Wave.__struct_fields__) - set(Rules.__struct_fields__) - {
        "name"
    }


def test_what_a_plan_does_not_say_is_what_is_documented():
    defaults = {field: cells[2] for cells in PLAN_ROWS for field in codes(cells[0])}
    assert defaults["selector"] == "all, 0, -, 1"
    assert (PLAN.selector, PLAN.seed, PLAN.reason, PLAN.late_max_pct) == ("", 0, "", 1)
    assert figures(defaults["approvers"])[0] == PLAN.approvers
    for field in ("reboot", "supersede", "uncovered_ok"):
        assert (defaults[field], getattr(PLAN, field)) == ("no", False)
    assert {PLAN.controllers, PLAN.storage, PLAN.workers} == {defaults["controllers"]}
    most = f"{PLAN.max_parallel_workers}, {PLAN.max_parallel_storage}"
    assert f"{most}, {PLAN.instances}" == defaults["instances"]
    assert (PLAN.ignore_alarms, PLAN.expected_alarms, defaults["ignore_alarms"]) == ([], [], "none")
    assert [wave.count or wave.percent for wave in waves_of(PLAN)] == [5, 5, 25, None]
    assert "a canary of 5, 5 %, 25 %, the rest" in ROLLOUTS


@pytest.mark.parametrize("field", list(DEFAULTS))
def test_a_rule_that_nobody_says_is_the_documented_one(field):
    canary, wave = settled(PLAN, 0), settled(PLAN, 1)
    flight, rate = wave.max_in_flight, wave.rate
    wanted = {
        "success_pct": [wave.success_pct, canary.success_pct],
        "error_pct": [wave.error_pct, wave.min_finished, canary.error_pct],
        "error_abs": [wave.error_abs, canary.error_abs],
        "max_in_flight": [flight.fleet, flight.wave, flight.hw_model, flight.link],
        "site_soak_s": [wave.site_soak_ms // 1_000, wave.soak_ms // 1_000, canary.soak_ms // 1_000],
        "silent_s": [wave.silent_ms // 1_000],
        "deadline_h": [wave.deadline_ms // 3_600_000],
        "retry": [wave.retry[FailureType.DOWNLOAD], wave.retry[FailureType.PRECHECK]],
    }
    said, first = DEFAULTS[field], codes(field)[0]
    if first in wanted:
        assert figures(said) == wanted[first]
        return
    assert (
        said
        == {
            "error_types": "all" if not wave.error_types else "",
            "rate": f"{rate.base}, {rate.factor}, {rate.max:,}, {rate.grow_after} successes",
            "gates": f"{wave.gates.alarms}, no",
            "window": "any time" if wave.window is None else "",
            "on_error": wave.on_error,
            "on_unreachable": wave.on_unreachable,
        }[first]
    )


def test_every_state_and_type_of_failure_is_documented():
    states = ROLLOUTS[ROLLOUTS.index("## States") :]
    passing = {RolloutState.DRAFT, RolloutState.VALIDATING, Pause.WINDOW}  # nobody is shown these
    for kind in (RolloutState, WaveState, JobState, Pause):
        assert set(kind) - passing <= set(codes(states)), kind
    types = re.search(r"Failures have a type: ([^.]*)\.", states)[1]
    assert set(re.split(r",\s+", types)) == set(FailureType)
    assert {Kind.RELEASE, Kind.PROFILE} == set(Kind)


def test_each_step_has_the_documented_time_and_is_done_by_whom_it_says():
    who = {Who.HELPER: "root", Who.SITE: "site"}
    seen = set()
    for steps, by, most, *_ in rows(UPDATES, "| step | by | at most | does | on an error |\n"):
        names = [Step(name) for name in codes(steps)]
        times = [JOB_S] if most == "the job's time" else figures(most)
        times = times if len(times) == len(names) else times * len(names)
        hands = re.split(r",\s+", by) if "," in by else [by] * len(names)
        for name, seconds, hand in zip(names, times, hands, strict=True):
            assert TABLE[name].deadline_s == seconds, name
            assert hand in {who.get(TABLE[name].who, "agent"), "child"}, name
            seen.add(name)
    assert seen == set(TABLE)


def test_each_verb_of_an_installer_has_the_documented_deadline():
    found = {}
    for verbs, most, _ in rows(UPDATES, "| verb | deadline, s | does |\n"):
        names, times = codes(verbs), figures(most)
        times = times if len(times) == len(names) else times * len(names)
        found |= dict(zip(names, times, strict=True))
    assert found == DEADLINES_S


def test_each_class_of_component_may_have_the_documented_installers():
    found = {}
    for components, kinds in rows(UPDATES, "| component | kinds |\n"):
        for component in codes(components):
            family = component.split("/")[0]
            found[family] = {each for each in codes(kinds) if not each.startswith("plugin/")}
            assert ("plugin" in kinds) == (family in PLUGGED)
    assert found == {family: set(kinds) for family, kinds in OF_CLASS.items()}
