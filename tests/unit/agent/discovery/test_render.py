from roost_agent.discovery.render import inert, render


def document(**sections):
    filled = {
        name: {"items": {}, "missing": {}, "as_of_ms": 0, "cost_ms": 1} | entry
        for name, entry in sections.items()
    }
    return {"v": 1, "sections": filled}


def test_one_item_is_a_list_of_its_fields():
    text = render(document(memory={"items": {"memory": {"total_bytes": 1 << 34, "swap": 0}}}), 80)
    assert text == "memory  (1 item, 1 ms)\n  total_bytes  16 GiB\n  swap         0\n"


def test_several_items_are_an_aligned_table():
    items = {"0": {"online": True, "node": 10}, "10": {"online": False, "node": 1}}
    text = render(document(cpu_thread={"items": items}), 80)
    assert text.splitlines()[1:] == ["  id  online  node", "  0   yes     10", "  10  no      1"]


def test_a_table_too_wide_for_the_terminal_becomes_lists():
    items = {str(n): {f"field_{f}": "x" * 30 for f in range(4)} for n in range(2)}
    text = render(document(nic={"items": items}), 80)
    assert all(len(line) <= 80 for line in text.splitlines())
    assert text.count("field_3") == 2


def test_a_long_value_goes_on_in_its_column():
    flags = [f"flag{number}" for number in range(20)]
    text = render(document(cpu={"items": {"0": {"flags": flags}}}), 60)
    lines = text.splitlines()[1:]
    assert len(lines) == 3
    assert all(len(line) <= 60 for line in lines)
    assert lines[1].startswith(" " * 9)


def test_what_is_missing_stands_below_with_its_reason():
    missing = {"0.serial": "denied", "1.serial": "denied", "0.rank": "absent"}
    items = {"0": {"serial": None, "rank": None}, "1": {"serial": None, "rank": 1}}
    text = render(document(dimm={"items": items, "missing": missing}), 80)
    assert "  absent: rank\n  denied: serial x2\n" in text


def test_an_empty_class_says_why():
    text = render(document(tpm={"missing": {"*": "absent"}}), 80)
    assert text == "tpm  (0 items, 1 ms)  nothing: absent\n"


def test_a_cut_class_says_so():
    entry = {"items": {"0": {"a": 1}}, "missing": {"*": "too-big"}, "dropped": 5}
    assert "incomplete: too-big  5 did not fit" in render(document(nic=entry), 80)


def test_nothing_hostile_reaches_the_terminal():
    evil = "\x1b[2J\x07\x00\u202eevil\x9b31m\ud800\n"
    entry = {"items": {evil: {evil: evil}, "b": {evil: [evil]}}, "missing": {f"b.{evil}": evil}}
    for columns in (20, 400):
        text = render(document(**{evil: entry}), columns)
        assert all(line.isprintable() for line in text.split("\n"))


def test_plain_text_stays_as_it_is():
    assert inert("Größe 3µ") == "Größe 3µ"
    assert inert("a\x1bb") == "a\\x1bb"
