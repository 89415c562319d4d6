"""``paths`` and ``ha``: what root says of them before the agent tries them."""

import sys
from pathlib import Path

import pytest
from machine_tree import machine_tree

from roost_agent.config_apply import plan as plans
from roost_agent.config_apply.core import Application, Await, Confirmed, Did, Keep, Look, Tick
from roost_agent.config_apply.machine import Machine
from roost_agent.config_apply.sections.ha import Ha
from roost_agent.config_apply.sections.paths import Paths

sys.path.insert(0, str(Path(__file__).parents[1] / "ha"))

import site_file

HA_FILE = "/etc/roost/ha.toml"
NODE = {
    "etc/roost/agent.toml": 'preset = "lan"\n',
    "etc/roost/conf.d/30-ha.toml": f'[ha]\nfile = "{HA_FILE}"\n',
    "etc/roost/ha.toml": site_file.TEXT,
}
SWAPPED = {"groups": {"main": {"hosts": ["c1", "c0"]}}}


def machine(tmp_path, more=NODE):
    return Machine(str(machine_tree(tmp_path, more)), "")


def test_the_file_that_the_agents_configuration_names_is_held_against_the_profile(tmp_path):
    node = machine(tmp_path)
    found = Ha().read(SWAPPED, {}, node)
    assert Ha().refusals(SWAPPED, found) == []
    [why] = Ha().refusals({"groups": {"x": {"preempt_s": 1}}}, found)
    assert why == "groups.x: ha.toml has no such group; it has main, agents"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({}, "it takes no part in local HA"),
        ({"etc/roost/agent.toml": f'[ha]\nfile = "{HA_FILE}"\n'}, f"{HA_FILE} is not there"),
        (NODE | {"etc/roost/ha.toml": "="}, "not TOML"),
        (NODE | {"etc/roost/ha.toml": "voters = []"}, "node"),
    ],
)
def test_a_node_without_a_file_that_holds_refuses(tmp_path, more, why):
    found = Ha().read(SWAPPED, {}, machine(tmp_path, more))
    assert any(why in each for each in Ha().refusals(SWAPPED, found))


def test_a_file_that_was_changed_so_that_they_fit_no_more_is_drift(tmp_path):
    node = machine(tmp_path)
    wanted = {"ha": SWAPPED}
    found = {"ha": Ha().read(SWAPPED, {}, node)}
    assert plans.drift(wanted, found) == {}
    file = tmp_path / "etc/roost/ha.toml"
    file.write_text(site_file.TEXT.replace('"main"', '"prime"'))
    [drift] = plans.drift(wanted, {"ha": Ha().read(SWAPPED, {}, node)})["ha"]
    assert (drift.setting, drift.found) == ("ha.groups.main.hosts", "")


def test_an_interface_that_is_not_there_is_refused(tmp_path):
    node = machine(tmp_path, {"sys/class/net/eth1/address": ""})
    wanted = {"wan": {"w1": {"interface": "eth1"}, "w2": {"interface": "wwan0"}}}
    found = Paths().read(wanted, {}, node)
    assert Paths().refusals(wanted, found) == ["wan.w2.interface: there is no wwan0"]


def test_only_another_source_of_connections_is_tried(tmp_path):
    there = {"wan": {"w1": {"interface": "eth1", "priority": 1}}}
    ordered = {"wan": {"w1": {"interface": "eth1", "priority": 2}}, "beat_interval_s": 60}

    def is_tried(wanted, before):
        return Paths().plan(wanted, before, frozenset(), {}).is_tried

    assert is_tried(there, {})
    assert is_tried({}, there)
    assert not is_tried(ordered, there)


def whole(tmp_path, wanted, before):
    node = machine(tmp_path)
    names = plans.concerned(wanted, before)
    found = {
        name: plans.SECTIONS[name].read(wanted.get(name, {}), before.get(name, {}), node)
        for name in names
    }
    return plans.whole(wanted, before, found, {})[0]


def test_what_is_tried_is_kept_by_a_word_alone_and_has_no_journal(tmp_path):
    plan = whole(tmp_path, {"ha": SWAPPED}, {})
    assert plan.needs_confirm
    application = Application(plan)
    assert application.start(0) == Look("ha")
    assert application.handle(Did(), 0) == Await(120_000)
    assert application.handle(Confirmed(), 5) == Keep()
    assert application.handle(Did(), 5) is None
    assert application.is_kept


def test_without_a_word_it_is_gone_and_there_is_nothing_to_undo(tmp_path):
    application = Application(whole(tmp_path, {"ha": SWAPPED}, {}))
    application.start(0)
    application.handle(Did(), 0)
    assert application.handle(Tick(), 119_999) is None
    assert application.handle(Tick(), 120_000) is None
    assert (application.is_ended, application.is_kept, application.left) == (True, False, ())
    assert "nobody confirmed" in application.failed[1]


def test_what_is_as_before_and_what_was_confirmed_before_a_boot_is_not_tried(tmp_path):
    assert not whole(tmp_path, {"ha": SWAPPED}, {"ha": SWAPPED}).needs_confirm
    again = Application(whole(tmp_path, {"ha": SWAPPED}, {}), is_confirmed=True)
    again.start(0)
    assert again.handle(Did(), 0) == Keep()
