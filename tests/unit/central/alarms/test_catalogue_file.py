"""Catalogue files: what is read, and every way to be refused, with file, line and reason."""

import pytest

from roost_central.alarms.catalogue import NEVER
from roost_central.alarms.catalogue_file import FILE_BYTES_MAX, CatalogueError, load, parse, shipped
from roost_protocol.severity import Severity

GOOD = """\
"750.901":
  name: pump.dry
  source: app
  entity: [app, pump]
  params: [level]
  severities: {minor: "Pump {pump} low: {level}", critical: "Pump {pump} dry"}
  default: minor
  repair: "Fill it."
  x733: {event_type: equipment, cause: pump-failure, service_affecting: [critical]}
  mgmt_affecting: critical
"""


def refusal(text: str, name: str = "site.yaml") -> list[str]:
    with pytest.raises(CatalogueError) as refused:
        parse(name, text.encode())
    assert str(refused.value) == "\n".join(refused.value.faults)
    return list(refused.value.faults)


def test_the_shipped_catalogue_has_no_fault():
    catalogue = shipped()
    assert catalogue["100.101"].limits == {"major": 90, "critical": 95}
    assert catalogue["280.808"].suppressible is False
    assert all(record.repair for record in catalogue.values())


def test_a_record_is_read_with_its_defaults():
    record = parse("x", GOOD.encode())["750.901"]
    assert record.severities["critical"] == "Pump {pump} dry"
    assert record.mgmt_affecting == Severity.CRITICAL
    assert record.degrade_affecting == NEVER
    assert record.service_affecting == {Severity.CRITICAL}
    assert record.suppressible
    assert not record.latch


def test_an_unknown_type_has_a_record_that_hides_nothing():
    record = shipped().record("999.999")
    assert record.name == "unknown"
    assert not record.inhibited_by
    assert "999.999" not in shipped()


def test_a_customers_file_is_added(tmp_path):
    file = tmp_path / "pumps.yaml"
    file.write_text(GOOD)
    catalogue = load([file])
    assert "750.901" in catalogue
    assert "280.001" in catalogue
    assert catalogue.for_agents()["750.901"].entity == ["app", "pump"]
    assert "280.001" not in catalogue.for_agents()


def test_a_customers_file_may_not_speak_for_the_centre_nor_take_our_ids(tmp_path):
    file = tmp_path / "pumps.yaml"
    file.write_text(
        GOOD.replace("source: app", "source: central")
        + GOOD.replace("750.901", "100.101").replace("pump.dry", "pump.two")
    )
    with pytest.raises(CatalogueError) as refused:
        load([file, tmp_path / "absent.yaml"])
    one, two, three = refused.value.faults
    assert one.startswith(f"{file}:2: 750.901: source: one of agent, app")
    assert two.startswith(f"{file}:11: 100.101: stands at catalogue.yaml:")
    assert three == f"{tmp_path / 'absent.yaml'}: No such file or directory"


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (changed('"750.901"', "750.910"), 1, "read as a number: put it in quotes, '750.910'"),
        (changed('"750.901"', '"75.901"'), 1, "is not GGG.EEE"),
        (changed("  repair: ", "  repiar: "), 8, "unknown field 'repiar', meant 'repair'?"),
        (changed('  repair: "Fill it."\n', ""), 2, "repair is missing"),
        (changed('"Fill it."', '""'), 8, "repair: from 1 to"),
        (changed("{level}", "{lvl}"), 6, "unknown placeholder {lvl}; known are"),
        (changed("{level}", "{level"), 6, "a brace that is no placeholder"),
        (changed('"Pump {pump} dry"', '""'), 6, "critical: the text is missing"),
        (changed('"Pump {pump} dry"', "'" + "x" * 256 + "'"), 6, "critical: at most 255 bytes"),
        (changed('critical: "Pump', 'horrible: "Pump'), 6, "unknown field 'horrible'"),
        (changed("default: minor", "default: major"), 7, "default: has no text; one of minor"),
        (changed("default: minor", "default: 3"), 7, "default: must be a text"),
        (changed("pump-failure", "pump-failur"), 9, "cause: unknown 'pump-failur', meant"),
        (changed("cause: pump-failure, ", ""), 9, "x733: cause is missing"),
        (changed("equipment", "equipmnt"), 9, "event_type: unknown 'equipmnt', meant 'equipment'"),
        (changed("mgmt_affecting: critical", "mgmt_affecting: zzz"), 10, "one of warning, minor"),
        (changed("entity: [app, pump]", "entity: app"), 4, "entity: must be a list"),
        (changed("entity: [app, pump]", "entity: [App]"), 4, "'App' is not kinds of"),
        (changed("[app, pump]", "[a, b, c, d, e, f, pump]"), 2, "entity: at most 6 kinds"),
        (changed("[level]", "[a, b, c, d, e, f, g, h, level]"), 2, "params: at most 8"),
        (GOOD + "  latch: yes\n", 11, "latch: must be true or false"),
        (GOOD + "  limits: {minor: x}\n", 11, "limits: must be a number"),
        (GOOD + "  limits: {minor: 1}\n", 11, "limits: need a unit"),
        (GOOD + '  unit: "%"\n  limits: {major: 1}\n', 12, "limits: of a severity without a text"),
        (GOOD + "  limits: {minor: 1:30}\n", 11, "must be a plain number"),
        (GOOD + "  delays: {raise_after_s: -1}\n", 11, "raise_after_s: from 0 to 86400"),
        (GOOD + "  latch: true\n  latch: true\n", 12, "'latch' stands twice"),
        (GOOD + GOOD.replace("pump.dry", "pump.wet"), 11, "stands at site.yaml:1 too"),
        (GOOD + '"750.902": 7\n', 11, "must be a mapping"),
        (GOOD + "  inhibited_by: ['750.777']\n", 1, "inhibited_by: there is no alarm 750.777"),
        (GOOD + "  root_causes: ['750.777']\n", 1, "root_causes: there is no alarm 750.777"),
        (GOOD + "  inhibited_by: ['750.901']\n", 1, "it inhibits itself in the end"),
        (GOOD + GOOD.replace("750.901", "750.902"), 11, "name: 'pump.dry' is the name of 750.901"),
        (GOOD.replace("[app, pump]", "&a [app, pump]"), 4, "anchors and aliases are not read"),
        (GOOD + "  x: [\n", 12, "expected"),
        ("- a\n", 1, "a catalogue is a mapping"),
        ("", 1, "a catalogue is a mapping"),
    ],
)
def test_a_fault_is_told_with_file_line_and_reason(text, line, reason):
    faults = refusal(text)
    assert any(each.startswith(f"site.yaml:{line}: ") and reason in each for each in faults), faults


def test_every_fault_is_told_at_once():
    text = GOOD.replace("default: minor", "default: zzz") + "'1': {}\n"
    assert len(refusal(text)) == 2


def test_what_is_not_text_or_too_large_is_refused():
    with pytest.raises(CatalogueError, match="x:1: "):
        parse("x", b"\xff\xfe\xfd")
    with pytest.raises(CatalogueError, match=f"larger than {FILE_BYTES_MAX}"):
        parse("x", b" " * (FILE_BYTES_MAX + 1))
    with pytest.raises(CatalogueError):
        parse("x", b"[" * 5_000)


def chain(length: int) -> str:
    return "".join(
        GOOD.replace("750.901", f"750.{100 + n}").replace("pump.dry", f"pump.p{n}")
        + (f"  inhibited_by: ['750.{101 + n}']\n" if n + 1 < length else "")
        for n in range(length)
    )


def test_parents_are_at_most_four_levels_deep():
    parse("x", chain(5).encode())
    assert "750.100: inhibited_by: more than 4 levels" in refusal(chain(6))[0]


def test_a_cycle_of_others_ends_too():
    text = chain(3) + "  inhibited_by: ['750.101']\n"
    assert any("750.101: inhibited_by: it inhibits itself" in each for each in refusal(text))
