import json

from roost_agent.sim.places import Plan, ndjson, places
from roost_protocol.topics import node_id


def test_the_same_seed_gives_the_same_fleet():
    plan = Plan(sites=50, seed=7)
    assert list(places(plan)) == list(places(plan))
    assert list(places(plan)) != list(places(Plan(sites=50, seed=8)))


def test_labels_stay_within_what_was_asked_for():
    found = list(places(Plan(sites=400, regions=4, carriers=2)))
    assert {place.labels["region"] for place in found} == {"r01", "r02", "r03", "r04"}
    assert {place.labels["carrier"] for place in found} == {"carA", "carB"}
    assert all(place.labels["region"] in place.labels["pe"] for place in found)


def test_every_name_is_one_of_the_wire():
    for place in places(Plan(sites=20_000, nodes=1)):
        node_id(place.site, place.nodes[0])


def test_a_line_is_what_the_import_reads():
    lines = ndjson(places(Plan(sites=3, nodes=2))).splitlines()
    first = json.loads(lines[0])
    assert len(lines) == 3
    assert first["site"] == "edge-0001"
    assert first["nodes"] == ["n1", "n2"]
    assert set(first["labels"]) == {"region", "carrier", "pe", "feed"}
    assert -90 <= first["lat"] <= 90
    assert -180 <= first["lon"] <= 180
