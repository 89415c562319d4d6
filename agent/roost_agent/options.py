"""Command-line options without argparse, which the resident agent would carry about (1 MiB)."""

from collections.abc import Mapping
from typing import Final

from roost_agent.errors import ConfigError

HELP: Final = frozenset({"--help", "-h"})


class HelpAsked(Exception):  # noqa: N818 - it is no error
    """Somebody asks how a command is used; the text says it, and the exit status is 0."""


def asks_help(argv: list[str], usage: str) -> None:
    """Look whether somebody asks how a command is used.

    Raises:
        HelpAsked: with ``usage``.
    """
    if HELP & {*argv}:
        raise HelpAsked(usage)


def options(argv: list[str], known: Mapping[str, str], usage: str) -> dict[str, str]:
    """Return the value of each option: ``--name VALUE`` or ``--name=VALUE``, or its default.

    Args:
        argv: the words.
        known: the options and their defaults.
        usage: how the command is used: it begins with ``usage:`` and names each option.

    Raises:
        HelpAsked: ``--help`` or ``-h`` is among the words.
        ConfigError: an unknown option, or one without a value.
    """
    asks_help(argv, usage)
    found = dict(known)
    left = list(argv)
    while left:
        word = left.pop(0)
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or name not in known:
            there = ", ".join(f"--{each}" for each in known)
            raise ConfigError([f"{word}: no such option; there is {there}; see --help"])
        if not equals:
            if not left:
                raise ConfigError([f"{word}: needs a value"])
            value = left.pop(0)
        found[name] = value
    return found
