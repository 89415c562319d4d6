"""The AsyncAPI document: present, whole, and true of the documented and of the real messages."""

import json
import re
from pathlib import Path

import msgspec
import pytest
from alarm_feed import MemoryFeed, alarm, incident, over
from json_schema import faults

from roost_central.access.chain import START, Act, entry
from roost_central.northbound import noc_head, noc_log, noc_tree
from roost_central.northbound.asyncapi import FILE, document
from roost_central.northbound.noc_branch import Branch, Present
from roost_central.northbound.noc_tree import VALUES, SiteState, Status
from roost_central.storage.events import EventRecord

PAGE = (Path(__file__).parents[4] / "docs/northbound.md").read_text()
EXAMPLES = [
    tuple(line.split(" ", 1))
    for line in PAGE.split("As it reads:\n\n```text\n")[1].split("```")[0].splitlines()
]
DOCUMENT = json.loads(document())
SCHEMAS = DOCUMENT["components"]["schemas"]
UNDER = re.compile(r"^noc/v1/(collapsed|tenant/(?!acme/incident/)[^/]+)/")  # the same tree again


def pattern(address, parameters):
    """The form of a topic: what a parameter may be, level by level."""
    levels = []
    for level in address.split("/"):
        name = level.strip("{}")
        choices = parameters.get(name, {}).get("enum")
        choice = "|".join(map(re.escape, choices)) if choices else "[^/]+"
        levels.append(f"(?:{choice})" if level != name else re.escape(level))
    return "/".join(levels)


def channels_of(topic):
    topic = UNDER.sub("noc/v1/", topic)
    return [
        name
        for name, channel in DOCUMENT["channels"].items()
        if re.fullmatch(pattern(channel["address"], channel.get("parameters", {})), topic)
    ]


def wrong(topic, payload):
    """What is wrong with a message; its one channel names its schema."""
    found = channels_of(topic)
    if len(found) != 1:
        return [f"{topic} is of the channels {found}"]
    (message,) = DOCUMENT["channels"][found[0]]["messages"]
    return faults(json.loads(payload), SCHEMAS[message])


def test_the_committed_file_is_the_present_one():
    assert FILE.read_bytes() == document(), "run make schemas"


def test_every_reference_leads_somewhere():
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', document().decode()):
        place = DOCUMENT
        for level in reference.split("/"):
            place = place[level]
        assert place
    parameters = re.compile(r"\{(\w+)\}")
    for channel in DOCUMENT["channels"].values():
        told = channel.get("parameters", {})
        assert set(parameters.findall(channel["address"])) == set(told)


@pytest.mark.parametrize(("topic", "payload"), EXAMPLES, ids=[topic for topic, _ in EXAMPLES])
def test_a_documented_example_is_of_its_schema(topic, payload):
    assert wrong(topic, payload) == []


def test_every_topic_has_an_example_on_the_page_and_stands_in_its_table():
    shown = {channel for topic, _ in EXAMPLES for channel in channels_of(topic)}
    assert shown == set(DOCUMENT["channels"]) - {"transition"}  # the same object as the alarm's
    table = re.findall(r"^\| `(noc/v1/[^`]+)` \|", PAGE, re.MULTILINE)
    addresses = [channel["address"] for channel in DOCUMENT["channels"].values()]
    written = {re.sub(r"\b[A-Z_]+\b", "x", each) for each in table}
    known = {re.sub(r"\{\w+\}", "x", each) for each in addresses if "/tenant/" not in each}
    assert written == known


def real_messages():
    """At least one message of each kind, as the feed makes them."""
    state = SiteState(
        site="s1", state="ok", sev=0, nodes=1, nodes_online=1, paths_up=1, paths=1, as_of="", ts=1
    )
    rows = [alarm(1, incident="INC-7F3A"), alarm(2)]
    present = Present(rows, [incident()], lambda row: row, 1)
    event = EventRecord(7, 1, 1, "s1", "s1.n1", "liveness", "280.811", 1, "site=s1", "x", {})
    act = entry(START, Act(1, "ann", "operator", "alarm.ack", "key", {}))
    trees = [
        Branch(values=VALUES),
        Branch(noc_tree.COLLAPSED, collapse=True),
        Branch(noc_tree.tenant_root("acme"), selects=lambda site: site != ""),
    ]
    for tree in trees:
        yield from tree.truth(present, {"s1": state})
        yield from tree.changed(over(alarm(2, sev=1)), 0)
        yield from tree.summary(MemoryFeed().flat_summary())
    yield from noc_log.messages([event], [act], [(tree.root, tree.selects) for tree in trees])
    yield noc_head.head_message(START, 1_000)
    yield noc_tree.Message(noc_tree.STATUS, msgspec.json.encode(Status("online", "1", 2)))


def test_what_is_really_sent_is_what_the_document_says():
    seen = set()
    for message in real_messages():
        assert wrong(message.topic, message.payload) == [], message.topic
        (channel,) = channels_of(message.topic)
        bindings = DOCUMENT["operations"][f"tell-{channel}"]["bindings"]["mqtt"]
        assert bindings["retain"] == message.retain
        seen.add(channel)
    assert seen == set(DOCUMENT["channels"])


def test_the_checker_sees_what_is_wrong():
    schema = SCHEMAS["FlatAlarm"]
    good = json.loads(dict(EXAMPLES)[next(t for t, _ in EXAMPLES if "/alarm/" in t)])
    assert faults(good, schema) == []
    assert faults(good | {"sev": "3"}, schema) == ["sev: '3' is not of type integer"]
    assert faults(good | {"new": 1, "label_x": "y"}, schema) == ["new is in no schema"]
    assert "seq is missing" not in faults({}, schema)  # it has a default
    assert "key_id is missing" in faults({}, schema)
