"""Commands that pages, messages and help name: each program's own parser takes them.

Decision records and the change log tell what was; they may name what is gone.
"""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))

from written_commands import fault, said, written  # noqa: E402 - found there

PAGES = [*(each for each in ROOT.glob("*.md") if each.stem != "CHANGELOG"), *ROOT.glob("docs/*.md")]
SOURCES = [
    file for folder in ("agent", "central", "protocol") for file in (ROOT / folder).rglob("*.py")
]
COMMANDS_LEAST = 400  # of the pages; fewer: they are not found any more


def faults(commands):
    """Return what is wrong with each of these commands, each told once."""
    return [
        f"{' '.join(each.words)}: {told}" for each in sorted({*commands}) if (told := fault(each))
    ]


def test_every_command_of_a_page_is_one_that_its_program_takes():
    commands = [command for page in PAGES for command in written(page.read_text())]
    assert len(commands) >= COMMANDS_LEAST
    assert faults(commands) == []


def test_every_command_that_a_message_or_a_help_names_is_one_that_its_program_takes():
    assert faults(command for file in SOURCES for command in said(file.read_text())) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("`roost node shaw lab.n1`", "No such command 'shaw'. Did you mean 'show'?"),
        ("`roost site list --quuery x`", "No such option '--quuery'."),
        ("```\nroost node show   # which?\n```", "Missing argument 'NODE'."),
        ("`roost-agent host lick|lock`", "'lick'"),
        ("`roost-agent verify commit --jib 1`", "--jib: no such option"),
        ("`roost-central check-config --json`", "unrecognized arguments: --json"),
        ("```\necho x | roost nude list; ls\n```", "No such command 'nude'"),
        ("`roost-guard --leash-ms 5`", "--leash-ms: unknown option"),
        ("`roost-gurad --leash-ms 5`", "there is no program roost-gurad"),
    ],
)
def test_a_wrong_command_is_found(text, told):
    (found,) = faults(written(text))
    assert told in found


@pytest.mark.parametrize(
    "text",
    [
        "`roost node show`",  # a command's name, in a sentence
        "`roost [-c CENTRE] node desired NODE [--generation N]`",
        "```\nrunuser -u roost-central -- roost-central token\n```",
        "`roost host lock|unlock <node> -m TEXT`",
        "`ls /var/lib/roost status`",
    ],
)
def test_a_right_command_is_let_be(text):
    assert faults(written(text)) == []
