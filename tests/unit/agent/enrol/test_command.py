"""What ``roost-agent join`` takes, and what it refuses before it asks anybody."""

import pytest

from roost_agent.enrol.command import run
from roost_agent.errors import AgentError

DASHED = "-AECAwQFBgcICQoLDA0ODw"  # one fleet in 64 has a pin like this


def refusal(tmp_path, *words):
    with pytest.raises(AgentError) as refused:
        run(["--config", str(tmp_path), "--state-dir", str(tmp_path / "state"), *words])
    return str(refused.value)


@pytest.mark.parametrize("words", [("--pin", DASHED), (f"--pin={DASHED}",)])
def test_a_pin_may_begin_with_a_dash(tmp_path, words):
    (tmp_path / "agent.toml").write_text("[join]\nclaim_dirs = []\ndns = false\n")
    assert "nothing says where the centre is" in refusal(tmp_path, *words)


def test_a_pin_that_is_none_is_told(tmp_path):
    assert "--pin: pin, at pin" in refusal(tmp_path, "--pin", "AAAA")


def test_nobody_is_asked_where_nobody_can_compare_words(tmp_path):
    assert "nobody is here to compare" in refusal(tmp_path, "https://c.example:8471")


def test_an_address_that_is_none_is_told_before_what_else_is_missing(tmp_path):
    assert "is not https://HOST[:PORT]" in refusal(tmp_path, "ftp://c.example")


@pytest.mark.parametrize("word", ["--new-key", "--yes", "--look"])
def test_what_only_a_human_may_say_does_not_go_without_one(tmp_path, word):
    assert "--unattended goes with none of" in refusal(tmp_path, "--unattended", word)


def test_a_look_is_for_a_box_that_was_told_nothing(tmp_path):
    assert "leave URL out" in refusal(tmp_path, "https://c.example:8471", "--look")
