"""Our own MIB as a profile, and which profiles there are."""

from alarm_feed import MemoryFeed, alarm, incident

from roost_central.northbound.config import SNMP_PROFILES
from roost_central.northbound.snmp import mib
from roost_central.northbound.snmp.profile import Removal, RoostProfile, Word
from roost_central.northbound.snmp.target import PROFILES


def test_every_profile_that_can_be_configured_is_there():
    assert tuple(PROFILES) == SNMP_PROFILES


def test_each_thing_has_its_notification():
    profile, summary = RoostProfile(), MemoryFeed().flat_summary()
    numbers = [
        profile.alarm(alarm(1, sev=4))[0],
        profile.alarm(alarm(1, state="cleared"))[0],
        profile.incident(incident())[0],
        profile.removal(Removal("site=s", "s", "2027-02-03T03:00:04Z", 7))[0],
        profile.word(Word("test", summary))[0],
        profile.word(Word("overflow", summary, {"raise": 1}))[0],
        profile.word(Word("heartbeat", summary))[0],
    ]
    assert numbers == [mib.notification(number) for number in (1, 9, 6, 99, 5, 7, 10)]


def test_a_removal_names_its_entity_and_the_first_of_the_ends():
    _, bindings = RoostProfile().removal(Removal("site=s", "s", "2027-02-03T03:00:04Z", 7))
    assert [tuple(name)[-2:] for name, _ in bindings] == [(1, 0), (2, 0), (3, 0), (4, 0)]
    assert bytes(bindings[0][1]) == b"site=s"
    assert int(bindings[3][1]) == 7
