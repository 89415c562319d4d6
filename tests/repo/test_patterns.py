r"""Patterns of messages and files hold for a whole text: ``$`` alone lets a line's end through."""

import ast
import re
from pathlib import Path

import pytest

from roost_protocol.patterns import END, NO_CONTROLS, ONE_LINE

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    file for top in ("protocol", "central", "agent") for file in (ROOT / top).rglob("*.py")
)


def loose(source):
    """Return the patterns that end with a bare ``$``, but those that we compile ourselves."""
    tree = ast.parse(source)
    compiled = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile"
        for inner in ast.walk(node)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in compiled
        and re.search(r"^\^.*[^\\]\$$", node.value, re.DOTALL)
    ]


@pytest.mark.parametrize("file", SOURCES, ids=lambda each: str(each.relative_to(ROOT)))
def test_no_pattern_takes_a_line_end_at_the_end(file):
    assert loose(file.read_text()) == []


def test_a_loose_one_is_found():
    assert loose('Meta(pattern=r"^[a-z]+$")') == ["^[a-z]+$"]
    assert loose('A = r"^[a-z]+" + END') == []


@pytest.mark.parametrize("pattern", [f"^[a-z]*{END}", NO_CONTROLS, ONE_LINE])
@pytest.mark.parametrize("text", ["x\n", "\n", "x\ny", "\x1b[31m"])
def test_what_is_shared_takes_no_line_end_and_no_control_character(pattern, text):
    assert re.search(pattern, text) is None
    assert re.search(pattern, "x")
