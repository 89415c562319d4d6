"""A centre for the command to ask: a fake, with hostile strings in it. The real one is asked by
tests/integration."""

import http.server
import json
import threading
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

from roost_central.cli.failure import report_failure
from roost_central.cli.main import roost

HOSTILE = "=cmd|' /C calc'!A0\x1b[31m\x00<b>\u202e"
ISO = "2026-11-22T10:00:00.000Z"
COUNTS = {"online": 2, "degraded": 0, "unreachable": 1, "unknown": 0, "total": 3}
SITES = [
    {
        "site": f"edge-{n}", "status": "degraded", "status_since": ISO,
        "labels": {"region": HOSTILE}, "lat": None, "lon": None, "shard": n, "nodes": COUNTS,
        "heard": ISO, "age_s": 4.25, "via": "wan1", "redundancy": "lost",
        "revision": 3, "managed": n != 1, "managed_since": ISO, "managed_why": HOSTILE,
        "availability": "online", "sync": {"inventory": "in-sync", "time": "unknown"},
    }
    for n in range(5)
]  # fmt: skip
PATHS = [
    {"path": "wan1", "kind": "wan", "state": "up", "rtt_us": 1500, "loss_permille": 0, "since": ISO,
     "heard": ISO, "age_s": 4.0},
    {"path": "lan-a", "kind": "site", "state": "down", "rtt_us": None, "loss_permille": 1000,
     "since": ISO, "heard": None, "age_s": None},
]  # fmt: skip
NODE = {
    "node": "edge-0.n1", "site": "edge-0", "name": "n1", "presence": "degraded",
    "presence_since": ISO, "heard": ISO, "age_s": 4.0, "via": "wan1", "agent": HOSTILE,
    "boot_id": "00", "incarnation": 7, "uptime_s": 90061, "interval_s": 30, "clock_skew_ms": 3,
    "paths": PATHS,
    "outbox": {"bulk": {"waiting_items": 2, "waiting_bytes": 900, "dropped": 0}},
    "inventory": {"gen": 3, "digest": "00", "as_of": ISO, "age_s": 60.0, "behind": False},
}  # fmt: skip
INVENTORY = {
    "node": "edge-0.n1", "gen": 3, "digest": "00", "as_of": ISO, "age_s": 60.0, "behind": True,
    "sections": {
        "system": {"as_of": ISO, "cost_ms": 1, "digest": "00",
                   "items": {"system": {"product_name": HOSTILE, "product_serial": None}},
                   "missing": {"system.product_serial": "denied"}},
        "dimm": {"as_of": ISO, "cost_ms": 1, "digest": "00", "items": {},
                 "missing": {"*": "absent"}},
    },
}  # fmt: skip
CHANGES = [
    {"at": ISO, "gen": 2, "section": section, "item": item, "field": field, "old": old, "new": new}
    for section, item, field, old, new in (
        ("tpm", "", "", None, True),
        ("dimm", "A2", "", True, None),
        ("cpu", "0", "turbo", False, True),
    )
]
STATUS = {
    "version": "0.1.0", "epoch": "ab", "started": ISO, "now": ISO,
    "sites": {"ok": 4, "degraded": 1, "maintenance": 0, "down": 0, "unknown": 0, "total": 5},
    "nodes": COUNTS, "quiet": False,
    "alarms": {"critical": 0, "major": 1, "minor": 0, "warning": 2, "unknown": 3, "shelved": 0,
               "masked": 0, "suppressed": 0, "in_incident": 0, "incidents": 0, "flood": False,
               "status": "degraded"},
    "ingest": {"beats": 10, "reports": 2, "items": 5, "receipts": 2, "refused": {"oversize": 3},
               "queue": 0, "dead_letters": 1},
    "brokers": [{"name": "b1", "url": "mqtt://127.0.0.1:1883", "state": "up", "since": ISO}],
}  # fmt: skip


class FakeCentre(http.server.BaseHTTPRequestHandler):
    token = "rtk_test"
    seen: list
    more: dict  # path -> document, of one test
    missing: dict  # path -> what the 404 says, of one test

    def do_GET(self):
        self.answer()

    do_PUT = do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names of http.server

    def answer(self):
        parts = urlsplit(self.path)
        params = {key: values[0] for key, values in parse_qs(parts.query).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.seen.append((self.command, parts.path, params, body, dict(self.headers)))
        if self.headers.get("Authorization") != f"Bearer {self.token}":
            return self.reply(
                401, {"title": "No token", "detail": "a token is needed", "code": "auth"}
            )
        return self.reply(*self.route(parts.path, params))

    def route(self, path, params):
        if params.get("filter") == "bogus=1":
            error = {
                "field": "filter",
                "code": "unknown-field",
                "detail": "did you mean node?",
                "offset": 0,
                "length": 5,
            }
            return 400, {"title": "Bad query", "detail": "unknown field bogus", "errors": [error]}
        if path == "/api/v1/sites" and self.command == "GET":
            start = int(params.get("cursor") or 0)
            more = str(start + 2) if start + 2 < len(SITES) else None
            return 200, {"items": SITES[start : start + 2], "next": more}
        known = {
            "/api/v1/status": STATUS,
            "/api/v1/sites/edge-0": {**SITES[0], "node_list": [NODE]},
            "/api/v1/nodes": {"items": [NODE], "next": None},
            "/api/v1/nodes/edge-0.n1": NODE,
            "/api/v1/nodes/edge-0.n1/inventory": INVENTORY,
            "/api/v1/nodes/edge-0.n1/inventory/changes": {"items": CHANGES, "next": None},
            "/api/v1/events": {"items": [], "next": None},
            "/api/v1/paths": {"items": [{**row, "node": NODE["node"]} for row in PATHS],
                              "next": None},
            "/api/v1/sites:import": {"created": 1, "updated": 0, "unchanged": 0,
                                     "errors": [{"line": 2, "detail": "site: not a name"}]},
        }  # fmt: skip
        known |= self.more
        if path in known:
            return 200, known[path]
        detail = self.missing.get(path, f"no {path}")
        return 404, {"title": "Not found", "detail": detail, "code": "not-found"}

    def reply(self, status, document):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def centre(tmp_path, monkeypatch):
    """A running fake and the environment that points the command at it."""
    handler = type("Handler", (FakeCentre,), {"seen": [], "more": {}, "missing": {}})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("ROOST_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("ROOST_TOKEN", handler.token)
    yield handler
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def run(centre):
    """Run one command line in this process; returns (exit code, stdout, stderr)."""

    def run(*args, **given):
        outcome = CliRunner().invoke(roost, args, standalone_mode=False, **given)
        error = outcome.exception
        code = outcome.exit_code if error is None else report_failure(error)
        if error is None and isinstance(outcome.return_value, int):
            code = outcome.return_value
        return code, outcome.stdout, outcome.stderr

    return run
