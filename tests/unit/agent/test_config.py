"""The configuration file: what is accepted, and how everything else is told."""

import json
from pathlib import Path

import pytest

from roost_agent.config import HOUR_MS
from roost_agent.config_file import load
from roost_agent.errors import ConfigError
from roost_protocol.beat import PathKind

GOOD = """
site = "lab"
node = "n1"
state_dir = "/absent/state"
[[path]]
name = "wan1"
kind = "wan"
broker = "mqtt://127.0.0.1:1884"
bind = "127.0.1.1"
"""


def write(tmp_path, text, name="agent.toml"):
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return file


def faults(tmp_path, text):
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text))
    return caught.value.faults


def test_a_small_file_is_enough_and_the_rest_has_defaults(tmp_path):
    config = load(write(tmp_path, GOOD))
    assert config.node_id == "lab.n1"
    path = config.path("wan1")
    assert (path.kind, path.host, path.port, path.bind) == (
        PathKind.WAN,
        "127.0.0.1",
        1884,
        "127.0.1.1",
    )
    assert (config.beat.interval_ms, config.beat.site_interval_ms) == (30_000, 10_000)
    assert config.outbox.bytes_max == 32 << 20
    assert config.inventory.probe_interval_ms == 6 * HOUR_MS


def test_drop_ins_come_in_name_order_and_the_last_word_counts(tmp_path):
    write(tmp_path, GOOD)
    write(tmp_path, "[beat]\ninterval_s = 7", "conf.d/20-b.toml")
    write(tmp_path, "[beat]\ninterval_s = 5\nsite_interval_s = 3", "conf.d/10-a.toml")
    write(
        tmp_path,
        GOOD.replace("wan1", "wan2").split("\n[[", 1)[1].join(["[[", ""]),
        "conf.d/30-c.toml",
    )
    config = load(tmp_path)
    assert (config.beat.interval_ms, config.beat.site_interval_ms) == (7_000, 3_000)
    assert [path.name for path in config.paths] == ["wan1", "wan2"]


def test_a_preset_changes_the_defaults_and_a_key_beats_it(tmp_path):
    config = load(write(tmp_path, 'preset = "lan"\n' + GOOD + "[beat]\nsite_interval_s = 4"))
    assert (config.beat.interval_ms, config.beat.site_interval_ms) == (10_000, 4_000)


def test_nothing_is_called_missing_while_a_file_could_not_be_read(tmp_path):
    write(tmp_path, "site = ", "conf.d/10-site.toml")
    (only,) = faults(tmp_path, GOOD.replace('site = "lab"', ""))
    assert "10-site.toml: not TOML: " in only


def test_what_is_missing_belongs_into_the_main_file(tmp_path):
    write(tmp_path, "[beat]\ninterval_s = 7", "conf.d/10-a.toml")
    found = faults(tmp_path, "")
    assert [line.split(": ")[:2] for line in found] == [
        ["agent.toml", "site"],
        ["agent.toml", "node"],
        ["agent.toml", "path"],
    ]


def test_a_name_that_is_no_text_is_one_fault(tmp_path):
    (only,) = faults(tmp_path, GOOD.replace('"n1"', "1"))
    assert only == "agent.toml: node: must be a string"


def test_all_faults_are_told_at_once_with_file_key_and_bound(tmp_path):
    text = (
        GOOD.replace('"n1"', '"N 1"')
        .replace("mqtt://127", "http://127")
        .replace('"127.0.1.1"', '"here"')
    )
    found = faults(tmp_path, text + "[beat]\ninterval_s = 0\n[outbox]\nbytes_max = 'big'\n")
    assert [line.split(": ")[:2] for line in found] == [
        ["agent.toml", "node"],
        ["agent.toml", "beat.interval_s"],
        ["agent.toml", "outbox.bytes_max"],
        ["agent.toml", "path.bind"],
        ["agent.toml", "path.broker"],
    ]
    assert "bound 1..600" in found[1]


def test_an_unknown_key_comes_with_a_suggestion(tmp_path):
    (line,) = faults(tmp_path, GOOD + "[beat]\nintervall_s = 3\n")
    assert line == "agent.toml: beat.intervall_s: unknown key, did you mean interval_s?"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ('site = "lab"', "site"),
        ('kind = "wan"', "path.kind"),
        ('name = "wan1"', "path.name"),
        ('broker = "mqtt://127.0.0.1:1884"', "path.broker"),
    ],
)
def test_what_is_missing_is_named(tmp_path, change, key):
    (line,) = faults(tmp_path, GOOD.replace(change, ""))
    assert line.startswith(f"agent.toml: {key}: ")


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('broker = "mqtt://user:secret@host"', "path.broker"),
        ('broker = "mqtt://host:70000"', "path.broker"),
        ('broker = "mqtt://:1883"', "path.broker"),
        ('broker = "mqtts://host"', "path.ca_file"),
    ],
)
def test_a_broker_that_cannot_be_is_refused(tmp_path, line, key):
    found = faults(tmp_path, GOOD.replace('broker = "mqtt://127.0.0.1:1884"', line))
    assert [each.split(": ")[1] for each in found] == [key]


def test_the_usual_ports_need_not_be_said(tmp_path):
    for url, port in (("mqtt://[::1]", 1883), ("mqtt://host", 1883), ("mqtt://[::1]:7", 7)):
        text = GOOD.replace("mqtt://127.0.0.1:1884", url)
        assert load(write(tmp_path, text)).paths[0].port == port


def test_two_paths_of_one_name_are_refused(tmp_path):
    path = GOOD[GOOD.index("[[path]]") :]
    (line,) = faults(tmp_path, GOOD + path)
    assert "is there already" in line


def test_no_path_is_refused(tmp_path):
    (line,) = faults(tmp_path, GOOD[: GOOD.index("[[path]]")])
    assert "bound 1 to 16" in line


@pytest.mark.parametrize("raw", [b"site = ", b"\xff\xfe", b"#" * 300_000])
def test_what_is_not_a_configuration_is_told_plainly(tmp_path, raw):
    file = tmp_path / "agent.toml"
    file.write_bytes(raw)
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert str(file) in caught.value.faults[0]


def test_a_missing_file_is_told_plainly(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "none.toml")


def test_alarms_have_defaults_and_a_socket_beside_a_state_of_its_own(tmp_path):
    config = load(write(tmp_path, GOOD))
    assert config.alarms.socket == "/absent/state/alarm.sock"
    assert config.alarms.types["100.101"].limits == {"major": 90, "critical": 95}
    assert load(write(tmp_path, GOOD.replace('state_dir = "/absent/state"', ""))).alarms.socket == (
        "/run/roost/alarm.sock"
    )


def test_limits_and_delays_are_this_nodes_own_and_the_last_word_counts(tmp_path):
    write(tmp_path, '[alarms.types."100.101"]\nmajor = 70\nhysteresis = 1', "conf.d/10.toml")
    write(tmp_path, '[alarms]\noff = ["100.810"]\nha_ports = ["eth1"]', "conf.d/20.toml")
    text = GOOD + '[alarms]\nwan_ports = ["eth0"]\n[alarms.types."100.101"]\nmajor = 80\n'
    alarms = load(write(tmp_path, text)).alarms
    cpu = alarms.types["100.101"]
    assert cpu.limits == {"major": 70, "critical": 95}
    assert (cpu.delays.raise_after_s, cpu.delays.hysteresis) == (120, 1)
    assert (alarms.off, alarms.ports) == ({"100.810"}, {"eth0": "wan", "eth1": "ha"})


def test_an_applications_types_come_from_files(tmp_path):
    file = tmp_path / "pump.json"
    record = {
        "name": "pump.dry", "source": "app", "entity": ["app"], "default": "major",
        "severities": {"major": "Pump {app} runs dry"},
    }  # fmt: skip
    file.write_bytes(json.dumps({"v": 1, "types": {"760.801": record}}).encode())
    text = GOOD + f'[alarms]\ncatalogue = ["{file}"]\n'
    assert load(write(tmp_path, text)).alarms.types["760.801"].name == "pump.dry"
    file.write_bytes(json.dumps({"v": 1, "types": {"750.801": record}}).encode())
    what = "750.801: there is one already"
    assert faults(tmp_path, text) == [f"agent.toml: alarms.catalogue: {file}: {what}"]
    file.write_text("{")
    assert "catalogue" in faults(tmp_path, text)[0]
    file.write_bytes(b" " * ((1 << 20) + 1))
    assert "longer than 1048576 bytes" in faults(tmp_path, text)[0]


def test_every_fault_of_the_alarms_is_told(tmp_path):
    text = (
        GOOD
        + """
[alarms]
sockets = "x"
socket = "run.sock"
catalogue = ["/none.json"]
processes = ["a/b"]
wan_ports = "eth0"
certificates = [1]
off = ["999.999"]
[alarms.types."999.999"]
major = 1
[alarms.types."750.801"]
[alarms.types."100.101"]
majr = 1
critical = 85
[alarms.types."100.103"]
major = 95
[alarms.types."100.104"]
major = true
critical = -1
"""
    )
    found = faults(tmp_path, text)
    assert [line.split(": ", 1)[1] for line in found] == [
        "alarms.sockets: unknown key, did you mean socket?",
        "alarms.certificates: must be a list of strings",
        "alarms.processes: 'a/b' does not match [^/\\s]{1,15}",
        "alarms.wan_ports: must be a list of strings",
        "alarms.catalogue: /none.json: /none.json: No such file or directory",
        "alarms.types.999.999: no type that this node's rules raise",
        "alarms.types.750.801: no type that this node's rules raise",
        "alarms.types.100.101.majr: unknown key, did you mean major?",
        "alarms.types.100.103.limits: a worse severity needs a higher limit",
        "alarms.types.100.104.major: must be a number",
        "alarms.types.100.104.critical: -1: bound 0..1e+09",
        "alarms.off: 999.999: no type that this node's rules raise",
        "alarms.socket: must be an absolute path, or empty for none",
    ]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("alarms = 5", "alarms: must be a table"),
        ('[alarms]\ntypes = {"100.101" = 5}', "alarms.types.100.101: must be a table"),
        ('[alarms]\ntypes = 5', "alarms.types: must be tables by type"),
        (f'[alarms]\nsocket = "/{"x" * 107}"', "alarms.socket: longer than 107 bytes"),
        (f"[alarms]\nprocesses = {['a'] * 21}", "alarms.processes: 21 entries: bound 20"),
        ('[alarms]\nmounts = ["mnt"]', "alarms.mounts: 'mnt' does not match /.*"),
    ],
)  # fmt: skip
def test_an_alarm_key_of_another_form_is_told(tmp_path, line, what):
    assert faults(tmp_path, line + "\n" + GOOD if "alarms =" in line else GOOD + line) == [
        f"agent.toml: {what}"
    ]


def test_an_identity_that_is_not_this_users_to_read_is_told_and_no_traceback(tmp_path, monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", refused)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert caught.value.faults == [
        "/var/lib/roost/identity/identity.json: not for this user to read: run it as root"
    ]
