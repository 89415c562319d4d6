import pytest

from roost_agent import config, helper
from roost_agent.helper import catalogue
from roost_agent.host.processes.definition import KEYS, NUMBERS, Mode, definition

PUMP = {"process": "pump", "pidfile": "/run/pump.pid"}


def faults_of(**said):
    return dict(definition(PUMP | said, "f")[1])


def test_what_is_not_said_is_starlingx_default():
    made, faults = definition(PUMP, "f")
    assert faults == []
    assert (made.severity, made.mode, made.style) == ("minor", Mode.PASSIVE, "systemd")
    assert (made.restarts, made.interval, made.debounce, made.startuptime) == (3, 5, 20, 5)
    assert (made.period, made.timeout, made.threshold) == (10, 5, 3)


@pytest.mark.parametrize("key", NUMBERS)
def test_a_number_is_taken_at_its_bounds_and_refused_past_them(key):
    bound = NUMBERS[key]
    for value in (bound.low, bound.high, str(bound.high)):
        assert key not in faults_of(**{key: value})
    for value in (bound.low - 1, bound.high + 1, "3x", 2.5, True):
        assert key in faults_of(**{key: value})
    assert f"{bound.low}..{bound.high}" in faults_of(**{key: bound.high + 1})[key]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("process", ""),
        ("process", "a b"),
        ("service", "a/b"),
        ("script", "bin/x"),
        ("pidfile", "/run/../etc/x"),
        ("cgroup", "/abs"),
        ("cgroup", "a/../b"),
        ("severity", "huge"),
        ("mode", "loud"),
        ("style", "upstart"),
        ("quorum", "perhaps"),
        ("subfunction", "x\ny"),
        ("subfunction", "x" * 513),
        ("status_arg", 7),
        ("socket", "pump.sock"),
        ("socket", "127.0.0.1"),
        ("socket", "127.0.0.1:0"),
        ("socket", "127.0.0.1:65536"),
        ("socket", "127.0.0.256:80"),
        ("socket", "::1:80"),
        ("socket", "localhost:80"),
    ],
)
def test_a_value_of_another_form_is_refused_with_its_key(key, value):
    assert key in faults_of(**{key: value})


def test_every_fault_is_told_at_once():
    assert set(faults_of(severity="huge", restarts=-1, pidfile="x")) == {
        "severity",
        "restarts",
        "pidfile",
    }


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ({"mode": "active", "pidfile": "/p"}, "port"),
        ({"mode": "status", "pidfile": "/p"}, "script"),
        ({"mode": "passive"}, "pidfile"),
        ({"mode": "probe", "pidfile": "/p"}, "script"),
        ({"mode": "probe", "script": "/x"}, "pidfile"),
        ({"mode": "socket", "pidfile": "/p"}, "socket"),
        ({"mode": "notify", "pidfile": "/p"}, "service"),
    ],
)
def test_a_mode_needs_what_it_works_with(said, key):
    assert [each for each, _ in definition({"process": "x"} | said, "f")[1]] == [key]


@pytest.mark.parametrize("place", ["/run/x.sock", "127.0.0.1:1", "10.2.3.4:65535", "[::1]:80"])
def test_what_is_connected_to_is_a_path_or_an_address_with_its_port(place):
    made, faults = definition(PUMP | {"mode": "socket", "socket": place}, "f")
    assert (made.socket, made.mode, faults) == (place, Mode.SOCKET, [])


def test_a_unit_may_be_written_with_its_ending():
    assert definition({"process": "x", "service": "x@1.service"}, "f")[0].service == "x@1"


def test_flags_are_read_as_starlingx_writes_them():
    made, _ = definition(PUMP | {"quorum": "1", "full_init_reqd": "0"}, "f")
    assert (made.quorum, made.full_init_reqd) == (True, False)


def test_a_host_cannot_do_without_a_process_of_its_quorum_whatever_its_severity_says():
    assert definition(PUMP | {"severity": "minor", "quorum": True}, "f")[0].level.word == "critical"
    assert definition(PUMP | {"severity": "minor"}, "f")[0].level.word == "minor"


def test_every_key_has_a_field_or_is_starlingxs_alone():
    made, _ = definition(PUMP, "f")
    assert set(KEYS) - set(type(made).__struct_fields__) == {"start_arg", "status_failure_text"}


def test_the_helper_is_looked_for_where_it_is():
    assert config.UNITS_FILE == catalogue.FILE
    assert config.HELPER_SOCKET == helper.SOCKET
