"""The recipes parse, and name only topics, keys and metrics that the centre really sends."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from alarm_feed import MemoryFeed, alarm, incident

from roost_central.alarms.flat import encode
from roost_central.fleet.view import FleetView
from roost_central.northbound import config as northbound_config
from roost_central.northbound import noc_tree
from roost_central.northbound.alertmanager import alarm_alert, incident_alert
from roost_central.northbound.prometheus import Delays, discovery, metrics
from roost_central.northbound.target import TargetState
from roost_central.northbound.webhook import body_of
from roost_central.ports import SystemClock
from roost_protocol.severity import Severity

RECIPES = Path(__file__).parents[4] / "packaging" / "recipes"
METRIC = re.compile(r"roost_[a-z_]+")


def text(name):
    return (RECIPES / name).read_text()


@pytest.fixture(scope="module")
def served():
    """Names of the metrics and labels that are served."""
    feed = MemoryFeed()
    state = TargetState("t", "webhook", "", feed, SystemClock())
    page = metrics(feed, FleetView(), [state], Delays(), with_sites=True)
    return {re.match(r"[a-z_]+", line)[0] for line in page.splitlines() if line[0] != "#"}


def told(topic):
    """The payload that comes by a topic, taken from real messages."""
    return {
        "noc/v1/event/alarm/#": json.loads(encode(alarm())),
        "noc/v1/event/alarm/+/+/+": json.loads(encode(alarm())),
        noc_tree.SUMMARY: json.loads(encode(MemoryFeed().flat_summary())),
        noc_tree.STATUS: {"state": "online", "version": "", "ts": 0},
    }[topic]


def test_prometheus_scrapes_what_is_served(served):
    config = yaml.safe_load(text("prometheus.yml"))
    by_name = {job["job_name"]: job for job in config["scrape_configs"]}
    assert by_name["roost"]["metrics_path"] == "/metrics"
    assert "/api/v1/http-sd" in by_name["nodes"]["http_sd_configs"][0]["url"]
    view = FleetView()
    view.add_site("s", 0).labels = {"region": "r1"}
    view.add_node("s.n1", "s", "n1")
    labels = discovery(view, 9100)[0].labels
    used = [each["source_labels"][0] for each in by_name["nodes"]["relabel_configs"]]
    assert set(used) <= set(labels)


@pytest.mark.parametrize("name", ["rules.yml", "grafana-dashboard.json"])
def test_every_metric_that_is_asked_for_is_served(name, served):
    found = yaml.safe_load(text(name))
    if name == "rules.yml":
        asked = [rule["expr"] for group in found["groups"] for rule in group["rules"]]
    else:
        asked = [target["expr"] for panel in found["panels"] for target in panel["targets"]]
    assert asked
    assert {metric for expr in asked for metric in METRIC.findall(expr)} <= served


def test_alertmanager_routes_by_labels_that_our_alerts_have():
    config = yaml.safe_load(text("alertmanager.yml"))
    labels = set(alarm_alert(alarm(node="n"), "").labels) | set(
        incident_alert(incident(), "").labels
    )
    matchers = [each for route in config["route"]["routes"] for each in route["matchers"]]
    for rule in config["inhibit_rules"]:
        matchers += rule["source_matchers"] + rule["target_matchers"]
        assert set(rule["equal"]) <= labels
    assert {re.match(r"\w+", each)[0] for each in matchers} <= labels
    names = {each["name"] for each in config["receivers"]}
    assert {each["receiver"] for each in [config["route"], *config["route"]["routes"]]} <= names


def test_telegraf_reads_keys_that_are_there():
    inputs = tomllib.loads(text("telegraf.conf"))["inputs"]["mqtt_consumer"]
    for each in inputs:
        (topic,) = each["topics"]
        for parser in each["json_v2"]:
            paths = [parser["timestamp_path"]]
            paths += [field["path"] for field in parser.get("field", []) + parser.get("tag", [])]
            assert set(paths) <= set(told(topic))


def test_zabbix_reads_keys_that_are_there():
    (template,) = yaml.safe_load(text("zabbix-template.yaml"))["zabbix_export"]["templates"]
    keys = {item["key"] for item in template["items"]}
    for item in template["items"]:
        source = item.get("master_item", item)["key"]
        assert source in keys
        topic = re.search(r'"(noc/[^"]+)"', source)[1]
        for step in item.get("preprocessing", []):
            assert step["parameters"][0].removeprefix("$.") in told(topic)


def test_node_red_is_wired_and_reads_keys_that_are_there():
    nodes = {node["id"]: node for node in json.loads(text("node-red-flow.json"))}
    for node in nodes.values():
        assert {to for wires in node.get("wires", []) for to in wires} <= set(nodes)
    payload = told(nodes["roost-events"]["topic"])
    used = re.findall(r"payload\.(\w+)", nodes["roost-line"]["template"])
    used.append(nodes["roost-switch"]["property"].removeprefix("payload."))
    assert set(used) <= set(payload)


def test_servicenow_is_a_configuration_that_is_taken():
    table = tomllib.loads(text("servicenow.toml"))["northbound"]
    wrong = []
    config = northbound_config.read(table, lambda key, what: wrong.append((key, what)))
    (hook,) = config.webhook
    assert hook.format == "servicenow"
    assert hook.url.endswith("/api/global/em/jsonv2")
    assert [key for key, _ in wrong] == ["northbound.webhook.authorization_file"]  # not there


def test_netcool_reads_keys_that_are_there_and_knows_every_severity():
    parser = json.loads(text("netcool-parser.json"))["eventSources"][0]["config"]
    assert parser["messagePayload"] == "json.data"
    rules = "\n".join(line for line in text("netcool.rules").splitlines() if line[:1] != "#")
    told = [json.loads(body_of(each))["data"] for each in (alarm(), incident())]
    used = set(re.findall(r"\$(\w+)", rules))
    assert used <= {key for payload in told for key in payload}
    of_alarms, of_incidents = re.split(r"else if", rules.partition("@Manager")[0])
    assert set(re.findall(r"\$(\w+)", of_alarms)) <= set(told[0])
    assert set(re.findall(r"\$(\w+)", of_incidents)) <= set(told[1])
    assert "covered" not in told[0]
    words = set(re.findall(r'case "(\w+)":', rules))
    assert words == {severity.word for severity in Severity}
    assert rules.count("{") == rules.count("}")
