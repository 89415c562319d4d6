"""What a profile says of processes stands over what files define, key by key."""

import msgspec
import pytest

from roost_agent.host.processes import definition as agents
from roost_agent.host.processes.definition import Definition, Mode
from roost_agent.host.processes.desired import with_settings
from roost_agent.host.processes.files import Found
from roost_protocol.limits import HOST_PROCESSES_MAX
from roost_protocol.profile.kinds import Flag, OneOf, Whole
from roost_protocol.profile.processes import PROCESSES

PUMP = Definition(process="pump", file="/etc/pmon.d/pump.conf", pidfile="/run/pump.pid", restarts=9)


def files(*definitions, **faults):
    return Found({each.process: each for each in definitions}, faults)


def test_a_key_of_the_profile_stands_over_the_files_and_the_others_stay():
    found = with_settings(files(PUMP), {"pump": {"severity": "critical", "mode": "ignore"}})
    made = found.processes["pump"]
    assert (made.severity, made.mode, made.restarts) == ("critical", Mode.IGNORE, 9)
    assert made.pidfile == "/run/pump.pid"
    assert made.file == "profile over /etc/pmon.d/pump.conf"


def test_a_process_that_no_file_defines_is_one_of_the_catalogue():
    made = with_settings(files(), {"valve": {"service": "valve"}}).processes["valve"]
    assert (made.service, made.file, made.restarts) == ("valve", "profile", 3)


def test_what_is_not_well_together_leaves_the_file_as_it_is_and_is_told():
    found = with_settings(files(PUMP, bad=["a line"]), {"pump": {"mode": "active"}})
    assert found.processes == {"pump": PUMP}
    assert found.faults["bad"] == ["a line"]
    assert found.faults["profile"] == ["pump.port: missing: mode active pings it"]


def test_a_process_that_nothing_leads_to_is_told_and_not_watched():
    found = with_settings(files(), {"valve": {"severity": "major"}})
    assert found.processes == {}
    assert "nothing says which process it is" in found.faults["profile"][0]


def test_a_profile_has_what_listens_on_the_node_itself_asked_and_nothing_else():
    said = {"pump": {"mode": "socket", "socket": "127.0.0.1:80"}}
    assert with_settings(files(PUMP), said).processes["pump"].mode is Mode.SOCKET
    kind = fields()["socket"].kind
    assert kind.holds("[::1]:8080")
    for elsewhere in ("10.0.0.1:80", "/run/x.sock", "127.0.0.1", "127.0.0.1:0"):
        assert not kind.holds(elsewhere)


def test_files_and_profile_together_have_a_bound_that_is_told():
    many = [msgspec.structs.replace(PUMP, process=f"p{n}") for n in range(HOST_PROCESSES_MAX)]
    found = with_settings(files(*many), {"one-more": {"service": "valve"}, "p1": {"restarts": 1}})
    assert len(found.processes) == HOST_PROCESSES_MAX
    assert found.processes["p1"].restarts == 1
    assert str(HOST_PROCESSES_MAX) in found.faults["profile"][0]


def test_without_a_profile_it_is_what_files_define():
    assert with_settings(files(PUMP), {}) == files(PUMP)


def fields():
    return PROCESSES["watch"].each.parts


def test_the_schema_has_the_bounds_of_the_agent_and_no_key_that_is_a_path():
    parts = fields()
    for name, bound in agents.NUMBERS.items():
        kind = parts[name].kind
        assert isinstance(kind, Whole)
        assert (kind.least, kind.most, kind.unit) == (bound.low, bound.high, bound.unit)
    flags = {name for name, each in parts.items() if isinstance(each.kind, Flag)}
    assert flags == set(agents.FLAGS)
    assert set(parts) - set(agents.NUMBERS) - flags == {
        "service",
        "mode",
        "socket",
        "severity",
        "subfunction",
    }
    assert not {"script", "pidfile", "cgroup", "status_arg"} & set(parts)


@pytest.mark.parametrize("name", ["mode", "severity"])
def test_each_word_of_the_schema_is_one_that_the_agent_knows(name):
    kind = fields()[name].kind
    assert isinstance(kind, OneOf)
    assert set(kind.choices) <= set(agents.CHOICES[name][0])
    assert not {"status", "probe"} & set(kind.choices)
