"""Counts of a part of the fleet."""

from roost_central.alarms.index import AlarmIndex
from roost_central.alarms.row import AlarmRow
from roost_protocol.severity import Severity


def row(number, site, **more):
    told = {"severity": Severity.MAJOR, "raised_ms": 0, "changed_ms": 0, "received_ms": 0}
    key = {"key_id": f"k{number}", "id": f"i{number}", "type": "280.801", "entity": f"site={site}"}
    return AlarmRow(site=site, **key, **(told | more))


def test_some_sites_are_counted_alone_with_the_incidents_that_hit_them():
    index = AlarmIndex()
    index.load(
        [
            row(1, "a", incident="INC-1"),
            row(2, "a", severity=Severity.CRITICAL),
            row(3, "b", incident="INC-2"),
            row(4, "a", incident="INC-3", state="cleared"),
        ]
    )
    tally, incidents = index.tally_of(["a", "nowhere"])
    assert (tally.visible[Severity.CRITICAL], tally.visible[Severity.MAJOR]) == (1, 1)
    assert (tally.latched, incidents) == (1, {"INC-1"})
    assert index.tally_of([])[1] == set()
