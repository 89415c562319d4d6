"""Links between types: each leads somewhere, and up the parents it ends."""

from roost_central.alarms.catalogue import Record
from roost_central.alarms.catalogue_links import check_links
from roost_protocol.severity import Severity


def record(id_, **more):
    given = {
        "name": f"n.{id_}",
        "source": "app",
        "severities": {"major": "x"},
        "default": Severity.MAJOR,
        "repair": "x",
        "event_type": "other",
        "cause": "unknown",
        **more,
    }
    return Record(id=id_, **given)


def faults(*records):
    return list(check_links({each.id: each for each in records}))


def test_a_tree_has_no_fault():
    assert (
        faults(record("1"), record("2", inhibited_by=("1",)), record("3", root_causes=("2",))) == []
    )


def test_a_link_to_nothing_or_to_an_event_is_a_fault():
    event = record("1", event=True)
    assert faults(event, record("2", inhibited_by=("1",), root_causes=("9",))) == [
        ("2", "inhibited_by: there is no alarm 1"),
        ("2", "root_causes: there is no alarm 9"),
    ]


def test_a_cycle_is_a_fault_of_all_in_it():
    found = faults(record("1", inhibited_by=("2",)), record("2", inhibited_by=("1",)))
    assert [type_ for type_, _ in found] == ["1", "2"]


def test_a_parent_in_a_broken_place_does_not_hide_the_rest():
    found = faults(record("1", inhibited_by=("2",)), record("2", inhibited_by=("9",)))
    assert found == [("2", "inhibited_by: there is no alarm 9")]


def test_two_of_one_name_are_a_fault():
    assert faults(record("1", name="x"), record("2", name="x")) == [
        ("2", "name: 'x' is the name of 1 too")
    ]
