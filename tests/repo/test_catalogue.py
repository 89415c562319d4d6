"""The alarm catalogue against the code and against what is made from it."""

import ast
import re
from pathlib import Path

from roost_agent.ha.command import VERBS
from roost_central.alarms.catalogue_file import shipped
from roost_central.alarms.export_catalogue import JSON, PAGE, markdown
from roost_central.cli.main import NOUNS
from roost_protocol.catalogue import decode_catalogue, encode_catalogue
from roost_protocol.severity import Severity

ROOT = Path(__file__).parents[2]
ID = re.compile(r"[0-9]{3}\.[0-9]{3}")
CATALOGUE = shipped()
SIMULATED = ROOT / "agent/roost_agent/sim"


def raised() -> dict[str, str]:
    """Every id that stands as a text in the code, and where."""
    found = {}
    for package in ("agent", "central", "protocol"):
        for file in sorted((ROOT / package).rglob("*.py")):
            if SIMULATED in file.parents:
                continue  # what it says is another's word
            texts = (
                node.value
                for node in ast.walk(ast.parse(file.read_text()))
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
            )
            found |= {id_: str(file.relative_to(ROOT)) for id_ in filter(ID.fullmatch, texts)}
    return found


def test_every_type_in_the_code_has_a_record():
    assert {id_: file for id_, file in raised().items() if id_ not in CATALOGUE} == {}


def test_every_record_has_a_raiser_or_says_why_not():
    unsaid = [record.id for record in CATALOGUE.values() if not (record.not_yet or record.retired)]
    assert sorted(set(unsaid) - raised().keys()) == []


def test_a_record_that_is_raised_does_not_say_it_is_not():
    said = {record.id for record in CATALOGUE.values() if record.not_yet or record.retired}
    assert sorted(said & raised().keys()) == []


def test_what_is_made_from_it_is_fresh():
    assert (ROOT / JSON).read_bytes() == encode_catalogue(CATALOGUE.for_agents()), "make catalogue"
    assert (ROOT / PAGE).read_text() == markdown(CATALOGUE), "make catalogue"


def test_agents_read_what_was_written():
    assert decode_catalogue((ROOT / JSON).read_bytes()) == CATALOGUE.for_agents()


def test_a_repair_names_only_commands_that_exist():
    named = [
        (record.id, noun)
        for record in CATALOGUE.values()
        if not (record.not_yet or record.retired)
        for noun in re.findall(r"`roost ([a-z]+)", record.repair)
    ]
    assert [each for each in named if each[1] not in NOUNS] == []


def test_what_a_repair_tells_to_say_is_a_command():
    said = [
        (record.id, words.split()[2])
        for record in CATALOGUE.values()
        for words in re.findall(r"roost-agent ha [a-z-]+", record.repair)
    ]
    assert [each for each in said if each[1] not in VERBS] == []


def test_a_critical_alarm_of_local_ha_says_what_to_do_on_the_node():
    critical = [
        record
        for record in CATALOGUE.values()
        if record.name.startswith("ha.") and record.default is Severity.CRITICAL
    ]
    assert [each.id for each in critical if "roost-agent ha " not in each.repair] == []
