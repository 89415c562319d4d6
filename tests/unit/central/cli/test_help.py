"""What `--help` says: of each command and of each of its options, in one style."""

import re

import click
import pytest
from click.testing import CliRunner

from roost_central.cli.main import NOUNS, roost

SPAN = {"--ttl", "--for", "--since", "--until", "--step", "--soak", "--wait-for"}  # a time


def commands(command=roost, above=None, path=("roost",)):
    """Yield each command of the tree with its path."""
    yield " ".join(path), command
    context = click.Context(command, info_name=path[-1], parent=above)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), context, (*path, name))


ALL = [
    (path, option)
    for path, command in commands()
    for option in command.params
    if isinstance(option, click.Option)
]


def test_every_option_says_what_it_is_for():
    assert [(path, each.opts) for path, each in ALL if not each.help] == []


def test_what_an_option_says_is_a_sentence_of_its_own():
    ends = (".", "]")  # behind it a default that is no value
    assert [(path, each.help) for path, each in ALL if not each.help.endswith(ends)] == []


def test_an_option_that_may_be_repeated_says_so():
    silent = [
        (path, each.opts) for path, each in ALL if each.multiple and "repeated" not in each.help
    ]
    assert silent == []


def test_a_length_of_time_is_asked_for_as_one():
    wrong = [
        (path, each.opts)
        for path, each in ALL
        if SPAN & {*each.opts} and each.metavar not in {"TIME", "SECONDS"}
    ]
    assert wrong == []


def test_every_command_says_what_it_does_in_a_sentence():
    said = {path: command.get_short_help_str(limit=1_000) for path, command in commands()}
    assert {path: text for path, text in said.items() if not text.endswith((".", ")", ")."))} == {}


def test_help_fits_80_columns_and_cuts_no_sentence():
    lines = [
        (path, line)
        for path, command in commands()
        for line in command.get_help(
            click.Context(command, info_name=path, terminal_width=80)
        ).splitlines()
    ]
    assert [each for each in lines if len(each[1]) > 80] == []
    assert [each for each in lines if re.search(r"[a-z,:;]\.\.\.$", each[1])] == []


@pytest.mark.parametrize("noun", NOUNS)
def test_the_line_of_a_noun_is_how_its_own_help_begins(noun):
    """The list of nouns is written without importing any, so that it stands twice."""
    command = roost.get_command(click.Context(roost), noun)
    own = command.get_short_help_str(limit=1_000)
    assert own.startswith(NOUNS[noun][1].removesuffix("."))


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("sit", "No such command 'sit'. Did you mean 'site'?"),
        ("zebra", "No such command 'zebra'. `roost --help` lists them."),
    ],
)
def test_a_noun_that_is_none_says_which_may_have_been_meant(word, says):
    done = CliRunner().invoke(roost, [word, "list"])
    assert done.exit_code == 2
    assert says in done.output
