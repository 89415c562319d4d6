"""What the groups' reports become, and when a node is left out for what it lost."""

import pytest
from ha_cores import site_file
from msgspec.structs import replace

from roost_agent.ha import core_events as ev
from roost_agent.ha import lease_events as le
from roost_agent.ha.config_file import load
from roost_agent.ha.lease_holding import NO_MAJORITY
from roost_agent.ha.moves import HELD_BACK
from roost_agent.ha.services.event import Failed, Running
from roost_agent.ha.workload import TOO_OFTEN, Workload
from roost_agent.ports import SystemClock, SystemEntropy

LOST = 4  # failovers that make a node left out


class Scene:
    def __init__(self, folder, of_main=""):
        file = folder / "ha.toml"
        text = site_file().replace('name = "main"\n', f'name = "main"\n{of_main}', 1)
        file.write_text(text)
        self.config = load(file)
        self.told = []
        self.answer = le.Answer(ok=True, sentence="stopping main")
        self.workload = Workload(
            self.config, "c0", folder / "cgroup", clock=SystemClock(), entropy=SystemEntropy()
        )
        self.workload.tell = self.tell

    def tell(self, event):
        self.told.append(event)
        return self.answer

    def fails(self, group="main", step="failover", impact="critical"):
        failed = Failed("db", impact, step, "it died")
        self.workload._reported(self.config.group(group), failed)


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)


def test_a_failover_is_a_chosen_move_and_node_fail_one_of_every_group(scene):
    scene.fails()
    assert scene.told == [ev.Give("main", "db: it died", is_chosen=True)]
    scene.fails(step="node-fail")
    assert {each.lease for each in scene.told[1:]} == {"main", "web"}
    scene.fails(step="")
    assert len(scene.told) == 3


def test_a_node_that_lost_a_group_too_often_is_left_out_unless_nobody_else_is_there(scene):
    for _ in range(LOST):
        scene.fails()
    assert scene.workload.held_back() == {"main": TOO_OFTEN}
    scene.workload.is_sole = lambda group: group == "main"
    assert scene.workload.held_back() == {}


def test_a_move_that_is_held_back_is_told_until_the_group_is_well(scene):
    scene.answer = le.Answer(ok=False, sentence=HELD_BACK)
    scene.fails()
    assert scene.workload.held_back() == {"main": f"{HELD_BACK}; db: it died"}
    scene.workload._reported(scene.config.group("main"), Running(32))
    assert scene.workload.held_back() == {}


def test_failures_of_impact_major_are_counted(scene):
    assert scene.workload.failures() == 0
    part = scene.workload._leased["main"].core._parts["db"]
    part.is_failed = True
    assert scene.workload.failures() == 0, "that one is critical: the ladder's matter"
    part.service = type(part.service)(
        **{name: getattr(part.service, name) for name in part.service.__struct_fields__}
        | {"impact": "major"}
    )
    assert scene.workload.failures() == 1


def test_a_group_lacks_the_one_beside_it_until_that_one_is_active_here(tmp_path):
    scene = Scene(tmp_path)
    web = scene.config.group("web")
    of_web = {name: getattr(web, name) for name in web.__struct_fields__}
    needy = type(web)(**of_web | {"requires_active": ("main", "logs")})
    groups = tuple(needy if each is web else each for each in scene.config.groups)
    scene.workload._config = replace(scene.config, groups=groups)
    assert scene.workload._lacks("web") == "logs"
    scene.workload._everywhere["logs"].core._state = "active"
    assert scene.workload._lacks("web") == "logs", "it starts"
    scene.workload._everywhere["logs"].core._is_running = True
    assert scene.workload._lacks("web") == ""
    assert scene.workload._lacks("main") == ""


class Asked:
    """Stands for the last rung: notes what it is asked for, and reboots nothing."""

    refused = ""

    def __init__(self):
        self.why = []

    def ask(self, why):
        self.why.append(why)


def test_the_reboot_rung_gives_every_group_away_and_asks_for_a_reboot(scene):
    asked = scene.workload.last_rung = Asked()
    scene.fails(step="node-fail")
    assert asked.why == []
    scene.told.clear()
    scene.fails(step="reboot")
    assert {each.lease for each in scene.told} == {"main", "web"}
    assert asked.why == ["db: it died"]


def test_a_service_that_runs_on_every_host_can_have_its_node_rebooted(scene):
    asked = scene.workload.last_rung = Asked()
    scene.fails(group="logs", step="reboot")
    assert asked.why == ["db: it died"]


@pytest.mark.parametrize("why", [NO_MAJORITY, "switchover"])
@pytest.mark.parametrize("word", ["reboot", "stop"])
async def test_a_node_is_rebooted_for_want_of_a_majority_only_where_it_is_wished(
    tmp_path, why, word
):
    scene = Scene(tmp_path, f'on_no_quorum = "{word}"\n')
    asked = scene.workload.last_rung = Asked()
    scene.workload.stop("main", 3, None, why)
    scene.workload.stop("nothing", 3, None, why)
    is_wished = (why, word) == (NO_MAJORITY, "reboot")
    assert asked.why == [f"main: {NO_MAJORITY}"] * is_wished


def test_a_node_without_a_last_rung_asks_nobody(scene):
    scene.fails(step="reboot")
    assert scene.workload.no_reboot() == ""
    assert scene.workload.is_at_rest()
