"""docs/threat-matrix.md: each threat of the design has a row, each row a proof or a reason."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COUNTS = {"S": 7, "T": 10, "R": 3, "I": 6, "D": 7, "E": 8}  # of the design's table, T10 and R3
IDS = [f"{kind}{number + 1}" for kind, count in COUNTS.items() for number in range(count)]
ROW = re.compile(r"^\| ([A-Z]\d+) \|(.*)\|$", re.MULTILINE)
PAGE = (ROOT / "docs/threat-matrix.md").read_text()
ROWS = {match[1]: [cell.strip() for cell in match[2].split("|")] for match in ROW.finditer(PAGE)}
PROVE = "".join(file.read_text() for file in sorted((ROOT / "tests/prove").glob("prove_*.py")))


def fault(proof: str) -> str:
    """Why a cell proves nothing; empty where it names a test, a proof or a reason."""
    if reason := re.fullmatch(r"not yet: (.*)", proof):
        return "" if len(reason[1]) >= 20 else "says no reason"
    if name := re.fullmatch(r"`make prove: ([a-z0-9_.]+)`", proof):
        return "" if f'"{name[1]}"' in PROVE else f"make prove has no {name[1]}"
    if test := re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", proof):
        file = ROOT / test[1]
        if not file.is_file():
            return f"{test[1]} does not exist"
        found = re.search(rf"^(async )?def {test[2]}\(", file.read_text(), re.MULTILINE)
        return "" if found else f"{test[1]} has no {test[2]}"
    return f"neither a test, a proof nor a reason: {proof!r}"


def test_every_threat_has_one_row():
    assert [match[1] for match in ROW.finditer(PAGE)] == IDS


@pytest.mark.parametrize("threat", IDS)
def test_a_row_has_its_proof_or_says_why_there_is_none(threat):
    actor, what, control, proof = ROWS[threat]
    assert actor
    assert what
    assert control or proof.startswith("not yet: ")
    assert fault(proof) == ""


@pytest.mark.parametrize(
    "proof",
    [
        "",
        "yes",
        "not yet: later",
        "`make prove: no.such`",
        "`tests/repo/test_threats.py::test_no_such`",
        "`tests/repo/test_none.py::test_x`",
    ],
)
def test_a_proof_that_is_none_is_found(proof):
    assert fault(proof)
