import os
from datetime import UTC, datetime

import pytest

from roost_agent.ports import SystemClock
from roost_agent.update import inhibit
from roost_agent.update.inhibit import Said, judge, longest, parse, read
from roost_agent.update.kept import HOLD_MS_MAX, Hold

NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
TEXT = b'reason = "stocktaking"\nuntil = 2027-01-15T10:00:00+02:00\n'
UNTIL_MS = round(datetime(2027, 1, 15, 8, tzinfo=UTC).timestamp() * 1_000)


@pytest.fixture
def folder(tmp_path):
    def put(name, content):
        path = tmp_path / name
        path.write_bytes(content)
        os.utime(path, (NOW_MS / 1_000, NOW_MS / 1_000))
        return path

    return tmp_path, put


def test_a_file_says_why_and_until_when_by_any_zone():
    assert parse(TEXT) == Said("stocktaking", UNTIL_MS)
    assert judge("/x", parse(TEXT), UNTIL_MS - HOUR_MS, UNTIL_MS - 1).hold == Hold(
        UNTIL_MS, "stocktaking (/x)"
    )
    assert judge("/x", parse(TEXT), UNTIL_MS - HOUR_MS, UNTIL_MS) == inhibit.Inhibit("/x", None)


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"", "reason: missing, a sentence"),
        (b'reason = "  "\nuntil = 2027-01-15T10:00:00Z', "reason: missing, a sentence"),
        (b"\xff", "not TOML: 'utf-8' codec"),
        (b"reason = ", "not TOML: "),
        (b"a = " + b"[" * 4_000, "not TOML: "),
        (b'reason = "x"', "until: missing, or no moment with its zone"),
        (b'reason = "x"\nuntil = 2027-01-15T10:00:00', "until: missing, or no moment"),
        (b'reason = "x"\nuntil = "for ever"', "until: missing, or no moment"),
        (TEXT + b"till = 1", "unknown key 'till': there are reason and until"),
        (b"#" * 4_097, "longer than 4096 bytes"),
    ],
)
def test_a_file_that_makes_no_sense_holds_a_week_at_the_most_and_says_what_is_wrong(raw, fault):
    for later_ms, holds in ((0, True), (HOLD_MS_MAX - 1, True), (HOLD_MS_MAX, False)):
        found = judge("/x", parse(raw), NOW_MS, NOW_MS + later_ms)
        assert found.fault.startswith(fault)
        assert "; it holds until 2027-01-22T08:00:00Z" in found.fault
        assert (found.hold is not None) is holds


def test_a_file_that_never_ends_ends_after_a_week():
    said = Said("always", NOW_MS + HOLD_MS_MAX + 1)
    found = judge("/x", said, NOW_MS, NOW_MS)
    assert found.hold == Hold(NOW_MS + HOLD_MS_MAX, "always (/x)")
    assert "is more than 7 days after it was written" in found.fault
    assert judge("/x", Said("week", NOW_MS + HOLD_MS_MAX), NOW_MS, NOW_MS).fault == ""
    later_ms = NOW_MS + inhibit.FUTURE_MS_MAX
    assert judge("/x", said, later_ms, NOW_MS).hold is not None  # a clock that is a little behind
    found = judge("/x", said, later_ms + 1, NOW_MS)
    assert (found.hold, found.fault[:34]) == (None, "it was changed on a day to come: i")


def test_a_folder_is_read_in_order_and_what_is_no_file_holds_a_week_too(folder):
    where, put = folder
    put("b.toml", b'reason = "two"\nuntil = 2027-01-15T12:00:00Z')
    put("a.toml", b'reason = "one"\nuntil = 2027-01-15T10:00:00Z')
    put("note.txt", b"no hold")
    (where / "c.toml").mkdir()
    (where / "d.toml").symlink_to("/dev/zero")
    os.mkfifo(where / "e.toml")
    found = read(str(where), NOW_MS)
    assert [each.path[-6:] for each in found] == [f"{name}.toml" for name in "abcde"]
    assert [each.fault[:14] for each in found[:2]] == ["", ""]
    now_ms = SystemClock().wall_ms()
    for odd in read(str(where), now_ms)[2:]:
        assert odd.fault
        assert odd.hold is not None
    best = longest((each.hold for each in found[:2]), NOW_MS)
    assert best is not None
    assert best.why == f"two ({where}/b.toml)"
    assert longest([None, Hold(NOW_MS, "ended")], NOW_MS) is None


def test_no_folder_holds_nothing_and_one_with_too_many_files_says_so(folder):
    where, put = folder
    assert read(str(where / "absent"), NOW_MS) == []
    for number in range(inhibit.FILES_MAX + 1):
        put(f"{number:02}.toml", TEXT)
    *files, told = read(str(where), NOW_MS)
    assert len(files) == inhibit.FILES_MAX
    assert (told.hold, told.fault) == (None, "more than 32 files: the others hold nothing")
