"""The schemas that are committed are those of the structs, and the payloads are of them."""

import json

import msgspec
import pytest
from alarm_feed import MemoryFeed, alarm, incident
from json_schema import faults

from roost_central.alarms.flat import encode
from roost_central.northbound.noc_tree import Status
from roost_central.northbound.schema import FILE, document


def test_the_committed_file_is_the_present_one():
    assert FILE.read_bytes() == document(), "run make schemas"


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("FlatAlarm", encode(alarm())),
        ("FlatIncident", encode(incident())),
        ("FlatSummary", encode(MemoryFeed().flat_summary())),
        ("Status", msgspec.json.encode(Status("online", "1", 2))),
    ],
)
def test_a_payload_is_flat_and_of_its_schema(name, payload):
    assert faults(json.loads(payload), json.loads(document())["$defs"][name]) == []
