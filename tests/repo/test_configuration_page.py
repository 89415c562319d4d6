"""docs/configuration.md: its examples are taken, its keys and bounds are those of the code."""

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from roost_agent import config as agent
from roost_agent.config_file import JOIN_KEYS, load
from roost_agent.config_path import PATH_KEYS
from roost_agent.config_settings import SettingsConfig
from roost_agent.config_updates import BYTES_MAX, VERIFY_S, UpdatesConfig
from roost_agent.ha.config import (
    Active,
    Budget,
    Group,
    HaFile,
    Network,
    Node,
    Run,
    Service,
    Vip,
    WanWitness,
    Way,
)
from roost_agent.ha.config_fence import Fence
from roost_agent.ha.config_file import check as ha_check
from roost_agent.ha.timing import Timing
from roost_central import config as central

PAGE = (Path(__file__).parents[2] / "docs/configuration.md").read_text()
EXAMPLES = {
    match["name"]: re.sub("^ +", "", match["text"], flags=re.MULTILINE)
    for match in re.finditer(r"```toml\n +# (?P<name>\S+)\n(?P<text>.*?)```", PAGE, re.DOTALL)
}
AGENT, REST = PAGE.split("## roost-agent\n")[1].split("## ha.toml\n")
SITE, CENTRE = REST.split("## roost-central\n")


def rows(text):
    return [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in text.splitlines()
        if line.startswith("| `")
    ]


def keys(text):
    return {key for row in rows(text) for key in re.findall(r"`([a-z_.]+)`", row[0])}


def test_the_agents_example_is_taken(tmp_path):
    file = tmp_path / "agent.toml"
    file.write_text(EXAMPLES["agent.toml"])
    assert load(file).node_id == "shop-1.n1"


def test_the_sites_example_is_taken_without_a_fault():
    config, faults = ha_check(tomllib.loads(EXAMPLES["ha.toml"]))
    assert faults == []
    assert config.lease_names() == ("site", "main")


def test_every_key_of_the_sites_file_is_told():
    tables = HaFile, Network, Node, Way, Group, Service, Run, Budget, Active, Vip, Fence, WanWitness
    for table in tables:
        for each in msgspec.structs.fields(table):
            assert re.search(rf"`{each.encode_name}[`.]|`\[\[{each.encode_name}]]`", SITE), each
    for name in Timing.__struct_fields__:
        assert f"`{name}`" in SITE


def test_the_centres_example_is_taken():
    config = central.check(tomllib.loads(EXAMPLES["central.toml"]))
    assert (config.data_dir, config.admit) == (central.CentralConfig().data_dir, "registered")
    assert [broker.name for broker in config.brokers] == ["b1"]


@pytest.mark.parametrize("table", ["beat", "outbox", "inventory", "hosts"])
def test_every_number_of_the_agent_stands_with_its_default_and_bound(table):
    bounds = {
        "beat": agent.BEAT,
        "outbox": agent.OUTBOX,
        "inventory": agent.INVENTORY,
        "hosts": agent.HOSTS,
    }[table]
    told = {row[0].strip("`"): row[1:3] for row in rows(AGENT)}
    assert {key: told[f"{table}.{key}"] for key in bounds} == {
        key: [str(bound.default), f"{bound.low} to {bound.high}"] for key, bound in bounds.items()
    }


def test_every_key_of_joining_is_told_and_each_folder_that_is_looked_in():
    assert {f"join.{key}" for key in JOIN_KEYS} <= keys(AGENT)
    assert all(f"`{folder}`" in AGENT for folder in agent.CLAIM_DIRS)


@pytest.mark.parametrize(
    ("table", "known"), [("settings", SettingsConfig), ("updates", UpdatesConfig)]
)
def test_every_key_of_a_table_of_places_is_told_with_its_default(table, known):
    for each in msgspec.structs.fields(known):
        told = [row[1] for row in rows(AGENT) if f"`{table}.{each.name}`" in row[0]]
        assert len(told) == 1, each.name
        assert (str(each.default) or "empty") in told[0]


def test_the_bounds_of_updates_are_told_as_all_others():
    told = {row[0].strip("`"): row[2] for row in rows(AGENT) if "`updates." in row[0]}
    assert told["updates.verify_s"] == "{} to {}".format(*VERIFY_S)
    assert told["updates.bytes_max"] == f"0 to {BYTES_MAX}"


def test_every_key_of_a_path_is_told():
    assert set(PATH_KEYS) <= keys(AGENT)


@pytest.mark.parametrize("key", sorted(keys(CENTRE)))
def test_every_key_of_the_centre_is_known_to_it(key):
    table, _, name = key.rpartition(".")
    wrong = {name: {}}  # a fault of its own
    given = wrong if not table else {table: [wrong] if table == "broker" else wrong}
    with pytest.raises(central.ConfigFaultsError) as refused:
        central.check(given)
    assert f"{key}: is not known" not in "\n".join(refused.value.faults)
