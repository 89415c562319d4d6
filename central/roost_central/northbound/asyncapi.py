"""The topics of the NOC's broker as an AsyncAPI document: docs/noc.asyncapi.json.

Made from the functions that make the topics and the structs of the payloads; ``make schemas``
writes it. Below the other roots the same topics are there again, which the description says.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from roost_central.northbound import noc_head, noc_tree, schema
from roost_central.northbound.config import NOC_PORT
from roost_central.northbound.noc_log import AUDIT, WORDS
from roost_central.northbound.noc_tree import COLLAPSED, NO_SITE, ROOT, TENANTS, VALUES

FILE: Final = Path(__file__).parents[3] / "docs" / "noc.asyncapi.json"
QOS: Final = 1
BINDING: Final = "0.2.0"  # of AsyncAPI's MQTT bindings

_PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "site": {"description": f"Name of the site; {NO_SITE} for what belongs to none."},
    "type": {"description": "Type of the alarm in the catalogue, GGG.EEE."},
    "key_id": {"description": "Identity of the alarm, of its type and entity."},
    "incident": {"description": "Identity of the incident."},
    "tenant": {"description": "Name of the tenant in the configuration."},
    "name": {"description": "Which number.", "enum": list(VALUES)},
    "severity": {
        "description": "Of the alarm; the end of one is cleared.",
        "enum": ["cleared", "warning", "minor", "major", "critical"],
    },
    "word": {
        "description": "What the event is about.",
        "enum": sorted({word for _, word in WORDS}),
    },
}


@dataclass(frozen=True, slots=True)
class Channel:
    """One topic; ``payload`` is the name of its schema."""

    name: str
    address: str
    payload: str
    words: str
    retain: bool = True


CHANNELS: Final = (
    Channel("status", noc_tree.STATUS, "Status", "Whether the feed lives; also the will."),
    Channel("summary", noc_tree.SUMMARY, "FlatSummary", "Counts, at most one in 5 s."),
    Channel("site", noc_tree.site_topic("{site}"), "SiteState", "A site as it is."),
    Channel(
        "value", noc_tree.value_topic("{site}", "{name}"), "Value", "One number, if asked for."
    ),
    Channel(
        "alarm",
        noc_tree.alarm_place("{site}", "{type}", "{key_id}"),
        "FlatAlarm",
        "An open alarm; cleared, then emptied after a minute.",
    ),
    Channel(
        "incident",
        noc_tree.incident_topic("{incident}"),
        "FlatIncident",
        "An incident; closed, then emptied after a minute.",
    ),
    Channel(
        "tenantIncident",
        noc_tree.incident_topic("{incident}", f"{TENANTS}/{{tenant}}"),
        "TenantIncident",
        "An incident as far as it hits a tenant's own sites.",
    ),
    Channel(
        "transition",
        f"{ROOT}/event/alarm/{{severity}}/{{site}}/{{type}}",
        "FlatAlarm",
        "Every step in the life of an alarm.",
        retain=False,
    ),
    Channel(
        "event",
        f"{ROOT}/event/{{word}}/{{site}}",
        "LoggedEvent",
        "The event log, without transitions of alarms.",
        retain=False,
    ),
    Channel(
        "act", f"{ROOT}/event/{AUDIT}/{NO_SITE}", "LoggedAct", "Acts of operators.", retain=False
    ),
    Channel(
        "auditHead",
        noc_head.TOPIC,
        "ToldHead",
        "Where the audit log ends: a minute or 1,000 rows old at most.",
    ),
)


def document() -> bytes:
    """Return the document."""
    schemas = schema.definitions("#/components/schemas/{name}")
    schemas["Value"] = {"title": "Value", "type": "integer"}
    names = dict.fromkeys(channel.payload for channel in CHANNELS)
    whole = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "What roost tells a NOC over MQTT",
            "version": "1",
            "description": (
                f"Everything below {ROOT} but {noc_tree.STATUS} is there again below {COLLAPSED}, "
                f"without the members of incidents, and below {TENANTS}/NAME, over one tenant's "
                "sites and without acts. Readers ignore keys that they do not know. An empty "
                "payload on a retained topic: what was there is gone."
            ),
        },
        "defaultContentType": "application/json",
        "servers": {
            "noc": {
                "host": f"127.0.0.1:{NOC_PORT}",
                "protocol": "mqtt",
                "protocolVersion": "5",
                "description": "MQTT 3.1.1 reads the same payloads.",
                "security": [{"type": "userPassword"}],
            }
        },
        "channels": {channel.name: _channel(channel) for channel in CHANNELS},
        "operations": {f"tell-{channel.name}": _operation(channel) for channel in CHANNELS},
        "components": {
            "messages": {
                name: {"payload": {"$ref": f"#/components/schemas/{name}"}} for name in names
            },
            "schemas": {name: schemas[name] for name in names},
        },
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n"


def _channel(channel: Channel) -> dict[str, Any]:
    parameters = {
        name: told for name, told in _PARAMETERS.items() if f"{{{name}}}" in channel.address
    }
    found = {
        "address": channel.address,
        "description": channel.words,
        "messages": {channel.payload: {"$ref": f"#/components/messages/{channel.payload}"}},
    }
    return found | ({"parameters": parameters} if parameters else {})


def _operation(channel: Channel) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "bindings": {
            "mqtt": {"qos": QOS, "retain": channel.retain, "bindingVersion": BINDING},
        },
    }


if __name__ == "__main__":
    FILE.write_bytes(document())
