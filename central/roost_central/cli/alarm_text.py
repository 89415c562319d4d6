"""Alarms and incidents as text: columns of lists, and one of them in full."""

from typing import Any

from roost_central.cli import output, times
from roost_central.cli.options import Asked
from roost_central.cli.output import Column, Row
from roost_central.cli.plain import plain

SEVERITIES = ("critical", "major", "minor", "warning")
LETTERS = {"critical": "C", "major": "M", "minor": "m", "warning": "W"}
BESIDE = ("unknown", "shelved", "masked", "suppressed", "in_incident")
INCIDENT_TAIL = 6  # letters of its end: ids begin alike, for they begin with the time
INCIDENT_CHARS = len("INC-…") + INCIDENT_TAIL
LATE_S_MIN = 30  # longer than a beat: it waited in an outbox


def severity(row: Row) -> str:
    """Return the severity; one whose reporter is silent says so first."""
    word = str(row["severity"])
    return word if row["state"] == "active" else f"{row['state']} (was {word})"


def operator(row: Row) -> str:
    """Return what was done with an alarm, with the age of that."""
    if row.get("shelf"):
        return f"shelved until {row['shelf']['until']}"
    if row.get("ack"):
        stale = ", stale" if row["ack"].get("stale") else ""
        return f"acked {times.age(row['ack'].get('age_s'))}{stale}"
    if row.get("suppressed_by"):
        return "suppressed"
    return "masked" if row.get("masked_by") else "-"


def marked(row: Row) -> str:
    """Return the sentence of an alarm with what is to be known about it."""
    marks = [word for word in ("flapping", "late") if row.get(word)]
    if row["state"] == "unknown":
        marks.append(f"last word {times.age(row.get('as_of_age_s'))} ago")
    return str(row["text"]) + (f" [{', '.join(marks)}]" if marks else "")


def rank(word: str) -> int:
    """Return where a severity stands, the worst first."""
    return SEVERITIES.index(word) if word in SEVERITIES else len(SEVERITIES)


def columns(asked: Asked) -> list[Column]:
    """Return the columns of an alarm list."""
    return [
        Column("SEVERITY", severity, lambda row: row["severity"], whole=True),
        Column("AGE", lambda row: times.age(row["age_s"]), lambda row: row["raised"], right=True),
        Column("WHERE", where, whole=True),
        output.text("TYPE", "type", whole=True),
        output.text("NAME", "name", wide=True),
        Column("TEXT", marked, lambda row: row["text"], prose=True),
        Column("N", _count, lambda row: row["count"], right=True),
        Column("OPERATOR", operator, lambda row: row["op_state"]),
        Column("INCIDENT", _incident, lambda row: row["incident"] or None),
        Column("OWNER", lambda row: row["assignee"] or "-", lambda row: row["assignee"], wide=True),
        output.text("ENTITY", "entity", wide=True),
        output.text("KEY", "key_id", whole=True),
        Column("STATE", lambda row: row["state"], wide=True),
        Column(
            "CHANGED",
            lambda row: asked.clock(row["changed"]),
            lambda row: row["changed"],
            wide=True,
        ),
    ]


def past(asked: Asked) -> list[Column]:
    """Return the columns of a list of what was cleared."""
    return [
        output.text("SEVERITY", "severity"),
        Column("CLEARED", lambda row: asked.clock(row["cleared"]), lambda row: row["cleared"]),
        Column("STOOD", lambda row: times.age(_stood_s(row)), _stood_s, right=True),
        Column("WHERE", where, whole=True),
        output.text("TYPE", "type", whole=True),
        output.text("NAME", "name", wide=True),
        Column("TEXT", marked, lambda row: row["text"], prose=True),
        Column("N", _count, lambda row: row["count"], right=True),
        output.text("ENDED BY", "reason"),
        Column("INCIDENT", _incident, lambda row: row["incident"] or None),
        output.text("ENTITY", "entity", wide=True),
        output.text("KEY", "key_id", whole=True),
    ]


def where(row: Row) -> str:
    """Return what an alarm is about: its node, its site or the centre itself."""
    return str(row["node"] or row["site"] or "centre")


def short(incident: str) -> str:
    """Return an incident as the pages show it: by its end, which the commands take."""
    return incident if len(incident) <= INCIDENT_CHARS else f"INC-…{incident[-INCIDENT_TAIL:]}"


def _incident(row: Row) -> str:
    return short(row["incident"]) if row["incident"] else "-"


def _count(row: Row) -> str:
    """Return how often it was raised; once says nothing."""
    return f"{row['count']:,}" if row["count"] > 1 else "-"


def _stood_s(row: Row) -> float | None:
    raised, cleared = times.seconds(row["raised"]), times.seconds(row["cleared"])
    return None if raised is None or cleared is None else max(cleared - raised, 0.0)


def detail(asked: Asked, found: Row, timeline: list[Row]) -> str:
    """Return one alarm in full: what is wrong, what to do, its causes and what happened."""
    lines = [f"{severity(found)} · {found['name']} {found['type']}", f"  {marked(found)}", ""]
    facts = {
        "where": f"{where(found)} ({found['entity']})",
        "raised": f"{asked.clock(found['raised'])} ({times.age(found['age_s'])} ago)",
        "cleared": found.get("cleared") and f"{asked.clock(found['cleared'])} {found['reason']}",
        "as of": asked.clock(found.get("as_of")),
        "raises": found["count"],
        "operator": operator(found),
        "note": (found.get("ack") or {}).get("note"),
        "owner": found.get("assignee"),
        "ticket": found.get("ticket"),
        "incident": found.get("incident"),
        "parameters": " ".join(f"{k}={v}" for k, v in (found.get("params") or {}).items()),
        "kind": f"{found['event_type']}, {found['cause']}",
        "key": found["key_id"],
    }
    lines += [f"  {name:<11}{plain(str(value))}" for name, value in facts.items() if value]
    if found.get("repair"):
        lines += ["", f"  repair     {found['repair']}"]
    for heading, key in (("may be caused by", "causes"), ("hides", "masks")):
        if found.get(key):
            lines += ["", f"  {heading}"]
            lines += [f"    {row['key_id']} {severity(row)} {row['text']}" for row in found[key]]
    lines += ["", *(f"  {_happened(asked, row)}" for row in timeline)]
    return "".join(f"{plain(line)}\n" for line in lines)


def counts(found: dict[str, Any]) -> str:
    """Return the counts of alarms on one line: severities first, then what hides."""
    parts = [f"{LETTERS[name]} {found[name]:,}" for name in SEVERITIES]
    parts += [f"{found[name]:,} {name.replace('_', ' ')}" for name in BESIDE if found[name]]
    flood = " · FLOOD" if found.get("flood") else ""
    return f"{' · '.join(parts)}{flood}"


def _happened(asked: Asked, row: Row) -> str:
    late = (times.seconds(row["received"]) or 0.0) - (times.seconds(row["at"]) or 0.0)
    parts = [asked.clock(row["at"]), row["event"], row["severity"], row.get("note") or row["text"]]
    if row.get("actor"):
        parts.append(f"by {row['actor']}")
    if late > LATE_S_MIN:
        parts.append(f"(received {times.age(late)} late)")
    return " ".join(str(part) for part in parts if part)
