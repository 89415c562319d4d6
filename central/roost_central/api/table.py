"""Lists of rows as CSV and as chosen fields: columns are read off the answer types.

CSV is opened by spreadsheets, so a cell that a spreadsheet would run as a formula is made text, and
control characters are made visible (OWASP, CSV injection). NDJSON and JSON need neither.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.fleet.query_suggest import closest

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
LABEL_COLUMNS_MAX: Final = 64  # the same bound as the snapshot's
_VISIBLE: Final = {
    **{code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))},
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


def cell(value: object) -> str:
    """Return a value as the text of a CSV cell that nothing runs."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    visible = text.translate(_VISIBLE)
    return f"'{visible}" if text.startswith(FORMULA_STARTS) else visible


def cells(values: Iterable[object]) -> bytes:
    """Return values as a line of CSV that nothing runs."""
    return _line(values).encode()


def choose_fields(text: str, answer: type[msgspec.Struct]) -> tuple[str, ...]:
    """Return the fields named in ``fields=a,b``, all of the answer when it is empty.

    Raises:
        ApiError: ``bad-parameter``, naming the unknown field and the one that was meant.
    """
    known = answer.__struct_fields__
    if not text:
        return known
    chosen = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in chosen:
        if name not in known:
            raise unknown_name("fields", name, known)
    return chosen


def unknown_name(parameter: str, name: str, known: Sequence[str]) -> ApiError:
    """Return the refusal of a name that is not among the known ones."""
    return blame(
        "bad-parameter",
        FieldError(
            field=parameter,
            code="unknown-field",
            detail=f"{name[:80]!r} is not one of {', '.join(known)}",
            bound=", ".join(known),
            suggestion=closest(name[:80], known),
        ),
    )


def picked(answer: msgspec.Struct, fields: Sequence[str]) -> msgspec.Struct | dict[str, object]:
    """Return the answer itself when all its fields are wanted, else the wanted ones."""
    if len(fields) == len(answer.__struct_fields__):
        return answer
    return {name: getattr(answer, name) for name in fields}


class CsvWriter:
    """Turns answers into CSV lines; the first line names the columns.

    A nested answer gives one column for each of its fields, labels one for each key in use, and
    lists one cell of JSON.
    """

    def __init__(
        self, answer: type[msgspec.Struct], fields: Sequence[str], label_keys: Iterable[str]
    ) -> None:
        self._columns: list[tuple[str, str | None]] = []
        header: list[str] = []
        keys = sorted(label_keys)[:LABEL_COLUMNS_MAX]
        types = {field.name: field.type for field in msgspec.structs.fields(answer)}
        for name in fields:
            inner = types[name]
            if name == "labels":
                parts: Sequence[str] = keys
                header += [f"label.{key}" for key in keys]
            elif isinstance(inner, type) and issubclass(inner, msgspec.Struct):
                parts = inner.__struct_fields__
                header += [f"{name}.{part}" for part in parts]
            else:
                self._columns.append((name, None))
                header.append(name)
                continue
            self._columns += [(name, part) for part in parts]
        self.header = _line(header)

    def line(self, answer: msgspec.Struct) -> str:
        """Return one answer as a line with its end."""
        return _line(self._value(answer, name, part) for name, part in self._columns)

    @staticmethod
    def _value(answer: msgspec.Struct, name: str, part: str | None) -> object:
        value: object = getattr(answer, name)
        if part is None:
            return value
        return value.get(part) if isinstance(value, Mapping) else getattr(value, part)


def _line(values: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([cell(value) for value in values])
    return out.getvalue()
