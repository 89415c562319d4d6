"""Planted faults (tests/mutants): each still applies, and the test that must notice it is there."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/mutants"))

from mutant import DoesNotApplyError, Edit, Mutant, mutants  # noqa: E402 - found there

MUTANTS = mutants()
COUNT_MIN = 15
FOUNDATION = 6
THREATS = {
    "image root taken from the answer", "clock floor raised by the local clock", "wildcard ACL",
    "name constraint ignored", "token stored in clear", "route without auth",
    "replay window open", "CSR subject honoured",
}  # fmt: skip

UPDATES = {
    "approvers taken from the plan", "configuration installed by the package installer",
    "divides by total", "no fsync of the directory", "expiry ignored", 'success on "done"',
    "last active updated", "abort only at commit",
}  # fmt: skip


def test_there_are_enough_and_no_two_have_one_name():
    assert len(MUTANTS) >= COUNT_MIN
    assert len({each.name for each in MUTANTS}) == len(MUTANTS)
    assert sum(each.group == "foundation" for each in MUTANTS) == FOUNDATION


def test_each_of_the_eight_of_identity_and_access_is_planted():
    assert sorted(each.threat for each in MUTANTS if each.threat) == sorted(THREATS)


def test_each_of_the_eight_of_updates_is_planted_and_counted_as_one():
    eight = [each for each in MUTANTS if each.update]
    assert sorted(each.update for each in eight) == sorted(UPDATES)
    assert all("update" in each.sets for each in eight)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda each: each.name)
def test_a_mutant_applies_and_names_a_test_that_exists(mutant):
    for edit in mutant.edits:
        assert edit.applied(ROOT) != (ROOT / edit.file).read_text()
    file, _, name = mutant.test.partition("::")
    name = re.escape(name.partition("[")[0])
    assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE)


def test_a_text_that_is_gone_or_there_twice_does_not_apply(tmp_path):
    (tmp_path / "x.py").write_text("one\ntwo\ntwo\n")
    for old in ("three", "two"):
        with pytest.raises(DoesNotApplyError, match="want once"):
            Edit("x.py", old, "").applied(tmp_path)


def test_the_edits_of_one_mutant_come_together_and_can_be_taken_back(tmp_path):
    file = tmp_path / "x.py"
    file.write_text("one two\n")
    edits = (Edit("x.py", "one", "1"), Edit("x.py", "two", "2"))
    before = Mutant("both", "t.py::test", 1, "x", edits).apply(tmp_path)
    assert file.read_text() == "1 2\n"
    assert before == {file: "one two\n"}
