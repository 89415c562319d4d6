"""The record of signatures: on disk before the answer, and whole or refused."""

import errno
import os
import resource

import pytest

from roost_central.errors import ConfigError, StorageUnavailableError
from roost_central.signer import log as signer_log
from roost_central.signer.log import SignatureLog, rows
from roost_central.signer.row import BEGIN, Row, chained

ROW = Row(uid=7, verb="issue", name="edge.n1", serial="ff")


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "signatures.log"
    log = SignatureLog(path)
    for n in range(5):
        log.append([ROW], n)
    log.close()
    return path


def numbers(path):
    return [row.n for row, _, _ in rows(path)]


def test_a_row_is_there_when_append_returns(tmp_path):
    log = SignatureLog(tmp_path / "log")
    assert log.head == BEGIN
    log.append([ROW], 1_000)
    ((row, head, _),) = rows(tmp_path / "log")
    assert (row.n, row.at_ms, row.name, head) == (1, 1_000, "edge.n1", log.head)
    log.close()


def test_it_goes_on_where_it_was(written):
    log = SignatureLog(written)
    log.append([ROW], 9)
    assert (log.count, numbers(written)) == (6, [1, 2, 3, 4, 5, 6])
    log.close()


@pytest.mark.parametrize("at", range(5))
def test_a_changed_row_is_found(written, at):
    lines = written.read_bytes().splitlines(keepends=True)
    lines[at] = lines[at].replace(b"edge.n1", b"edge.n2")
    written.write_bytes(b"".join(lines))
    with pytest.raises(ConfigError, match=f"line {at + 1}"):
        SignatureLog(written)


@pytest.mark.parametrize("at", range(4))
def test_a_row_that_was_taken_out_is_found(written, at):
    lines = written.read_bytes().splitlines(keepends=True)
    del lines[at]
    written.write_bytes(b"".join(lines))
    with pytest.raises(ConfigError, match=f"line {at + 1}"):
        SignatureLog(written)


def test_a_row_that_was_changed_with_its_hash_is_found_at_the_next(written):
    lines = written.read_bytes().splitlines()
    raw = lines[2].partition(b" ")[2].replace(b"edge.n1", b"edge.n2")
    lines[2] = chained(lines[1][:64].decode(), raw).encode() + b" " + raw
    written.write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(ConfigError, match="line 4"):
        SignatureLog(written)


def test_what_is_no_row_is_found(written):
    written.write_bytes(written.read_bytes() + b"hello\n")
    with pytest.raises(ConfigError, match="line 6"):
        SignatureLog(written)


def test_a_torn_last_line_is_taken_away(written):
    whole = written.read_bytes()
    written.write_bytes(whole + b"0123 {half")
    log = SignatureLog(written)
    assert written.read_bytes() == whole
    log.append([ROW], 9)
    assert numbers(written) == [1, 2, 3, 4, 5, 6]
    log.close()


def test_a_full_disk_refuses_and_leaves_nothing(written):
    """A limit on the file's size, of this process, stands for a disk with half a row of room."""
    log = SignatureLog(written)
    whole = written.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 20, limits[1]))
    try:
        for _ in range(2):
            with pytest.raises(StorageUnavailableError) as refused:
                log.append([ROW], 9)
            assert refused.value.got == os.strerror(errno.EFBIG)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert log.count == 5
    log.append([ROW], 9)
    assert numbers(written) == [1, 2, 3, 4, 5, 6]
    log.close()


def test_it_has_an_end(written, monkeypatch):
    monkeypatch.setattr(signer_log, "LOG_BYTES_MAX", written.stat().st_size + 10)
    log = SignatureLog(written)
    with pytest.raises(StorageUnavailableError) as refused:
        log.append([ROW], 9)
    assert refused.value.code == "log-full"
    log.close()
    assert numbers(written) == [1, 2, 3, 4, 5]


def test_lines_past_a_number_are_found_also_behind_the_index(tmp_path, monkeypatch):
    monkeypatch.setattr(signer_log, "INDEX_ROWS", 3)
    log = SignatureLog(tmp_path / "log")
    for n in range(8):
        log.append([ROW], n)
    again = SignatureLog(tmp_path / "log")
    whole = (tmp_path / "log").read_text().splitlines()
    for each in (log, again):
        for after in range(10):
            assert each.lines(after, 4) == whole[after : after + 4]
        each.close()


def test_no_more_lines_are_told_at_once_than_fit_an_answer(written, monkeypatch):
    monkeypatch.setattr(signer_log, "TOLD_BYTES_MAX", 1)
    log = SignatureLog(written)
    assert [len(log.lines(after, 9)) for after in (0, 4, 5)] == [1, 1, 0]
    log.close()
