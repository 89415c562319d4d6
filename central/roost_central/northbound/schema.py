"""The JSON Schemas of what goes out, made from the structs: docs/noc.schema.json.

Readers ignore keys that they do not know, so nothing is forbidden; ``label_<name>`` are texts.
``make schemas`` writes the file, and the page of topics beside it (asyncapi.py).
"""

from pathlib import Path
from typing import Any, Final

import msgspec

from roost_central.alarms.flat import FlatAlarm, FlatIncident, FlatSummary
from roost_central.northbound.noc_head import ToldHead
from roost_central.northbound.noc_log import LoggedAct, LoggedEvent
from roost_central.northbound.noc_tree import SiteState, Status, TenantIncident

FILE: Final = Path(__file__).parents[3] / "docs" / "noc.schema.json"
TYPES: Final = (
    FlatAlarm,
    FlatIncident,
    TenantIncident,
    FlatSummary,
    SiteState,
    Status,
    LoggedEvent,
    LoggedAct,
    ToldHead,
)
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def definitions(ref_template: str) -> dict[str, Any]:
    """Return the schemas by name; ``ref_template`` is how they name each other."""
    _, found = msgspec.json.schema_components(TYPES, ref_template=ref_template)
    named: dict[str, Any] = dict(found)
    alarm = named["FlatAlarm"]
    del alarm["properties"]["labels"]
    alarm["patternProperties"] = {"^label_": {"type": "string"}}
    return named


def document() -> bytes:
    """Return the schemas as one document."""
    named = definitions("#/$defs/{name}")
    whole = {"$schema": DIALECT, "title": "What roost publishes under noc/v1", "$defs": named}
    return msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n"


if __name__ == "__main__":
    FILE.write_bytes(document())
