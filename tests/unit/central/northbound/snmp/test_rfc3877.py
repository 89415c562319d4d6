"""ALARM-MIB's notifications: pointers to the model and the resource, ITU's numbers."""

import pytest
from alarm_feed import MemoryFeed, alarm, incident

from roost_central.northbound.snmp import mib
from roost_central.northbound.snmp.profile import Removal, Word
from roost_central.northbound.snmp.rfc3877 import Rfc3877Profile

ACTIVE = (1, 3, 6, 1, 2, 1, 118, 0, 2)
CLEAR = (1, 3, 6, 1, 2, 1, 118, 0, 3)
ENTRY = (1, 3, 6, 1, 2, 1, 118, 1, 2, 2, 1)
MODEL = (1, 3, 6, 1, 2, 1, 118, 1, 1, 2, 1, 3, 0)
ITU_EVENT_TYPE = (1, 3, 6, 1, 2, 1, 121, 1, 1, 1, 1, 2, 0)
OURS = (1, 3, 6, 1, 4, 1, 32473, 1, 1)


def told(notification):
    oid, bindings = notification
    return oid, [(tuple(name), value) for name, value in bindings]


@pytest.mark.parametrize(
    ("sev", "state", "severity", "model_state"),
    [
        (4, "active", 3, 6),
        (3, "active", 4, 5),
        (2, "active", 5, 4),
        (1, "active", 6, 3),
        (3, "unknown", 2, 2),
    ],
)
def test_an_alarm_is_an_active_state_with_itus_severity(sev, state, severity, model_state):
    oid, bindings = told(Rfc3877Profile().alarm(alarm(1, sev=sev, state=state)))
    (pointer, model), (id_, resource) = bindings[:2]
    named = dict(bindings)

    assert oid == ACTIVE
    assert pointer[: len(ENTRY) + 3] == (*ENTRY, 13, 0, 11)
    assert tuple(model) == (*MODEL, 280801, model_state)
    assert id_[: len(ENTRY) + 1] == (*ENTRY, 10)
    assert id_[len(ENTRY) + 1 :] == pointer[len(ENTRY) + 1 :]
    assert tuple(resource) == (*OURS, 1, 1, 2, *bytes.fromhex(alarm(1).key_id))
    assert int(named[(*ITU_EVENT_TYPE, 280801, severity)]) == 2
    assert int(named[(*OURS, 7, 1, 0)]) == severity
    assert (*OURS, 1, 1, 7) not in [name[: len(OURS) + 3] for name in named]  # not our numbers


def test_its_end_is_a_clear_state_of_the_same_resource_and_row():
    begun = told(Rfc3877Profile().alarm(alarm(1)))[1]
    oid, ended = told(Rfc3877Profile().alarm(alarm(1, state="cleared", sev=0)))
    assert oid == CLEAR
    assert tuple(ended[0][1]) == (*MODEL, 280801, 1)
    assert ended[1] == begun[1]


def test_an_incident_is_a_resource_of_its_own():
    oid, bindings = told(Rfc3877Profile().incident(incident()))
    resource = tuple(bindings[1][1])
    assert oid == ACTIVE
    assert resource == (*OURS, 4, 1, 8, *b"INC-7F3A")
    closed = incident(state="closed", sev=0)
    assert told(Rfc3877Profile().incident(closed))[0] == CLEAR


def test_what_it_has_no_notification_for_is_our_own():
    profile = Rfc3877Profile()
    assert not profile.folds_removals
    removal = Removal("site=s1", "s1", "2027-02-03T03:00:04Z", 7)
    assert profile.removal(removal)[0] == mib.notification(99)
    assert profile.word(Word("heartbeat", MemoryFeed().flat_summary()))[0] == mib.notification(10)
