"""The few options of the resident agent."""

import pytest

from roost_agent.errors import ConfigError
from roost_agent.options import HelpAsked, options

KNOWN = {"config": "/etc/roost", "log-level": "info"}
USAGE = "usage: x [--config PATH]\n"


def test_options_have_defaults_and_two_spellings():
    assert options([], KNOWN, USAGE) == KNOWN
    assert options(["--config", "a", "--log-level=debug"], KNOWN, USAGE) == {
        "config": "a",
        "log-level": "debug",
    }


@pytest.mark.parametrize("argv", [["--confg", "a"], ["config"], ["--config"], ["-c", "a"]])
def test_what_is_no_option_is_refused(argv):
    with pytest.raises(ConfigError):
        options(argv, KNOWN, USAGE)


def test_a_refusal_names_the_options_that_there_are():
    with pytest.raises(
        ConfigError, match="--confg: no such option; there is --config, --log-level"
    ):
        options(["--confg", "a"], KNOWN, USAGE)


@pytest.mark.parametrize("argv", [["--help"], ["-h"], ["--config", "a", "--help"], ["--no", "-h"]])
def test_who_asks_how_it_is_used_is_told_whatever_else_is_said(argv):
    with pytest.raises(HelpAsked) as told:
        options(argv, KNOWN, USAGE)
    assert str(told.value) == USAGE
