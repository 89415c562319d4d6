"""``roost sim``: hands over to the fleet simulator of the agent."""

import os
import sys

import click


@click.command(
    "sim",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def command(args: tuple[str, ...]) -> None:
    """Simulate a fleet against a broker; `roost sim --help` lists the options."""
    os.execv(sys.executable, [sys.executable, "-m", "roost_agent", "sim", *args])  # noqa: S606 - ourselves
