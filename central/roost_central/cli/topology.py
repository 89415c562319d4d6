"""A site's topology as text: a row for each cable, and in a sentence who tells none."""

from typing import Any

from roost_central.cli import output, times
from roost_central.cli.output import Column
from roost_central.cli.plain import plain


def render(found: dict[str, Any], form: str) -> str:
    """Return the cables of an answer; empty: there is none, and ``said`` says so."""
    if form in {"table", "wide"} and not found["cables"]:
        return ""
    devices = {device["device"]: device for device in found["devices"]}
    ages = {node["node"]: node for node in found["nodes"]}
    rows = [
        {
            **cable,
            "device_name": devices.get(cable["peer"], {}).get("name", ""),
            "as_of": ages[cable["node"]]["as_of"],
            "age_s": ages[cable["node"]]["age_s"],
        }
        for cable in found["cables"]
    ]
    return output.render(rows, COLUMNS, form, name="node")


def said(found: dict[str, Any]) -> str:
    """Return what people have to know besides the cables, empty or a sentence."""
    silent = [f"{node['node']} ({node['missing']})" for node in found["nodes"] if node["missing"]]
    none = "" if found["cables"] else f"no node of {found['site']} heard a neighbour by LLDP. "
    told = f"Tells no neighbours: {', '.join(silent)}" if silent else ""
    return plain(f"{none}{told}".strip())


def _peer(row: output.Row) -> str:
    return str(row["device_name"] or row["peer"])


def _vlans(row: output.Row) -> str:
    own = [] if row["pvid"] is None else [f"{row['pvid']}u"]
    named = [each.partition(" ")[0] for each in row["vlans"]]
    return ",".join([*own, *(each for each in named if each != str(row["pvid"]))]) or "-"


COLUMNS = [
    output.text("NODE", "node"),
    output.text("PORT", "port"),
    output.number("MBIT/S", "speed_mbps"),
    Column("TO", _peer),
    output.text("ITS PORT", "peer_port"),
    Column("VLANS", _vlans),
    output.text("TOLD BY", "told_by"),
    Column("AGE", lambda row: times.age(row["age_s"]), lambda row: row["as_of"], right=True),
    output.text("KIND", "peer_kind", wide=True),
    output.text("CHASSIS", "peer", wide=True),
    output.text("DESCRIPTION", "peer_port_description", wide=True),
]
