"""The paths of a node with an identity: its brokers', unless the configuration names WAN paths."""

import msgspec
import pytest

from roost_agent.config_file import load
from roost_agent.enrolled import FACTS, FOLDER, Facts
from roost_protocol.enrol import Broker
from roost_protocol.hardware import Hardware

BROKERS = (Broker("wan1", "mqtts://192.0.2.1:8883"), Broker("wan2", "mqtts://192.0.2.2:8883"))
PATH = '[[path]]\nname = "{name}"\nkind = "{kind}"\nbroker = "mqtt://127.0.0.1"\n'


@pytest.fixture
def file(tmp_path):
    facts = Facts(
        fleet_domain="edge.example", site="lab", node="n1", generation=1, box=1, hw_fp=Hardware(),
        brokers=BROKERS, enrolled_ms=1, not_after_ms=2, image_root="none", centre="https://x",
    )  # fmt: skip
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / FACTS).write_bytes(msgspec.json.encode(facts))
    path = tmp_path / "agent.toml"
    path.write_text(f'state_dir = "{tmp_path}"\n')
    return path


def names(file, *more):
    with file.open("a") as stream:
        stream.writelines(PATH.format(name=name, kind=kind) for name, kind in more)
    return [path.name for path in load(file).paths]


def test_a_node_goes_to_the_brokers_of_its_identity(file):
    assert names(file) == ["wan1", "wan2"]
    path = load(file).path("wan2")
    assert path.tls.server_name == "wan2.svc.edge.example"


def test_paths_of_the_site_come_to_those(file):
    assert names(file, ("lan-a", "site")) == ["wan1", "wan2", "lan-a"]


def test_a_wan_path_that_is_configured_takes_their_place(file):
    assert names(file, ("mine", "wan"), ("lan-a", "site")) == ["mine", "lan-a"]
