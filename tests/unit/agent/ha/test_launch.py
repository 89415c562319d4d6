"""What an agent begins local HA with: the site's file, and what a profile says over it."""

import logging
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import site_file

from roost_agent.errors import ConfigError
from roost_agent.ha.keys import keygen
from roost_agent.ha.launch import Launch


@pytest.fixture
def file(tmp_path, capsys):
    assert keygen(["c0", "c1", "w1"]) == 0
    keys = tmp_path / "ha.keys"
    keys.write_text(capsys.readouterr().out)
    keys.chmod(0o600)
    made = tmp_path / "ha.toml"
    made.write_text(f'key_file = "{keys}"\n{site_file.TEXT}')
    made.chmod(0o644)
    return made


def test_it_begins_with_what_the_profile_says_over_the_file(file):
    said = {"groups": {"main": {"hosts": ["c1", "c0"]}}, "services": {"web": {"enabled": False}}}
    config = Launch(file, "lab", "c0", said=said).config
    assert config.group("main").hosts == ("c1", "c0")
    assert [each.name for each in config.services] == ["db", "log", "cron"]
    assert config.off == ("web",)
    assert Launch(file, "lab", "c0").config.off == ()


def test_where_the_two_fit_no_more_it_begins_with_the_file_alone_and_says_so(file, caplog):
    said = {"groups": {"gone": {"preempt_s": 60}}}
    with caplog.at_level(logging.WARNING):
        config = Launch(file, "lab", "c0", said=said).config
    assert config.group("main").hosts == ("c0", "c1")
    assert "groups.gone: ha.toml has no such group" in caplog.text


def test_a_file_that_does_not_hold_ends_it_whatever_the_profile_says(file):
    file.write_text("voters = []")
    with pytest.raises(ConfigError, match="node"):
        Launch(file, "lab", "c0", said={"groups": {"main": {"preempt_s": 60}}})
