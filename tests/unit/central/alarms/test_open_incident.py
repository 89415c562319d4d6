"""Which sites are back, and when receivers have waited for long enough."""

import pytest
from alarms import S

from roost_central.alarms.incident_row import IncidentRow
from roost_central.alarms.open_incident import BACK_MS, HOLD_MS, OpenIncident


@pytest.fixture
def incident():
    row = IncidentRow(
        id="INC-1", type="100.001", severity=S.MAJOR, opened_ms=0, changed_ms=0, held=True
    )
    return OpenIncident(row, members={"s1": {"k1"}}, back_ms={"s2": 5})


def test_a_site_is_back_after_a_quiet_minute_and_stays_one_of_its_own(incident):
    assert incident.back(5 + BACK_MS - 1) == 0
    assert incident.back(5 + BACK_MS) == 1
    assert incident.sites == ["s1", "s2"]
    assert [incident.has(site) for site in ("s1", "s2", "s3")] == [True, True, False]


def test_receivers_wait_for_its_cause(incident):
    assert not incident.must_notify(HOLD_MS - 1)
    assert incident.must_notify(HOLD_MS)
