"""What the demo writes down is what centre and agent read."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from roost_agent.config_file import load as load_agent
from roost_central.config import load as load_centre
from roost_central.demo import cast
from roost_central.demo.brokers import Broker

WANS = [Broker("wan1", "127.0.0.1", 1884, None), Broker("wan2", "127.0.0.1", 1885, None)]
LANS = [
    Broker("lan-a", "127.0.1.100", 1886, SimpleNamespace(pid_file=Path("/run/lan-a.pid"))),
    Broker("lan-b", "127.0.2.100", 1887, None),
]


def configured(command):
    return Path(command.argv[command.argv.index("--config") + 1])


def test_the_centre_takes_its_configuration(tmp_path):
    config = load_centre(configured(cast.centre(tmp_path, 8470, WANS)))
    assert [broker.url for broker in config.brokers] == [broker.url for broker in WANS]
    assert config.http.host == "127.0.0.1"
    assert config.admit == "loopback"
    assert config.data_dir.parent == tmp_path


def test_the_centre_takes_another_database(tmp_path):
    url = 'postgresql+asyncpg://me@127.0.0.1/a"b'
    command = cast.centre(tmp_path, 8470, WANS, database=url)
    assert load_centre(configured(command)).database_url == url


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_agent_takes_its_configuration(tmp_path, number):
    config = load_agent(configured(cast.agent(tmp_path, number, WANS, LANS)))
    assert config.node_id == f"lab.n{number}"
    assert [path.name for path in config.paths] == ["wan1", "wan2", "lan-a", "lan-b"]
    assert config.path("lan-b").bind == f"127.0.2.{number}"
    assert Path(config.state_dir) == cast.state_dir(tmp_path, f"n{number}")


def test_a_node_is_missed_before_its_agent_is_started_again(tmp_path):
    agent = cast.agent(tmp_path, 1, WANS, LANS)
    assert agent.again_s > 4 * cast.BEAT_S


def test_the_lab_is_a_line_of_an_import():
    line = json.loads(cast.lab_line())
    assert line["site"] == "lab"
    assert line["nodes"] == ["n1", "n2", "n3"]


def test_faults_reach_the_simulator():
    argv = cast.simulator(5, WANS, ["cut carrier=carB", "drop broker=wan1"]).argv
    assert [argv[at + 1] for at, word in enumerate(argv) if word == "--fault"] == [
        "cut carrier=carB",
        "drop broker=wan1",
    ]
