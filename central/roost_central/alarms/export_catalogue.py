"""Writes the catalogue where others read it: catalogue.json for agents, docs/alarm-types.md.

Run ``make catalogue`` after each change of catalogue.yaml; a test fails when a written file
differs.
"""

from pathlib import Path
from typing import Final

from roost_central.alarms.catalogue import NEVER, Catalogue, Record
from roost_central.alarms.catalogue_file import shipped
from roost_protocol.catalogue import encode_catalogue
from roost_protocol.severity import Severity

JSON: Final = Path("protocol/roost_protocol/catalogue.json")
PAGE: Final = Path("docs/alarm-types.md")

_HEAD: Final = """\
# Alarm types

Made from `central/roost_central/alarms/catalogue.yaml` by `make catalogue`. C critical, M major,
m minor, w warning; the severity in bold is the default. *M* and *D*: the lowest severity that stops
a rollout, and that degrades the host. A type in brackets is not raised yet.

| id | name, entity | severity | M/D | text | repair |
|---|---|---|---|---|---|
"""
_LETTERS: Final = {"critical": "C", "major": "M", "minor": "m", "warning": "w", "*": "any"}


def markdown(catalogue: Catalogue) -> str:
    """Return docs/alarm-types.md."""
    return _HEAD + "".join(_row(record) for record in catalogue.values())


def main() -> None:
    """Write both files below the working directory."""
    catalogue = shipped()
    JSON.write_bytes(encode_catalogue(catalogue.for_agents()))
    PAGE.write_text(markdown(catalogue), encoding="utf-8")


def _row(record: Record) -> str:
    id_ = f"({record.id})" if record.not_yet else record.id
    entity = ",".join(f"`{kind}`" for kind in record.entity)
    texts = " / ".join(dict.fromkeys(text for text in record.severities.values() if text))
    cells = (
        id_,
        f"{record.name} {entity}".strip() + (" (event)" if record.event else ""),
        " ".join(_severity(record, word) for word in record.severities),
        f"{_letter(record.mgmt_affecting)}/{_letter(record.degrade_affecting)}",
        texts or "the application's own",
        record.repair,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _severity(record: Record, word: str) -> str:
    limit = record.limits.get(word)
    shown = _LETTERS[word] + ("" if limit is None else f" >= {limit:g} {record.unit}")
    return f"**{shown}**" if word == record.default.word else shown


def _letter(threshold: int) -> str:
    return "-" if threshold == NEVER else _LETTERS[Severity(threshold).word]


if __name__ == "__main__":
    main()
