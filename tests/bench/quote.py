"""Writes the figures of build/bench.json into the README: the second cell of each row with a key.

Rows of figures that were not measured stay as they are, and are named.
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from figure import shown

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^(\| [^|]*\(`([a-z]+\.[a-z0-9_]+)`\) \|)[^|]*\|", re.MULTILINE)


def quoted(page: str, figures: Mapping[str, Mapping[str, object]]) -> tuple[str, list[str]]:
    """Return the page with the figures in it, and the keys of rows for which there is none."""
    absent: list[str] = []

    def cell(row: re.Match[str]) -> str:
        figure = figures.get(row[2])
        if figure is None:
            absent.append(row[2])
            return row[0]
        value = f"{shown(figure)} {figure['unit']}".strip()
        return f"{row[1]} {value} |"

    return ROW.sub(cell, page), absent


def main() -> int:
    """Rewrite the README."""
    document = json.loads((ROOT / "build/bench.json").read_text())
    page, absent = quoted((ROOT / "README.md").read_text(), document["figures"])
    (ROOT / "README.md").write_text(page)
    if absent:
        print(f"not measured, left as they are: {', '.join(absent)}", file=sys.stderr)
    print(f"quoted the figures of {document['meta']['commit']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
