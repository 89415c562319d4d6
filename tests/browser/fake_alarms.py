"""Alarms, incidents, shelves and operator load of the fake central, as the REST contract says.

The alarms are invented; filters, counts, conflicts and acts are worked out from them, so that what
a page shows can be compared with ``FakeAlarms``. A test changes them by ``raise_alarm``, ``clear``
and ``incident``; each change reaches the stream as one ``alarms`` event.
"""

import hashlib
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiohttp import web

from roost_central.fleet.query import QueryError, parse

API = "/api/v1"
CHANGED_MAX = 50
SEVERITIES = ("critical", "major", "minor", "warning")
RANK = {name: 4 - index for index, name in enumerate(SEVERITIES)}
HIDING = {"masked", "shelved", "suppressed", "incident", "op"}
TYPES = {
    "100.101": ("node.cpu.high", "cpu", "CPU 96 % used, limit 95", "critical", "Find it."),
    "100.104": ("node.filesystem.high", "fs=/var", "/var 93 % used", "major", "Free some space."),
    "280.801": ("site.path.down", "path=p1", "WAN path p1 lost", "major", "Check the circuit."),
    "200.006": ("host.process.failed", "process=db", "Process db failed", "minor", "Read the log."),
    "750.801": ("app.raised", "app=pump,unit=2", "pump 2 runs dry", "warning", "Ask the plant."),
}  # fmt: skip


def instant(ms: int) -> str:
    """Return RFC 3339 in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def now_ms() -> int:
    """Return UTC in ms."""
    return time.time_ns() // 1_000_000


@dataclass
class Row:
    """One alarm as a query sees it; ``answer`` is what the API says of it."""

    answer: dict
    history: list[dict] = field(default_factory=list)

    def field(self, name: str, key: str | None) -> object:
        """Return a field's value, as fleet/query_match.py asks for it."""
        a = self.answer
        if name == "label":
            return list(a["labels"].values()) if key == "*" else a["labels"].get(key)
        special = {
            "sev": a["severity"], "masked": a["masked_by"] != "", "shelved": a["shelf"] is not None,
            "suppressed": a["suppressed_by"] != "", "op": a["op_state"], "owner": a["assignee"],
            "mgmt": a["mgmt_affecting"], "age": a["raised_ms"], "incident": a["incident"] or None,
        }  # fmt: skip
        return special[name] if name in special else a.get(name)


class FakeAlarms:
    """The alarms of a fake fleet."""

    def __init__(self, sites: list[dict], *, seed: int = 11, hostile: str = "") -> None:
        self.random = random.Random(seed)  # noqa: S311 - a fleet, not a secret
        self.labels = {
            row["site"]: {k[6:]: v for k, v in row.items() if k.startswith("label.") and v}
            for row in sites
        }
        self.status = Counter(row["status"] for row in sites)
        self.seq = 100
        self.rows: dict[str, Row] = {}
        self.closed: list[dict] = []
        self.incidents: dict[str, dict] = {}
        self.shelves: dict[str, dict] = {}
        self.suppressions: dict[str, dict] = {}
        self.changed: dict[str, None] = {}
        self.gone: list[str] = []
        self.acts: list[tuple[str, dict]] = []
        self.asked: list[tuple[str, dict]] = []
        types = list(TYPES)
        for index, site in enumerate(sites[:: max(1, len(sites) // 60)]):
            name = site["site"]
            if name.startswith("<"):
                continue
            self.raise_alarm(types[index % len(types)], name, age_s=90 + 700 * index)
        if hostile:
            self.raise_alarm("750.801", sites[0]["site"], text=hostile, age_s=30)
        self.changed.clear()

    def raise_alarm(
        self,
        type_: str,
        site: str,
        *,
        severity: str = "",
        text: str = "",
        age_s: int = 0,
        **more: object,
    ) -> dict:
        """Raise one alarm; ``more`` overrides fields of its answer."""
        name, rest, said, default, repair = TYPES[type_]
        entity = f"site={site},node=n1,{rest}"
        key_id = hashlib.blake2b(f"{type_}|{entity}".encode(), digest_size=8).hexdigest()
        at = now_ms() - age_s * 1000
        self.seq += 1
        answer = {
            "id": f"01K{self.seq:023d}", "key_id": key_id, "type": type_, "name": name,
            "entity": entity, "site": site, "node": f"{site}.n1", "seq": self.seq,
            "severity": severity or default, "state": "active", "op_state": "none", "isa": "UNACK",
            "flapping": False, "count": 1, "late": False, "text": text or said, "repair": repair,
            "params": {"value": 96, "limit": 95, "unit": "%"}, "event_type": "qos",
            "cause": "threshold-crossed", "service_affecting": False, "mgmt_affecting": True,
            "degrade_affecting": False, "suppressible": True, "latch": False, "raised": instant(at),
            "raised_ms": at, "changed": instant(at), "cleared": None, "received": instant(at + 300),
            "clock": "ok", "reason": "", "as_of": instant(now_ms()), "as_of_age_s": 2.0,
            "ack": None, "shelf": None, "assignee": "", "ticket": "", "notes": 0,
            "masked_by": "", "suppressed_by": "", "incident": "", "explained": None, "impacted": 0,
            "labels": self.labels.get(site, {}), **more,
        }  # fmt: skip
        self.rows[answer["id"]] = Row(answer)
        self._tell(answer, "raise")
        return answer

    def clear(self, alarm: dict, reason: str = "gone") -> None:
        """End an alarm's episode."""
        alarm |= {"state": "cleared", "reason": reason, "cleared": instant(now_ms())}
        self._tell(alarm, "clear")
        row = self.rows.pop(alarm["id"])
        self.changed.pop(alarm["id"], None)
        self.closed.insert(0, row.answer)
        self.gone.append(alarm["id"])

    def incident(self, id_: str, sites: list[str], **more: object) -> dict:
        """Open an incident over alarms of 280.801 at ``sites``, two of them not explained."""
        members = [
            self.raise_alarm("280.801", site, incident=id_, explained=True) for site in sites
        ]
        for row in members[:2]:
            row |= {
                "explained": False,
                "type": "100.101",
                "name": "node.cpu.high",
                "text": "on fire",
            }
        covered = len(members) - 2
        text = "carrier=carB AND region IN r02, r05"
        self.incidents[id_] = {
            "id": id_, "state": "open", "severity": "major", "kind": "types", "type": "280.801",
            "name": "site.path.down", "opened": instant(now_ms() - 60_000), "closed": None,
            "cause": text, "precision": 0.99, "coverage": 0.96,
            "causes": [{"text": text, "terms": {"carrier": ["carB"], "region": ["r02", "r05"]},
                        "precision": 0.99, "covers": covered, "of": covered + 1}],
            "rejected": [{"text": "release=4.2.1", "precision": 0.2, "covers": 11},
                         {"text": "broker=mq2", "precision": 0.21, "covers": 9}],
            "sites": len(members), "covered": covered, "unexplained": 2, "dark": 3, "recovered": 0,
            "not_back": [], "alarms": len(members), "ack": None, "mtta_s": None, "mttr_s": None,
            "notes": [], "seq": self.seq, **more,
        }  # fmt: skip
        return self.incidents[id_]

    def _tell(self, alarm: dict, event: str, actor: str = "", note: str = "") -> None:
        self.seq += 1
        alarm["seq"] = self.seq
        alarm["changed"] = instant(now_ms()) if event != "raise" else alarm["changed"]
        self.changed[alarm["id"]] = None
        self.rows[alarm["id"]].history.insert(
            0,
            {
                "seq": self.seq, "at": alarm["changed"], "received": instant(now_ms()),
                "event": event, "actor": actor, "severity": alarm["severity"],
                "state": alarm["state"], "text": alarm["text"], "note": note,
            },
        )  # fmt: skip

    def counts(self) -> dict:
        """Return the banner's counts."""
        alarms = [row.answer for row in self.rows.values()]
        seen = Counter(a["severity"] for a in alarms if a["state"] == "active" and not hidden(a))
        sites = {name: self.status[name] for name in
                 ("ok", "degraded", "maintenance", "down", "unknown")}  # fmt: skip
        return {
            **{name: seen[name] for name in SEVERITIES},
            "unknown": sum(a["state"] == "unknown" for a in alarms),
            "shelved": sum(a["shelf"] is not None for a in alarms),
            "masked": sum(a["masked_by"] != "" for a in alarms),
            "suppressed": sum(a["suppressed_by"] != "" for a in alarms),
            "in_incident": sum(a["incident"] != "" for a in alarms),
            "incidents": sum(i["state"] == "open" for i in self.incidents.values()),
            "flood": len(alarms) > 150, "sites": sites | {"total": sum(sites.values())},
            "status": "critical" if seen["critical"] else "degraded" if seen["major"] else "ok",
        }  # fmt: skip

    def word(self, since: int) -> dict:
        """Return the ``alarms`` event for a stream that has told everything up to ``since``."""
        changed = [row.answer for row in self.rows.values() if row.answer["seq"] > since]
        told = {"t": now_ms(), "seq": self.seq, "counts": self.counts()}
        told["changed"] = [public(a) for a in changed[:CHANGED_MAX]] if since else []
        return told | {"gone": self.gone[-CHANGED_MAX:], "more": len(changed) > CHANGED_MAX}

    def find(self, text: str, *, with_hidden: bool = False, closed: bool = False) -> list[dict]:
        """Return matching alarms, the worst and newest first.

        Raises:
            QueryError: as the query language's.
        """
        query = parse(text)
        query.require_available("alarm")
        every = with_hidden or any(use.field.name in HIDING for use in query.uses)
        rows = [Row(a) for a in self.closed] if closed else list(self.rows.values())
        now = now_ms()
        found = [r.answer for r in rows if (every or not hidden(r.answer)) and query.match(r, now)]
        return sorted(found, key=lambda a: (-RANK[a["severity"]], -a["raised_ms"]))

    def routes(self) -> list[web.RouteDef]:
        """Return the routes; ``{id}`` is an id or a key_id."""
        acts = [
            web.post(f"{API}/alarms:{verb}", self.act)
            for verb in ("ack", "unack", "note", "assign", "shelve", "unshelve", "clear")
        ]
        return [
            *acts,
            web.get(f"{API}/alarms", self.list),
            web.get(f"{API}/alarms/history", self.list),
            web.get(f"{API}/alarms/summary", self.summary),
            web.get(f"{API}/alarms/load", self.load),
            web.get(f"{API}/alarms/{{id}}", self.show),
            web.get(f"{API}/alarms/{{id}}/timeline", self.timeline),
            web.get(f"{API}/alarm-types", self.types),
            web.get(f"{API}/shelves", self.kept),
            web.get(f"{API}/suppressions", self.kept),
            web.post(f"{API}/suppressions", self.suppress),
            web.delete(f"{API}/shelves/{{id}}", self.end),
            web.delete(f"{API}/suppressions/{{id}}", self.end),
            web.get(f"{API}/incidents", self.list_incidents),
            web.get(f"{API}/incidents/{{id:[^/:]+}}", self.show_incident),
            web.post(f"{API}/incidents/{{id:[^/:]+}}:{{verb}}", self.act_on_incident),
        ]

    async def list(self, request: web.Request) -> web.StreamResponse:
        """Serve a page of matching alarms, or all of them as a file."""
        asked = request.query
        try:
            found = self.find(
                asked.get("filter", ""),
                with_hidden=asked.get("hidden") == "true",
                closed=request.path.endswith("/history"),
            )
        except QueryError as err:
            return problem(400, "bad-filter", err.message)
        sort = asked.get("sort", "")
        self.asked.append((request.path, dict(asked)))
        if sort:
            name = {"raised": "raised_ms", "changed": "seq"}.get(sort.lstrip("-"), sort.lstrip("-"))
            key = (lambda a: RANK[a[name]]) if name == "severity" else (lambda a: a[name])
            found.sort(key=key, reverse=sort.startswith("-"))
        accept = request.headers.get("Accept", "")
        if "ndjson" in accept:
            return web.Response(text="".join(f"{json.dumps(public(a))}\n" for a in found))
        if "csv" in accept:
            lines = ["id,severity,site,text", *(f"{a['id']},{a['severity']},{a['site']},"
                     for a in found)]  # fmt: skip
            return web.Response(text="\r\n".join(lines), content_type="text/csv")
        start, limit = int(asked.get("cursor", 0)), int(asked.get("limit", 200))
        page = {
            "items": [public(a) for a in found[start : start + limit]],
            "next": str(start + limit) if start + limit < len(found) else None,
        }
        return web.json_response(page | ({"count": len(found)} if "count" in asked else {}))

    def _row(self, request: web.Request) -> Row | None:
        name = request.match_info["id"]
        rows = [*self.rows.values(), *map(Row, self.closed)]
        return next((r for r in rows if name in {r.answer["id"], r.answer["key_id"]}), None)

    async def show(self, request: web.Request) -> web.Response:
        """Serve one alarm with its root causes and what it masks."""
        row = self._row(request)
        if row is None:
            return problem(404, "not-found", "no such alarm")
        others = [a for a in self.find("", with_hidden=True) if a["site"] == row.answer["site"]]
        causes = [public(a) for a in others if a is not row.answer][:3]
        notes = [
            {"at": h["at"], "by": h["actor"], "text": h["note"]}
            for h in row.history
            if h["event"] == "note"
        ]
        more = {"causes": causes, "masks": [], "note_list": notes}
        return web.json_response(public(row.answer) | more)

    async def timeline(self, request: web.Request) -> web.Response:
        """Serve what happened to one alarm, newest first."""
        row = self._row(request)
        return web.json_response({"items": row.history if row else [], "next": None})

    async def summary(self, request: web.Request) -> web.Response:
        """Serve the counts."""
        return web.json_response({"counts": self.counts(), "groups": [], "seq": self.seq})

    async def types(self, request: web.Request) -> web.Response:
        """Serve the catalogue."""
        items = [
            {"type": type_, "name": name, "suppressible": True, "retired": "", "repair": repair}
            for type_, (name, _, _, _, repair) in TYPES.items()
        ]
        return web.json_response({"items": items})

    async def act(self, request: web.Request) -> web.Response:
        """Do to all that match what the operator asked, unless their number changed."""
        verb = request.path.rpartition(":")[2]
        body = await request.json()
        if request.headers.get("X-Roost-CSRF") != "1":
            return problem(403, "csrf", "X-Roost-CSRF is missing")
        if "ids" in body:
            wanted = set(body["ids"])
            rows = [r for r in self.rows.values()
                    if {r.answer["id"], r.answer["key_id"]} & wanted]  # fmt: skip
        else:
            found = {a["id"] for a in self.find(body["filter"])}
            rows = [r for r in self.rows.values() if r.answer["id"] in found]
            if body.get("expect_count") != len(rows):
                return problem(
                    409,
                    "conflict",
                    f"{len(rows)} match now",
                    [{"field": "expect_count", "bound": len(rows), "code": "count-differs"}],
                )
        self.acts.append((verb, body))
        results = [self._done(verb, body, row.answer) for row in rows]
        changed = sum(result["outcome"] == "done" for result in results)
        answer = {"matched": len(rows), "changed": changed, "results": results}
        return web.json_response(answer)

    def _done(self, verb: str, body: dict, alarm: dict) -> dict:
        by = {"by": "admin", "at": instant(now_ms()), "age_s": 0.0}
        result = {"id": alarm["id"], "key_id": alarm["key_id"], "outcome": "done", "why": ""}
        if verb == "ack" and alarm["ack"]:
            return result | {"outcome": "unchanged"}
        until = instant(now_ms() + 1000 * body.get("for_s", 7200))
        shelf = {"id": "SH1", "by": "admin", "until": until, "reason": body.get("reason", "")}
        if verb == "clear":
            self.clear(alarm, "operator")
            return result
        alarm |= {
            "ack": {"ack": by | {"note": body.get("note"), "stale": False}, "op_state": "acked"},
            "unack": {"ack": None, "op_state": "none"},
            "note": {"notes": alarm["notes"] + 1},
            "assign": {"assignee": body.get("assignee") or "", "ticket": body.get("ticket") or ""},
            "shelve": {"shelf": shelf, "op_state": "shelved"},
            "unshelve": {"shelf": None, "op_state": "none"},
        }[verb]  # fmt: skip
        self._tell(alarm, verb, "admin", body.get("note") or body.get("text") or "")
        if verb == "shelve":
            self.shelves["SH1"] = shelf | {
                "filter": body.get("filter", ""), "type": "", "at": instant(now_ms()),
                "alarms": sum(r.answer["shelf"] is not None for r in self.rows.values()),
            }  # fmt: skip
        return result

    async def kept(self, request: web.Request) -> web.Response:
        """Serve shelves or suppressions."""
        kept = self.shelves if request.path.endswith("shelves") else self.suppressions
        return web.json_response({"items": list(kept.values())})

    async def suppress(self, request: web.Request) -> web.Response:
        """Switch a type off."""
        body = await request.json()
        id_ = f"SU{len(self.suppressions) + 1}"
        touched = [r.answer for r in self.rows.values() if r.answer["type"] == body["type"]]
        for alarm in touched:
            alarm["suppressed_by"] = id_
            self._tell(alarm, "suppress", "admin", body["reason"])
        self.suppressions[id_] = {
            "id": id_, "type": body["type"], "filter": body.get("filter", ""), "by": "admin",
            "reason": body["reason"], "at": instant(now_ms()), "alarms": len(touched),
            "until": instant(now_ms() + 1000 * body["for_s"]) if "for_s" in body else None,
        }  # fmt: skip
        return web.json_response(self.suppressions[id_], status=201)

    async def end(self, request: web.Request) -> web.Response:
        """End a shelf or a suppression."""
        id_ = request.match_info["id"]
        of_shelf = self.shelves.pop(id_, None)
        of_type = self.suppressions.pop(id_, None)
        if of_shelf is None and of_type is None:
            return problem(404, "not-found", "there is none")
        for alarm in [r.answer for r in self.rows.values()]:
            if (alarm["shelf"] or {}).get("id") == id_:
                alarm |= {"shelf": None, "op_state": "none"}
                self._tell(alarm, "unshelve", "admin")
            if alarm["suppressed_by"] == id_:
                alarm["suppressed_by"] = ""
                self._tell(alarm, "unsuppress", "admin")
        return web.Response(status=204)

    async def list_incidents(self, request: web.Request) -> web.Response:
        """Serve incidents by state."""
        state = request.query.get("state", "open")
        items = [i for i in self.incidents.values() if state in {"all", i["state"]}]
        return web.json_response({"items": items, "next": None})

    async def show_incident(self, request: web.Request) -> web.Response:
        """Serve one incident."""
        found = self.incidents.get(request.match_info["id"])
        return web.json_response(found) if found else problem(404, "not-found", "no such incident")

    async def act_on_incident(self, request: web.Request) -> web.Response:
        """Acknowledge, note on, or close an incident."""
        incident = self.incidents[request.match_info["id"]]
        body = await request.json()
        now = instant(now_ms())
        self.acts.append((f"incident:{request.match_info['verb']}", body))
        match request.match_info["verb"]:
            case "ack":
                incident["ack"] = {"by": "admin", "at": now, "note": body.get("note", "")}
            case "note":
                incident["notes"].append({"at": now, "by": "admin", "text": body["text"]})
            case "split":
                incident["notes"].append({"at": now, "by": "admin", "text": body["filter"]})
            case _:
                incident |= {"state": "closed", "closed": now}
        self.seq += 1
        return web.json_response(incident)

    async def load(self, request: web.Request) -> web.Response:
        """Serve the operator load of some hours."""
        hours = int(request.query.get("hours", 24))
        start = now_ms() // 3_600_000 - hours
        per_hour = [
            {"at": instant(3_600_000 * (start + h)), "count": (h * 7) % 13 + (40 if h == hours - 2
             else 0), "flood": h == hours - 2}
            for h in range(hours)
        ]  # fmt: skip
        return web.json_response(
            {
                "hours": hours, "operators": 2,
                "alarms_per_hour": {"value": 8.4, "good": 6.0, "limit": 12.0, "band": "manageable"},
                "flood_share": {"value": 0.021, "good": 0.01, "limit": 0.02, "band": "overloaded"},
                "priority": {"critical": 0.02, "major": 0.08, "minor": 0.2, "warning": 0.7},
                "stale": 3, "chattering": 2, "fleeting": 11, "mtta_s": 212.0, "mttr_s": 4_410.0,
                "top_types": [{"key": t, "name": TYPES[t][0], "count": 90 - 9 * i}
                              for i, t in enumerate(TYPES)],
                "top_sites": [{"key": s, "name": s, "count": 40 - 3 * i}
                              for i, s in enumerate(list(self.labels)[10:16])],
                "per_hour": per_hour,
            }
        )  # fmt: skip


def hidden(alarm: dict) -> bool:
    """Whether the default list leaves an alarm out."""
    return bool(alarm["masked_by"] or alarm["shelf"] or alarm["suppressed_by"])


def public(alarm: dict) -> dict:
    """Return the contract's fields of an alarm, its ages as of now."""
    shown = {key: value for key, value in alarm.items() if key != "raised_ms"}
    return shown | {"age_s": (now_ms() - alarm["raised_ms"]) / 1000}


def problem(status: int, code: str, detail: str, errors: list[dict] | None = None) -> web.Response:
    """Return an RFC 9457 document."""
    body = {"title": code, "status": status, "detail": detail, "code": code, "errors": errors or []}
    return web.json_response(body, status=status, content_type="application/problem+json")
