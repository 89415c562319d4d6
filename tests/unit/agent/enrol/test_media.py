"""Claim files on media: found, read once through no link, told what is odd, and used once."""

import os
import stat

import pytest

from roost_agent.enrol.media import USED_NAME, claim_files, mark_used, used_digests
from roost_protocol.claim_file import BYTES_MAX, NAME, ClaimFile, encode
from roost_protocol.join_token import JoinToken

TOKEN = str(JoinToken("abcdefghijkl", b"s" * 32, b"p" * 16))
CLAIM = ClaimFile("https://c.example:8471", TOKEN)


def stick(tmp_path, name="a", content=None, mode=0o600):
    folder = tmp_path / "media" / name
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / NAME
    file.write_bytes(encode(CLAIM) if content is None else content)
    file.chmod(mode)
    return file


def looks(tmp_path, *used):
    return claim_files([f"{tmp_path}/media/*"], used)


def test_every_medium_that_has_one_is_told_in_the_order_of_names(tmp_path):
    files = [stick(tmp_path, name) for name in ("b", "a")]
    (tmp_path / "media/c").mkdir()
    found = looks(tmp_path)
    assert [look.where for look in found] == [str(file) for file in sorted(files)]
    assert found[0].urls == ("https://c.example:8471",)
    assert (str(found[0].token), found[0].pin, found[0].warnings) == (TOKEN, b"p" * 16, ())


def test_a_folder_without_one_or_that_is_not_there_is_told(tmp_path):
    (tmp_path / "media").mkdir()
    found = claim_files([f"{tmp_path}/media", f"{tmp_path}/none"], ())
    assert [look.found for look in found] == [f"no {NAME}", "not there"]


@pytest.mark.parametrize(
    ("content", "told"), [(b"{", "not JSON"), (b" " * (BYTES_MAX + 1), "oversize")]
)
def test_what_is_no_claim_is_told_and_does_not_count(tmp_path, content, told):
    stick(tmp_path, content=content)
    [look] = looks(tmp_path)
    assert told in look.found
    assert (look.urls, look.token, look.pin) == ((), None, None)


def test_a_link_is_not_followed(tmp_path):
    file = stick(tmp_path)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    [look] = looks(tmp_path)
    assert look.found == "not used: a symbolic link"
    assert look.token is None


def test_a_pipe_or_a_folder_of_that_name_neither_counts_nor_hangs(tmp_path):
    for name, make in (("a", os.mkfifo), ("b", os.mkdir)):
        (tmp_path / "media" / name).mkdir(parents=True)
        make(tmp_path / "media" / name / NAME)
    assert ["not used" in look.found for look in looks(tmp_path)] == [True, True]


@pytest.mark.parametrize(
    ("mode", "told"),
    [(0o644, "others on this box may read it"), (0o666, "others on this box may write it")],
)
def test_a_mode_that_is_too_open_is_told_and_counts(tmp_path, mode, told):
    stick(tmp_path, mode=mode)
    [look] = looks(tmp_path)
    assert look.warnings == (told,)
    assert look.token is not None


def test_a_file_that_was_used_has_another_name_and_does_not_count_under_any(tmp_path):
    file = stick(tmp_path)
    content = file.read_bytes()
    [look] = looks(tmp_path)
    assert mark_used(look, tmp_path) == f"{file} is {USED_NAME} now"
    assert not file.exists()
    assert stat.S_IMODE((tmp_path / "claims-used.json").stat().st_mode) == 0o600
    stick(tmp_path, "copy", content)
    [again] = looks(tmp_path, *used_digests(tmp_path))
    assert again.found == "not used: this box has used it before"
    assert again.token is None


def test_a_medium_that_cannot_be_written_is_used_once_too(tmp_path, monkeypatch):
    file = stick(tmp_path)
    [look] = looks(tmp_path)

    def refuse(self, target):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(type(file), "rename", refuse)
    assert "stays (Read-only file system)" in mark_used(look, tmp_path)
    assert file.exists()
    [again] = looks(tmp_path, *used_digests(tmp_path))
    assert "used it before" in again.found


def test_a_file_for_several_boxes_stays(tmp_path):
    file = stick(tmp_path, content=encode(ClaimFile(CLAIM.url, TOKEN, keep=True)))
    [look] = looks(tmp_path)
    assert "stays" in mark_used(look, tmp_path)
    assert file.exists()
    assert used_digests(tmp_path) == []


def test_another_file_of_that_name_is_left_alone(tmp_path):
    file = stick(tmp_path)
    [look] = looks(tmp_path)
    file.write_bytes(b"{}")
    assert "changed meanwhile" in mark_used(look, tmp_path)
    assert file.exists()


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"[" * 5_000])
def test_a_record_that_makes_no_sense_is_none(tmp_path, content):
    (tmp_path / "claims-used.json").write_bytes(content)
    assert used_digests(tmp_path) == []
