"""The fleet of the demo: centre, brokers and agents read what it writes, and its keys are real."""

from pathlib import Path

import pytest

from roost_agent.config_file import load_join
from roost_central.ca import names
from roost_central.config import load
from roost_central.demo import cast, fleet
from roost_central.demo.brokers import Broker
from roost_central.signer.program import checked

SIMS = [Broker("sim1", "127.0.0.1", 1884, None)]


@pytest.fixture
def its(tmp_path):
    return fleet.made(tmp_path)


def configured(command):
    return Path(command.argv[command.argv.index("--config") + 1])


def test_the_signer_takes_its_keys(its, tmp_path):
    assert fleet.DOMAIN in checked(tmp_path / "keys/signer")
    root = tmp_path / "keys/offline" / f"{names.ROOT}{names.KEY}"
    assert "ENCRYPTED" in root.read_text()


def test_the_centre_lets_boxes_in_and_speaks_mtls_to_the_fleets_brokers(its, tmp_path):
    config = load(configured(cast.centre(tmp_path, 8470, SIMS, fleet=its)))
    assert {broker.name: broker.tls is not None for broker in config.brokers} == {
        "wan1": True, "wan2": True, "sim1": False,
    }  # fmt: skip
    assert config.enrol.public_url == its.url
    assert [broker.name for broker in config.enrol.brokers] == ["wan1", "wan2"]
    assert {broker.url for broker in config.enrol.brokers} == {
        broker.url for broker in config.brokers if broker.tls
    }


def test_each_broker_has_a_folder_of_its_own_and_the_centres_database(its, tmp_path):
    central = load(configured(cast.centre(tmp_path, 8470, SIMS, fleet=its)))
    commands = its.brokers(cast.database(tmp_path))
    first, second = (load(configured(command)) for command in commands)
    assert (first.fleet_broker.name, second.fleet_broker.name) == ("wan1", "wan2")
    assert len({central.data_dir, first.data_dir, second.data_dir}) == 3
    assert central.database_url == first.database_url == second.database_url
    assert first.fleet_broker.host == second.fleet_broker.host == "127.0.0.1"


def test_a_node_goes_to_its_centre_alone_and_changes_a_folder_alone(its, tmp_path):
    command = cast.agent(tmp_path, 1, SIMS, [], fleet=its)
    config, state_dir = load_join(configured(command))
    assert (config.url, config.name, config.claim_dirs, config.dns) == (its.url, "n1", (), False)
    assert state_dir == cast.state_dir(tmp_path, "n1")
    text = configured(command).read_text()
    assert text.count(f'root = "{state_dir}/machine"') == 2
    assert "sim1" not in text


def test_a_kept_folder_keeps_keys_and_ports(its, tmp_path):
    key = (tmp_path / "keys/signer/root.pem").read_bytes()
    assert fleet.made(tmp_path).ports == its.ports
    assert (tmp_path / "keys/signer/root.pem").read_bytes() == key
