"""What is written for several documents of a node is what writing them one by one leaves."""

from msgspec import UNSET

from roost_central.inventory.core import Applied
from roost_central.inventory.facts import FieldChange, Section, StarredValue
from roost_central.inventory.pending import Pending

NIC = Section("nic", 2, b"n" * 8, 1, 0, {"a": {"driver": "ice"}}, {})
ICE = StarredValue("nic", "a", "driver", text="ice")
IGB = StarredValue("nic", "a", "driver", text="igb")
CAME = FieldChange("nic", "", "", UNSET, True)
WENT = FieldChange("nic", "", "", True, UNSET)


def test_a_document_moves_the_head_and_what_the_next_is_applied_to():
    pending = Pending(gen=1, digests={"cpu": b"c" * 8})
    assert not pending.is_changed
    pending.take(Applied(2, b"d" * 8, 7, put=[NIC], changes=[CAME], values=[ICE]))
    assert pending.is_changed
    assert (pending.gen, pending.digest, pending.as_of_ms) == (2, b"d" * 8, 7)
    known = pending.known()
    assert (known.gen, known.sections) == (2, {"nic": NIC})
    assert known.digests == {"cpu": b"c" * 8, "nic": b"n" * 8}


def test_a_value_is_written_once_or_removed_as_it_was_last():
    pending = Pending(gen=1)
    pending.take(Applied(2, b"", 1, put=[NIC], values=[ICE]))
    pending.take(Applied(3, b"", 2, put=[NIC], values=[IGB]))
    assert list(pending.values.values()) == [IGB]
    pending.take(Applied(4, b"", 3, put=[NIC], values_gone=[IGB]))
    assert (pending.values, list(pending.values_gone.values())) == ({}, [IGB])
    pending.take(Applied(5, b"", 4, put=[NIC], values=[ICE]))
    assert (list(pending.values.values()), pending.values_gone) == ([ICE], {})


def test_a_section_that_goes_takes_what_was_to_be_written_of_it_and_may_come_back():
    pending = Pending(gen=1, digests={"nic": b"o" * 8})
    pending.take(Applied(2, b"", 1, put=[NIC], values=[ICE], values_gone=[IGB]))
    pending.take(Applied(3, b"", 2, removed=["nic"], changes=[WENT]))
    assert (pending.put, pending.values, pending.values_gone) == ({}, {}, {})
    assert (pending.known().digests, pending.known().sections) == ({}, {})
    pending.take(Applied(4, b"", 3, put=[NIC], values=[ICE], changes=[CAME]))
    assert (pending.removed, list(pending.put)) == ({"nic"}, ["nic"]), "removed, then written"
    assert pending.changes == [(3, WENT), (4, CAME)]
