"""What a walk finds in the places that are files, and how it is told."""

from pathlib import Path

import pytest

from roost_agent.config import JoinConfig
from roost_agent.enrol.invitation import Look, Source, choose
from roost_agent.enrol.walk import Walk, configured, report, typed
from roost_protocol.claim_file import NAME, ClaimFile, encode
from roost_protocol.join_token import JoinToken, to_text

PIN = b"p" * 16
TOKEN = JoinToken("abcdefghijkl", b"s" * 32, PIN)


def walk(tmp_path, **config):
    folders = {"claim_dirs": (f"{tmp_path}/usb",), "dns": False}
    return Walk(JoinConfig(**{**folders, **config}), "/etc/roost", tmp_path)


def test_every_place_is_told_with_what_was_there(tmp_path):
    (tmp_path / "usb").mkdir()
    (tmp_path / "usb" / NAME).write_bytes(encode(ClaimFile("https://c:1", str(TOKEN))))
    (tmp_path / "usb" / NAME).chmod(0o644)
    looks = walk(tmp_path).looks(0)
    told = report(looks, choose(looks))
    assert "/etc/roost" in told
    assert "no [join] url" in told
    assert "https://c:1, a token; others on this box may read it" in told
    assert "not asked: [join] dns is false" in told
    assert f"goes to https://c:1 (by {tmp_path}/usb/{NAME}), trusted by {tmp_path}" in told
    assert to_text(TOKEN.secret) not in told


def test_a_place_without_trust_is_for_a_human(tmp_path):
    looks = walk(tmp_path, url="https://c:1").looks(0)
    assert "trusted by six words, with no token" in report(looks, choose(looks))


def test_a_token_in_a_file_is_the_configurations_word(tmp_path):
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    look = configured(JoinConfig(url="https://c:1", token_file=str(file), name="n1"), "agent.toml")
    assert (look.token, look.pin, look.name) == (TOKEN, PIN, "n1")
    assert look.found == "https://c:1, a token"


@pytest.mark.parametrize(
    ("content", "pin", "told"),
    [
        (None, "", "No such file"),
        (b"rst1.x", "", "copied whole"),
        (b"\xff\xff", "", "not text"),
        (str(TOKEN).encode(), to_text(b"x" * 16), "of another fleet"),
    ],
)
def test_a_token_that_cannot_be_used_is_told_and_not_repeated(tmp_path, content, pin, told):
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    look = configured(JoinConfig(token_file=str(file), pin=pin), "agent.toml")
    assert look.source is Source.CONFIG
    assert look.found.startswith("not used: ")
    assert told in look.found
    assert look.token is None


def test_what_was_typed_is_a_place_of_its_own_only_where_something_was(tmp_path):
    assert typed(None, None, "") is None
    look = typed(TOKEN, PIN, "")
    assert isinstance(look, Look)
    there = Walk(JoinConfig(claim_dirs=(), dns=False), "/etc/roost", Path(tmp_path), None, look)
    assert [each.where for each in there.looks(0)] == ["command line", "/etc/roost", "DNS"]
