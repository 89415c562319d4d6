from roost_agent.discovery.section import ABSENT, DENIED, Missing, Section


def test_a_missing_value_is_null_with_its_reason():
    section = Section()
    section.put("0", "serial", Missing(DENIED))
    assert section.items == {"0": {"serial": None}}
    assert section.missing == {"0.serial": DENIED}


def test_a_value_found_later_takes_the_reason_away():
    section = Section()
    section.put("0", "serial", Missing(DENIED))
    section.put("0", "serial", "A1")
    assert section.missing == {}


def test_zero_and_false_are_values():
    section = Section()
    section.put_all("0", {"count": 0, "enabled": False})
    assert section.missing == {}


def test_an_empty_class_says_why():
    assert Section.empty(ABSENT).missing == {"*": ABSENT}
