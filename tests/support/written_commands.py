"""The commands that a text names, and what a program's parser says to each of them.

A command stands in a block of code, or between backticks; what follows a pipe or a semicolon is a
command of its own. `[--option]` may be left out, `on|off` is one of the two, and what is in angle
brackets, in capitals or an ellipsis stands for a word. No command is run: parsers alone are asked.
"""

import argparse
import contextlib
import importlib
import io
import itertools
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import click
import pytest

from roost_agent import __main__ as agent
from roost_agent import options as option_words
from roost_agent import verify
from roost_agent.guard.__main__ import options as guard_options
from roost_central.__main__ import main as central
from roost_central.cli.main import roost

PROGRAMS = {  # name -> its entry, for those that argparse reads
    "roost-agent": agent.command,
    "roost-central": central,
    "roost-config": "roost_agent.config_apply.__main__",
    "roost-helper": "roost_agent.helper.__main__",
    "roost-install": "roost_agent.install.__main__",
    "roost-listen": "roost_agent.listener.__main__",
}
BLOCK = re.compile(r"^ *```[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`]+)`")
SAID = re.compile(r"`(roost[ -][^`]+)`")
JOINT = re.compile(r"""["']\s*\n\s*f?["']""")  # of a text that goes on in the next line
COMMENT = re.compile(r"(^|\s+)#\s.*")
PLACE = re.compile(r"<[a-z][^<>]*>|…|\.\.\.")
MORE = re.compile(r"\s*(…|\.\.\.)$")  # words that the reader sees before him
STANDS_FOR = re.compile(r"[A-Z][A-Z_0-9.:/-]*|WORD.*")
EITHER = "\x01"  # for the bar of on|off while the bars of pipes are looked for
PARTIAL = "required", "Missing ", "expected ", "requires an argument", "needs a value", "needs --"
PARTIAL += "verify what", "names, each once"


class Written(NamedTuple):
    """One command as it is written."""

    words: tuple[str, ...]
    is_whole: bool  # of a block of code: it is to be typed as it stands


class Parsed(Exception):  # noqa: N818 - it is no fault
    """A parser took the words."""


def written(text: str) -> Iterator[Written]:
    """Yield each command of roost's programs that a page of Markdown names."""
    for block in BLOCK.finditer(text):
        for line in re.sub(r"\\\n\s*", " ", block[1]).splitlines():
            yield from _of_line(COMMENT.sub("", line), is_whole=True)
    for span in SPAN.finditer(BLOCK.sub("", text)):
        if "\\n" not in span[1]:  # that is what is signed, no command
            yield from _of_line(" ".join(span[1].split()), is_whole=False)


def said(source: str) -> Iterator[Written]:
    """Yield each command between backticks that a source names, in what it says or explains."""
    for span in SAID.finditer(JOINT.sub("", source)):
        yield from _of_line(
            re.sub(r"\{[^{}]*\}", "WORD", " ".join(span[1].split())), is_whole=False
        )


def _of_line(line: str, *, is_whole: bool) -> Iterator[Written]:
    line = MORE.sub("", line)
    line = PLACE.sub("WORD", line).replace(r"\|", "|")
    line = re.sub(r"(?<=\w)\|(?=[\w-])", EITHER, line)
    line = re.sub(r"(?<!\S)\[+(?=[\w-])|(?<=\w)\]+(?!\S)", "", line)
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";|&<>()")
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        words = list(lexer)
    except ValueError:
        return  # a line of something else: an apostrophe in a listing
    for is_cut, group in itertools.groupby(words, lambda word: not word.strip(";|&<>()")):
        left = list(group)
        starts = [place for place, word in enumerate(left) if re.fullmatch(r"roost(-\w+)?", word)]
        if left[:2] in (["runuser", "-u"], ["sudo", "-u"]):
            starts = [place for place in starts if left[place - 1] in {"--", left[2]}][-1:]
        if is_cut or not starts or not _begins(left[: starts[0]]) or len(left) == starts[0] + 1:
            continue  # a program's name alone is no command
        choices = [word.split(EITHER) for word in left[starts[0] :]]
        for words_of_one in itertools.product(*choices):
            yield Written(words_of_one, is_whole)


def _begins(before: list[str]) -> bool:
    """Whether what stands before a program's name lets it be one that is run."""
    return not before or before[0] in {"$", "sudo", "runuser", "time"} or "=" in before[0]


def fault(command: Written) -> str:
    """Return what the program's parser has against it; empty: nothing.

    A command between backticks may be the name of one, without what it needs.
    """
    name, *words = command.words
    with contextlib.redirect_stdout(io.StringIO()):
        told = _of_click(words) if name == "roost" else _of_argparse(name, words)
    if not told or (not command.is_whole and any(each in told for each in PARTIAL)):
        return ""
    if "does not exist" in told:  # a file that the reader has
        return ""
    if any(each in told for each in PARTIAL):
        return told
    named = re.findall(r"'([^' ]+)'|--[\w-]+ (\S+):", told)
    return "" if any(STANDS_FOR.fullmatch(one or two) for one, two in named) else told


def _of_click(words: list[str]) -> str:
    command: click.Command = roost
    above = None
    try:
        while True:
            context = command.make_context(command.name, list(words), parent=above)
            left = [*context._protected_args, *context.args]
            if not isinstance(command, click.Group) or not left:
                return ""
            _, found, words = command.resolve_command(context, left)
            assert found is not None
            command, above = found, context
    except (click.exceptions.Exit, click.exceptions.NoArgsIsHelpError):
        return ""
    except click.ClickException as err:
        return err.format_message()


def _of_argparse(name: str, words: list[str]) -> str:
    if name == "roost-guard":
        return _refused(guard_options, words)
    if name not in PROGRAMS:
        return f"there is no program {name}"
    entry = PROGRAMS[name]
    run = importlib.import_module(entry).command if isinstance(entry, str) else entry
    with _parsers_alone():
        return _refused(run, words)


def _refused(run: Callable[[list[str]], object], words: list[str]) -> str:
    with contextlib.redirect_stderr(io.StringIO()) as told:
        try:
            run(words)
        except (Parsed, SystemExit, option_words.HelpAsked):
            return ""
        except ValueError as err:
            return str(err)
    return told.getvalue()


@contextlib.contextmanager
def _parsers_alone() -> Iterator[None]:
    """Have each parser end the program: with what it has against its words, or without a word."""
    taken = argparse.ArgumentParser.parse_args

    def parse(*words: object) -> None:
        taken(*words)
        raise Parsed

    def refuse(parser: argparse.ArgumentParser, message: str) -> None:
        raise ValueError(f"{parser.prog}: {message}")

    def pick(argv: list[str], known: Mapping[str, str], usage: str) -> None:
        option_words.options(argv, known, usage)
        raise Parsed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", parse)
        patch.setattr(argparse.ArgumentParser, "error", refuse)
        for name in {module for module, _ in agent.COMMANDS.values()} | {
            verify.OTHERS,
            *verify.MODES.values(),
        }:
            module = importlib.import_module(name)
            if hasattr(module, "options"):
                patch.setattr(module, "options", pick)
        yield
