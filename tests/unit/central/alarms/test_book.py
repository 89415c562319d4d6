"""What the book tells northbound: a part of the fleet, and what no cause explains."""

import pytest
from msgspec.structs import replace

from roost_central.alarms.book import AlarmBook
from roost_central.alarms.catalogue_file import shipped
from roost_central.alarms.incident_row import Cause, IncidentRow
from roost_central.alarms.row import AlarmRow, Shelved
from roost_central.fleet.view import FleetView
from roost_central.ports import SystemClock
from roost_protocol.severity import Severity

CAUSE = Cause("carrier=carB", {"carrier": ["carB"]}, 1.0, 50, 50)


def alarm(number, site, **more):
    told = {"severity": Severity.MAJOR, "raised_ms": 0, "changed_ms": 0, "received_ms": 0}
    key = {"key_id": f"k{number}", "id": f"i{number}", "type": "280.801", "entity": f"site={site}"}
    return AlarmRow(site=site, **key, **(told | more))


def incident(name, *causes):
    times = {"opened_ms": 0, "changed_ms": 0}
    causes = list(causes)
    return IncidentRow(id=name, type="280.801", severity=Severity.MAJOR, causes=causes, **times)


@pytest.fixture
def book():
    view = FleetView()
    for name, status in (("a", "ok"), ("b", "down"), ("c", "ok")):
        view.add_site(name, 0).status = status
    rows = [alarm(1, "a"), alarm(2, "b", incident="INC-1"), alarm(3, "c", incident="INC-2")]
    found = AlarmBook(shipped(), view, None, SystemClock())  # nothing is stored
    found.core.index.load(rows)
    found.incidents.load([incident("INC-1", CAUSE), incident("INC-2")], rows)
    return found


def test_a_summary_of_some_sites_counts_nothing_of_the_others(book):
    whole, part = book.flat_summary(), book.flat_summary(["a", "b", "gone"])
    assert (whole.major, whole.incidents, whole.sites_ok, whole.sites_down) == (3, 2, 2, 1)
    assert (part.major, part.incidents, part.sites_ok, part.sites_down) == (2, 1, 1, 1)
    none = book.flat_summary([])
    assert (none.major, none.incidents, none.sites_ok, none.status) == (0, 0, 0, "ok")


def test_what_its_incidents_cause_does_not_explain_stands_out(book):
    member = book.find("k2")
    assert not book.stands_out(member)  # nobody has looked yet
    assert not book.stands_out(replace(member, explained=True))
    assert book.stands_out(replace(member, explained=False))
    shelf = Shelved("S", "ann", 9, "lab")
    assert not book.stands_out(replace(member, explained=False, shelf=shelf))


def test_without_a_cause_nothing_stands_out(book):
    assert not book.stands_out(replace(book.find("k3"), explained=False))
    assert not book.stands_out(replace(book.find("k1"), explained=False))
