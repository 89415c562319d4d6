"""The configuration file: what is accepted, and how everything else is told."""

import pytest

from roost_agent.config import HOUR_MS
from roost_agent.config_file import load
from roost_agent.errors import ConfigError
from roost_protocol.beat import PathKind

GOOD = """
site = "lab"
node = "n1"
state_dir = "/tmp/x"
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
