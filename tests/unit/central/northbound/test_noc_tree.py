"""The topics under noc/v1, and how a retained tree becomes true."""

import json

from alarm_feed import MemoryFeed, alarm, incident

from roost_central.northbound import noc_tree
from roost_central.northbound.noc_tree import Message


def test_topics_name_site_type_and_key():
    flat = alarm(2, sev=4)
    assert noc_tree.alarm_topic(flat) == f"noc/v1/site/s00002/alarm/280.801/{flat.key_id}"
    assert noc_tree.event_of(flat).topic == "noc/v1/event/alarm/critical/s00002/280.801"
    assert not noc_tree.event_of(flat).retain
    assert noc_tree.alarm_topic(alarm(3, site="")).startswith("noc/v1/site/-/alarm/")
    assert noc_tree.state_of(incident()).topic == "noc/v1/incident/INC-7F3A"
    assert noc_tree.site_topic("s1") == "noc/v1/site/s1/state"


def test_the_payload_is_one_flat_object():
    told = json.loads(noc_tree.state_of(alarm()).payload)
    assert told["label_carrier"] == "carB"
    assert not any(isinstance(value, dict | list) for value in told.values())


def test_what_is_over():
    assert noc_tree.is_over(alarm(state="cleared"))
    assert noc_tree.is_over(incident(state="closed"))
    assert not noc_tree.is_over(alarm())


def test_the_summary_is_retained():
    message = noc_tree.summary_of(MemoryFeed().flat_summary())
    assert (message.topic, message.retain) == ("noc/v1/fleet/summary", True)


def test_a_tree_is_made_true_with_the_fewest_messages():
    stays, changed, new = (noc_tree.state_of(alarm(n)) for n in (1, 2, 3))
    before = {
        stays.topic: noc_tree.state_of(alarm(1, event="ack", seq=9, ts=5)).payload,
        changed.topic: noc_tree.state_of(alarm(2, sev=1)).payload,
        "noc/v1/site/x/alarm/t/ghost": b"{}",
        new.topic: b"not json",
    }
    assert noc_tree.rebuild(before, [stays, changed, new]) == [
        Message("noc/v1/site/x/alarm/t/ghost", b""),
        changed,
        new,
    ]
    assert noc_tree.rebuild({}, [stays]) == [stays]
