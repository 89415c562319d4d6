import errno
import os

import pytest

from roost_agent.discovery.reader import ENTRIES_MAX, Reader, reason_of
from roost_agent.discovery.section import (
    ABSENT,
    BUSY,
    DENIED,
    IO_ERROR,
    TOO_BIG,
    UNSUPPORTED,
    Missing,
)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOENT, ABSENT),
        (errno.ENODEV, ABSENT),
        (errno.EACCES, DENIED),
        (errno.EPERM, DENIED),
        (errno.EAGAIN, BUSY),
        (errno.EINVAL, UNSUPPORTED),
        (errno.EIO, IO_ERROR),
        (errno.ENODATA, IO_ERROR),
        (errno.ENXIO, IO_ERROR),
    ],
)
def test_an_os_error_has_a_reason(number, reason):
    assert reason_of(OSError(number, "")) == reason


def test_a_file_that_is_not_there_is_absent(tree):
    assert tree.reader().text("sys/none") == Missing(ABSENT)


def test_text_is_stripped_of_ends_and_nul(tree):
    assert tree.plant({"a": b" value\0\n"}).reader().text("a") == "value"


def test_bytes_that_are_not_utf8_are_replaced(tree):
    assert tree.plant({"a": b"caf\xe9"}).reader().text("a") == "caf\ufffd"


def test_a_file_at_the_limit_is_read_whole_and_one_past_it_is_too_big(tree):
    reader = tree.plant({"fits": b"x" * (1 << 20), "past": b"x" * ((1 << 20) + 1)}).reader()
    assert reader.raw("fits") == b"x" * (1 << 20)
    assert reader.raw("past") == Missing(TOO_BIG)


def test_a_fifo_does_not_hang(tree):
    os.mkfifo(tree.root / "fifo")
    assert tree.reader().text("fifo") == Missing(UNSUPPORTED)


def test_a_directory_is_not_a_file(tree):
    assert tree.plant({"dir/file": ""}).reader().text("dir") == Missing(UNSUPPORTED)


def test_a_link_to_itself_ends(tree):
    (tree.root / "loop").symlink_to("loop")
    assert tree.reader().text("loop") == Missing(IO_ERROR)
    assert tree.reader().names("loop") == Missing(IO_ERROR)


def test_a_failing_device_is_an_io_error():
    reader = Reader("/proc/self")  # nothing is mapped at address 0 of /proc/self/mem
    assert reader.raw("mem") == Missing(IO_ERROR)
    reader.close()


def test_a_file_of_another_user_is_denied(tree):
    reader = tree.plant({"secret": "x"}).reader()
    (tree.root / "secret").chmod(0)
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)
        outcome = reader.text("secret")
    finally:
        os.seteuid(user)
    assert outcome == Missing(DENIED)


@pytest.mark.parametrize("junk", ["", "junk", "1.5", "1_000", "1 2", "\u0661", "9" * 65, "0x10"])
def test_what_is_no_integer_is_missing(tree, junk):
    assert isinstance(tree.plant({"n": junk}).reader().number("n"), Missing)


def test_a_count_is_never_negative(tree):
    reader = tree.plant({"n": -1, "zero": 0}).reader()
    assert reader.number("n") == -1
    assert reader.count("n") == Missing(UNSUPPORTED)
    assert reader.count("zero") == 0


@pytest.mark.parametrize("path", ["/etc/passwd", "../up", "a/../../up"])
def test_a_path_cannot_leave_the_root(tree, path):
    with pytest.raises(ValueError, match="leaves the root"):
        tree.reader().text(path)


def test_a_directory_with_too_many_entries_is_too_big(tree):
    (tree.root / "d").mkdir()
    for number in range(ENTRIES_MAX):
        (tree.root / "d" / str(number)).touch()
    assert len(tree.reader().names("d")) == ENTRIES_MAX
    (tree.root / "d" / "one more").touch()
    assert tree.reader().names("d") == Missing(TOO_BIG)


def test_paragraphs_are_whole_across_reads(tree):
    parts = [f"number {number}\n" + "x" * 30_000 for number in range(9)]
    reader = tree.plant({"file": "\n\n".join(parts).encode()}).reader()
    assert [part.decode() for part in reader.paragraphs("file", 1 << 20)] == parts


def test_a_file_past_its_limit_ends_in_a_missing(tree):
    reader = tree.plant({"file": b"a\n\n" * 100_000}).reader()
    *_, last = reader.paragraphs("file", 100_000)
    assert last == Missing(TOO_BIG)


def test_one_endless_paragraph_is_too_big(tree):
    reader = tree.plant({"file": b"x" * (3 << 20)}).reader()
    assert list(reader.paragraphs("file", 64 << 20)) == [Missing(TOO_BIG)]


def test_paragraphs_of_no_file_tell_why(tree):
    assert list(tree.reader().paragraphs("none", 1)) == [Missing(ABSENT)]


def test_only_the_running_machine_is_live(tree):
    live = Reader("/")
    assert live.is_live
    assert not tree.reader().is_live
    live.close()
