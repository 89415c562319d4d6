"""What follows a row, also where it was put aside."""

import pytest

from roost_central.signer import program
from roost_central.signer.archives import Archives
from roost_central.signer.log import SignatureLog
from roost_central.signer.row import BEGIN, Place, Row, place_of

ROW = Row(uid=7, verb="issue", name="edge.n1", serial="ff")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a record of five rows and one behind it; its archive's line comes first."""
    log = SignatureLog(tmp_path / "signatures.log")
    for n in range(5):
        log.append([ROW], n)
    log.close()
    program.archived(tmp_path)
    return tmp_path


@pytest.fixture
def archives(folder):
    log = SignatureLog(folder / "signatures.log")
    for n in range(3):
        log.append([ROW], n)
    yield Archives(folder, log)
    log.close()


def walked(archives, at, limit):
    """Go on from a place to the end."""
    found = []
    while lines := archives.past(*at, limit):
        assert len(lines) <= limit
        found += lines
        at = place_of(lines[-1])
    return found


@pytest.fixture
def whole(folder, archives):
    [aside] = folder.glob("signatures-*.log")
    return [*aside.read_text().splitlines(), *(folder / "signatures.log").read_text().splitlines()]


@pytest.mark.parametrize("limit", [1, 2, 4, 9])
def test_all_records_are_gone_along_from_any_row(archives, whole, limit):
    assert len(whole) == 5 + 1 + 3
    assert walked(archives, Place(), limit) == whole
    for at, line in enumerate(whole, 1):
        assert walked(archives, place_of(line), limit) == whole[at:]


def test_a_row_that_is_nowhere_is_told(archives, whole):
    head = place_of(whole[1]).head
    for place in ((1, head), (2, BEGIN), (9, head), (2, place_of(whole[7]).head)):
        assert archives.past(*place, 9) is None


def test_a_first_record_begins_at_its_first_row(tmp_path):
    log = SignatureLog(tmp_path / "signatures.log")
    assert Archives(tmp_path, log).past(0, BEGIN, 9) == []
    log.append([ROW, ROW], 1)
    assert len(Archives(tmp_path, log).past(0, BEGIN, 9)) == 2
    log.close()
