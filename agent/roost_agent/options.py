"""Command-line options without argparse, which the resident agent would carry about (1 MiB)."""

from collections.abc import Mapping

from roost_agent.errors import ConfigError


def options(argv: list[str], known: Mapping[str, str]) -> dict[str, str]:
    """Return the value of each option: ``--name VALUE`` or ``--name=VALUE``, or its default.

    Raises:
        ConfigError: an unknown option, or one without a value.
    """
    found = dict(known)
    left = list(argv)
    while left:
        word = left.pop(0)
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or name not in known:
            there = ", ".join(f"--{each}" for each in known)
            raise ConfigError([f"{word}: no such option; there is {there}"])
        if not equals:
            if not left:
                raise ConfigError([f"{word}: needs a value"])
            value = left.pop(0)
        found[name] = value
    return found
