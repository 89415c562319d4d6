"""What root runs is read whole before it is trusted: it stays as short as one sitting allows."""

import ast
import io
import tokenize
from pathlib import Path

import roost_agent.helper

LINES_MAX = 600  # of code: without comments, docstrings and blank lines
SKIPPED = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
    tokenize.ENDMARKER,
}  # fmt: skip


def lines_of_code(source):
    """The lines that hold code."""
    docs = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            docs |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    spans = (range(each.start[0], each.end[0] + 1) for each in tokens if each.type not in SKIPPED)
    return {line for span in spans for line in span} - docs


def test_lines_of_code_are_counted_as_a_reader_counts():
    assert lines_of_code('"""Doc."""\n\n# why\nx = (\n    1,\n)\n') == {4, 5, 6}


def test_the_helper_can_be_read_in_one_sitting():
    files = Path(roost_agent.helper.__file__).parent.glob("*.py")
    assert sum(len(lines_of_code(file.read_text())) for file in files) <= LINES_MAX
