"""The few options of the resident agent."""

import pytest

from roost_agent.errors import ConfigError
from roost_agent.options import options

KNOWN = {"config": "/etc/roost", "log-level": "info"}


def test_options_have_defaults_and_two_spellings():
    assert options([], KNOWN) == KNOWN
    assert options(["--config", "a", "--log-level=debug"], KNOWN) == {
        "config": "a",
        "log-level": "debug",
    }


@pytest.mark.parametrize("argv", [["--confg", "a"], ["config"], ["--config"], ["-c", "a"]])
def test_what_is_no_option_is_refused(argv):
    with pytest.raises(ConfigError):
        options(argv, KNOWN)


def test_a_refusal_names_the_options_that_there_are():
    with pytest.raises(
        ConfigError, match="--confg: no such option; there is --config, --log-level"
    ):
        options(["--confg", "a"], KNOWN)
