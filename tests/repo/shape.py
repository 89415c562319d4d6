"""Lists what outgrew the guide of CONTRIBUTING.md in size: a question, never a failure."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILE_LINES = (150, 400)  # what we aim at; what review asks about
FUNCTION_LINES = (25, 60)


def functions(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Each function's name and length in lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{node.lineno}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def measure() -> Iterator[tuple[int, str, tuple[int, int]]]:
    """(lines, where, guide) of every file and function of the product and its tests."""
    for top in ("agent", "central", "protocol", "packaging", "tests"):
        for file in sorted((ROOT / top).rglob("*.py")):
            text = file.read_text()
            name = str(file.relative_to(ROOT))
            yield len(text.splitlines()), name, FILE_LINES
            for function, lines in functions(ast.parse(text)):
                yield lines, f"{name}:{function}", FUNCTION_LINES


def main() -> None:
    """Print what passes the guide, longest first; `!` marks what passes the limit."""
    for kind, guide in (("files", FILE_LINES), ("functions", FUNCTION_LINES)):
        found = sorted((e for e in measure() if e[2] == guide and e[0] > guide[0]), reverse=True)
        print(f"{kind} above {guide[0]} lines: {len(found)} (! above {guide[1]})")
        for lines, where, _ in found:
            print(f"  {'!' if lines > guide[1] else ' '} {lines:4}  {where}")


if __name__ == "__main__":
    main()
