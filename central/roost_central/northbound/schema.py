"""The JSON Schemas of what goes out, made from the structs; run it to write docs/noc.schema.json.

Readers ignore keys that they do not know, so nothing is forbidden; ``label_<name>`` are texts.
"""

from pathlib import Path
from typing import Any, Final

import msgspec

from roost_central.alarms.flat import FlatAlarm, FlatIncident, FlatSummary
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
)
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def document() -> bytes:
    """Return the schemas as one document."""
    _, found = msgspec.json.schema_components(TYPES, ref_template="#/$defs/{name}")
    definitions: dict[str, Any] = dict(found)
    alarm = definitions["FlatAlarm"]
    del alarm["properties"]["labels"]
    alarm["patternProperties"] = {"^label_": {"type": "string"}}
    whole = {"$schema": DIALECT, "title": "What roost publishes under noc/v1", "$defs": definitions}
    return msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n"


if __name__ == "__main__":
    FILE.write_bytes(document())
