"""A closed list of verbs, each with its arguments and no others."""

import pytest

from roost_protocol.errors import ProtocolError
from roost_protocol.host_verbs import HOST_VERBS
from roost_protocol.order_verbs import (
    VERBS,
    Configure,
    HaMaintenance,
    HaSwitchover,
    Reboot,
    RefreshInventory,
    Resync,
    act_of,
    given_of,
)


@pytest.mark.parametrize(
    ("verb", "given", "act"),
    [
        ("refresh-inventory", {}, RefreshInventory()),
        ("refresh-inventory", {"classes": "cpu,nic"}, RefreshInventory("cpu,nic")),
        ("resync", {"what": "alarms"}, Resync("alarms")),
        ("ha-switchover", {"group": "db"}, HaSwitchover("db")),
        ("ha-maintenance", {"group": "db", "seconds": 60}, HaMaintenance("db", 60)),
        ("reboot", {}, Reboot()),
        ("configure", {"digest": "0a" * 32, "desired": "7"}, Configure("0a" * 32, "7")),
    ],
)
def test_a_verb_with_its_arguments_is_an_act_and_back(verb, given, act):
    assert act_of(verb, given) == act
    assert act_of(verb, given_of(act)) == act


@pytest.mark.parametrize(
    ("verb", "given", "code", "named"),
    [
        ("rm -rf", {}, "verb", "verb"),
        ("", {}, "verb", "verb"),
        ("resync", {"what": "everything"}, "given", "what"),
        ("resync", {"more": "x"}, "given", "takes what"),
        ("reboot", {"now": True}, "given", "no arguments"),
        ("ha-switchover", {}, "given", "group"),
        ("ha-maintenance", {"group": "db", "seconds": "60"}, "given", "seconds"),
        ("ha-maintenance", {"group": "db", "seconds": 86_401}, "given", "seconds"),
        ("refresh-inventory", {"classes": "cpu;reboot"}, "given", "classes"),
        ("configure", {"digest": "0a" * 32}, "given", "desired"),
        ("configure", {"digest": "0a" * 31, "desired": "7"}, "given", "digest"),
        ("configure", {"digest": "0a" * 32, "desired": "0"}, "given", "desired"),
    ],
)
def test_anything_else_is_refused_and_says_what_there_is(verb, given, code, named):
    with pytest.raises(ProtocolError) as refused:
        act_of(verb, given)
    assert refused.value.code == code
    assert named in str(refused.value)


def test_what_a_person_types_is_taken_as_the_number_that_it_is():
    typed = {"group": "db", "seconds": "600"}
    assert act_of("ha-maintenance", typed, is_typed=False) == HaMaintenance("db", 600)
    with pytest.raises(ProtocolError):
        act_of("ha-maintenance", {"group": "db", "seconds": "soon"}, is_typed=False)


def test_what_interrupts_a_node_needs_a_reason():
    assert {verb for verb, kind in VERBS.items() if kind.needs_reason} == {
        "ha-switchover",
        "reboot",
        "relearn-board",
        *HOST_VERBS,
    }
    assert all(kind.title for kind in VERBS.values())


def test_what_the_centre_orders_by_itself_no_person_orders():
    assert [verb for verb, kind in VERBS.items() if not kind.is_by_hand] == [
        "configure",
        "update-offer",
        "update-cancel",
        "set-boards",
    ]
