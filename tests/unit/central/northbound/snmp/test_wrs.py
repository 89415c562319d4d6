"""StarlingX's notifications, number by number as its MIB and its agent have them."""

from alarm_feed import MemoryFeed, alarm, incident

from roost_central.northbound.snmp.profile import Removal, Word
from roost_central.northbound.snmp.wrs import WrsProfile, entity

TRAPS = (1, 3, 6, 1, 4, 1, 731, 1, 1, 1, 1, 0)
COLUMNS = (1, 3, 6, 1, 4, 1, 731, 1, 1, 1, 1, 1, 1)


def told(notification):
    """The notification's number, and what is bound by column."""
    oid, bindings = notification
    assert oid[:-1] == TRAPS
    names = [tuple(name) for name, _ in bindings]
    assert all(name[: len(COLUMNS)] == COLUMNS and name[-1] == 0 for name in names)
    return oid[-1], {
        name[-2]: bytes(value) if hasattr(value, "asOctets") else int(value)
        for name, (_, value) in zip(names, bindings, strict=True)
    }


def test_an_alarm_is_told_by_its_severity_with_all_columns():
    numbers = {sev: told(WrsProfile().alarm(alarm(1, sev=sev)))[0] for sev in (4, 3, 2, 1)}
    assert numbers == {4: 1, 3: 2, 2: 3, 1: 4}
    _, columns = told(WrsProfile().alarm(alarm(1, entity="site=s00001,node=n1,fs=/var")))
    assert columns == {
        2: b"01MDWJ52S05T0Q4N2V9B000001",
        3: b"280.801",
        4: b"system=s00001.host=n1.fs=/var",
        5: bytes([7, 235, 2, 3, 3, 0, 4, 0]) + b"+\x00\x00",
        6: 3,
        7: b"WAN path p1 lost; 1 left",
        8: 1,
        9: 29,
        10: b"Check the carrier circuit.",
        11: 0,
        12: 1,
    }


def test_a_clear_names_the_pair_that_it_ends_and_no_severity():
    number, columns = told(WrsProfile().alarm(alarm(1, state="cleared", sev=0)))
    assert number == 9
    assert sorted(columns) == [2, 3, 4, 5, 7]


def test_what_its_lists_do_not_have_is_not_applicable():
    odd = alarm(1, event_type="deployment", cause="unheard-of", service_affecting=True)
    _, columns = told(WrsProfile().alarm(odd))
    assert (columns[8], columns[9], columns[11]) == (0, 0, 1)


def test_a_removal_is_one_hierarchical_clear():
    at = "2027-02-03T03:00:04Z"
    number, columns = told(WrsProfile().removal(Removal("site=s1,node=n1", "s1", at, 7)))
    assert number == 99
    assert sorted(columns) == [4, 5, 7]
    assert columns[4] == b"system=s1.host=n1"


def test_incidents_and_our_own_words_are_messages():
    number, columns = told(WrsProfile().incident(incident()))
    assert number == 5
    assert columns[4] == b"system=central.incident=INC-7F3A"
    assert columns[6] == 4
    assert columns[7].startswith(b"Incident INC-7F3A open: 2002 sites hit")
    summary = MemoryFeed().flat_summary()
    assert told(WrsProfile().word(Word("heartbeat", summary)))[1][7].startswith(b"Heartbeat: 0 c")
    words = told(WrsProfile().word(Word("overflow", summary, {"raise": 4, "change": 1})))[1]
    assert words[7] == b"Overflow: 5 notifications held back"


def test_the_centres_own_entities_have_its_form_too():
    assert entity("central=roost,target=noc1") == "system=roost.target=noc1"
