"""A line holds by its number and by the hash of the one before."""

import pytest

from roost_central.signer.row import BEGIN, BrokenRecordError, Row, chained, encode_row, read_line


def line_of(row, previous=BEGIN):
    raw = encode_row(row)
    return f"{chained(previous, raw)} ".encode() + raw


ROW = Row(uid=7, verb="issue", n=1, name="edge.n1")


def test_a_line_is_read_with_its_hash():
    line = line_of(ROW)
    assert read_line(line, 1, BEGIN) == (ROW, line[:64].decode())


def test_where_the_row_before_is_not_known_its_number_alone_counts():
    line = line_of(ROW, "1" * 64)
    assert read_line(line, 1, "")[0] == ROW
    with pytest.raises(BrokenRecordError, match="does not follow"):
        read_line(line, 1, BEGIN)


@pytest.mark.parametrize(
    "line", [b"", b"x", b"\xff" * 64, line_of(ROW)[:-1], line_of(ROW) + b"x", b"x {}"]
)
def test_what_is_no_row_is_refused(line):
    with pytest.raises(BrokenRecordError):
        read_line(line, 1, BEGIN)


def test_a_row_with_another_number_is_refused():
    with pytest.raises(BrokenRecordError, match="does not follow"):
        read_line(line_of(ROW), 2, BEGIN)
