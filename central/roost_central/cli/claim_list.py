"""A list of serial numbers or keys, as spreadsheets write it: CSV, and where each row stands."""

import csv
import re
from dataclasses import dataclass
from typing import Final

import click

from roost_central.cli.failure import ApiError, RefusedError

COLUMNS: Final = ("serial", "key", "site", "node")
ROWS_MAX: Final = 2_000  # of one import, which is all or nothing
BYTES_MAX: Final = 1 << 20  # such a row has 200 bytes at most
SEPARATORS: Final = ";\t"  # that spreadsheets take instead of a comma, by country
_CLAIM: Final = re.compile(r"claims\[(\d+)\][.:]? ?")


@dataclass(frozen=True, slots=True)
class ClaimList:
    """Rows by column, and the line of the file where each stands."""

    file: str
    rows: list[dict[str, str]]
    lines: list[int]

    def blame(self, err: ApiError) -> None:
        """Have a refusal of the centre name lines of the file."""
        err.detail = self._placed(err.detail)
        for each in err.errors:
            each["field"] = self._placed(str(each.get("field") or ""))
            each["detail"] = self._placed(str(each.get("detail") or ""))

    def _placed(self, text: str) -> str:
        def line(found: re.Match[str]) -> str:
            number = int(found[1])
            is_known = number < len(self.lines)
            return f"{self.file} line {self.lines[number]}: " if is_known else found[0]

        return _CLAIM.sub(line, text)


def read(file: str) -> ClaimList:
    """Return the list in a file; ``-`` is standard input.

    Raises:
        RefusedError: it is none; says where, and what to do.
    """
    lines = _text(file).splitlines()
    head = lines[0] if lines else ""
    separator = next((each for each in SEPARATORS if each in head), ",")
    reader = csv.reader(lines, delimiter=separator, strict=True)
    found = ClaimList(file, [], [])
    try:
        columns = _columns(file, next(reader, []))
        for cells in reader:
            row = _row(f"{file} line {reader.line_num}", columns, cells)
            if not row:
                continue
            if row in found.rows:
                before = found.lines[found.rows.index(row)]
                raise RefusedError(f"{file} line {reader.line_num}: line {before} once more")
            found.rows.append(row)
            found.lines.append(reader.line_num)
            if len(found.rows) > ROWS_MAX:
                raise RefusedError(f"{file}: more than {ROWS_MAX} rows: split it")
    except csv.Error as err:
        raise RefusedError(f"{file} line {reader.line_num}: {err}") from err
    if not found.rows:
        raise RefusedError(f"{file}: no rows below the line that names the columns")
    return found


def _text(file: str) -> str:
    with click.open_file(file, "rb") as source:
        raw: bytes = source.read(BYTES_MAX + 1)
    if len(raw) > BYTES_MAX:
        raise RefusedError(f"{file}: more than {BYTES_MAX} bytes: split it")
    try:
        return raw.decode("utf-8-sig")  # spreadsheets begin with a mark
    except UnicodeDecodeError as err:
        line = raw[: err.start].count(b"\n") + 1
        raise RefusedError(f"{file} line {line}: not UTF-8: save it as `CSV UTF-8`") from err


def _columns(file: str, cells: list[str]) -> list[str]:
    columns = [cell.strip().lower() for cell in cells]
    for name in columns:
        if name not in COLUMNS or columns.count(name) > 1:
            known = ", ".join(COLUMNS)
            raise RefusedError(f"{file}: column {name!r}: the first line names {known}, each once")
    return columns


def _row(where: str, columns: list[str], cells: list[str]) -> dict[str, str]:
    if len(cells) > len(columns):
        more = len(cells) - len(columns)
        raise RefusedError(f"{where}: {more} more than the {len(columns)} columns named above")
    texts = zip(columns, (cell.strip() for cell in cells), strict=False)
    return {name: text for name, text in texts if text}
