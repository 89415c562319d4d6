"""Minutes on a real disk: kept over restarts, cut rows dropped, the oldest deleted."""

import math

import pytest

from roost_agent.host.samples import ring as rings
from roost_agent.host.samples.minutes import Row
from roost_agent.host.samples.ring import FILE_ROWS_MAX, FILES_MAX, ROWS_MAX, Ring
from roost_agent.host.samples.rollup import samples, window
from roost_protocol.samples import unpacked


def row(minute, **values):
    return Row(minute, {name: (value, value, value) for name, value in values.items()})


def means(folder, name, minutes):
    wanted = window(0, minutes * 60_000, 60)
    (found,) = samples(Ring(folder).parts(), wanted, {name}).series
    return [None if math.isnan(value) else value for value in unpacked(found.mean)]


def test_what_was_kept_is_there_after_a_restart_and_goes_on_in_the_same_file(tmp_path):
    folder = tmp_path / "samples"
    Ring(folder).append(row(0, cpu=1.0))
    Ring(folder).append(row(1, cpu=2.0))
    assert len(list(folder.iterdir())) == 1
    assert means(folder, "cpu", 2) == [1.0, 2.0]


def test_a_row_that_was_cut_is_dropped_and_the_next_stands_where_it_should(tmp_path):
    ring = Ring(tmp_path)
    for minute in range(3):
        ring.append(row(minute, cpu=float(minute)))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-3])
    assert means(tmp_path, "cpu", 3) == [0.0, 1.0, None]
    Ring(tmp_path).append(row(2, cpu=7.0))
    assert means(tmp_path, "cpu", 3) == [0.0, 1.0, 7.0]


def test_a_series_that_comes_begins_another_file_and_one_that_goes_leaves_a_gap(tmp_path):
    ring = Ring(tmp_path)
    ring.append(row(0, cpu=1.0, load=1.0))
    ring.append(row(1, cpu=2.0))
    assert len(list(tmp_path.iterdir())) == 1
    ring.append(row(2, cpu=3.0, swap=1.0))
    assert len(list(tmp_path.iterdir())) == 2
    assert means(tmp_path, "cpu", 3) == [1.0, 2.0, 3.0]
    assert means(tmp_path, "load", 3) == [1.0, None, None]


def test_a_day_is_kept_and_what_is_older_goes_by_files(tmp_path):
    ring = Ring(tmp_path)
    for minute in range(ROWS_MAX + 3 * FILE_ROWS_MAX):
        ring.append(row(minute, cpu=1.0))
    rows = sum(len(part.rows) // 10 for part in Ring(tmp_path).parts())
    assert ROWS_MAX <= rows <= ROWS_MAX + 2 * FILE_ROWS_MAX


def test_series_that_come_and_go_all_the_time_leave_a_bounded_number_of_files(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(rings, "FILES_MAX", 5)
    ring = Ring(tmp_path)
    for minute in range(20):
        ring.append(row(minute, **{f"x{minute}": 1.0}))
    assert len(list(tmp_path.iterdir())) == 5
    assert FILES_MAX < ROWS_MAX


@pytest.mark.parametrize("content", [b"", b"{}\n", b'{"v":1,"series":["a"]}', b"\xff\n", b"[1]\n"])
def test_a_file_that_is_none_is_passed_over_and_deleted_in_time(tmp_path, content):
    bad = tmp_path / "00000007.rows"
    bad.write_bytes(content)
    (tmp_path / "notes.txt").write_text("an operator's")
    ring = Ring(tmp_path)
    ring.append(row(0, cpu=1.0))
    assert means(tmp_path, "cpu", 1) == [1.0]
    assert not bad.exists()
    assert (tmp_path / "notes.txt").exists()


def test_a_disk_that_refuses_is_said(tmp_path):
    (tmp_path / "samples").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="exists"):
        Ring(tmp_path / "samples").append(row(0, cpu=1.0))
