"""The schemas that are committed are those of the structs, and the payloads are of them."""

import json

import msgspec
import pytest
from alarm_feed import MemoryFeed, alarm, incident

from roost_central.alarms.flat import encode
from roost_central.northbound.noc_tree import Status
from roost_central.northbound.schema import FILE, document

TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool}


def test_the_committed_file_is_the_present_one():
    assert FILE.read_bytes() == document(), "run python -m roost_central.northbound.schema"


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
    schema = json.loads(document())["$defs"][name]
    told = json.loads(payload)

    assert set(schema["required"]) <= set(told)
    for key, value in told.items():
        if key.startswith("label_"):
            assert isinstance(value, str)
        else:
            assert isinstance(value, TYPES[schema["properties"][key]["type"]]), key
