"""The catalogue as a mapping, and what of it agents get."""

from roost_central.alarms.catalogue_file import shipped


def test_records_come_in_the_order_of_their_ids():
    catalogue = shipped()
    assert list(catalogue) == sorted(catalogue)
    assert len(catalogue) == len(list(catalogue.values()))


def test_agents_get_what_is_raised_on_nodes():
    catalogue = shipped()
    known = catalogue.for_agents()
    assert {catalogue[type_].source for type_ in known} == {"agent", "app", "site"}
    assert known["100.104"].entity == ["fs"]
    assert known["750.801"].severities == {"*": ""}
    assert (known["100.101"].stops, known["100.101"].degrades) == ("major", "critical")
    assert (known["750.801"].stops, known["280.803"].degrades) == ("", "")


def test_what_others_raise_of_a_node_is_not_for_the_node_to_say():
    said = {type_: shipped().is_of_nodes(type_) for type_ in ("100.101", "750.801", "999.999")}
    assert said == {"100.101": True, "750.801": True, "999.999": True}
    assert not any(map(shipped().is_of_nodes, ("280.814", "280.001", "200.004")))


def test_an_unknown_type_is_shown_and_hides_nothing():
    record = shipped().record("999.999")
    assert (record.id, record.name, record.inhibited_by) == ("999.999", "unknown", ())
