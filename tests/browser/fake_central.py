"""A central that answers as the REST contract says, over a made-up fleet that the test steers.

Real HTTP, real cookies, real event stream; only the fleet behind it is invented. It serves the
dashboard through the same ``Dashboard`` as the real one, so content policy and caching are real.
Run it to look at the pages: ``python tests/browser/fake_central.py --sites 10000 --port 8471``.
"""

import argparse
import asyncio
import gzip
import hashlib
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import islice

from aiohttp import web
from fake_access import FakeAccess
from fake_alarms import FakeAlarms
from fake_enrol import FakeEnrol
from fake_ha import FakeHa
from fake_host import FakeHost
from fake_inventory import ROUTES as INVENTORY_ROUTES
from fake_lifecycle import FakeLifecycle
from fake_northbound import FakeNorthbound
from fake_orders import FakeOrders
from fake_profiles import FakeProfiles
from fake_rollouts import FakeRollouts
from fake_samples import FakeSamples
from fake_topology import FakeTopology
from fake_views import FakeViews

from roost_central.dashboard.serve import POLICY, Dashboard
from roost_central.fleet.query import QueryError, parse

TOKEN = "rtk_test-token-of-the-fake-central"
COOKIE = "roost_session"
RING = 512
BEAT_S = 0.25
HOSTILE = '<img src=x onerror="window.owned=1">'
STATES = ("ok", "maintenance", "degraded", "unknown", "down")
CARRIERS = ("carA", "carB", "carC")


def instant(ms: int | None) -> str | None:
    """Return RFC 3339 in UTC."""
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def now_ms() -> int:
    """Return UTC in ms."""
    return time.time_ns() // 1_000_000


class FakeFleet:
    """Sites in columns, as the snapshot has them; every change goes out as a frame."""

    def __init__(self, sites: int, *, seed: int = 7, hostile: bool = True) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a fleet, not a secret
        self.fields = ["row", "site", "status", "heard_ms", "online", "degraded", "unreachable"]
        self.fields += ["unknown", "label.region", "label.carrier", "label.tier"]
        self.sites_each = max(1, sites // 24)  # sites in one region
        self.rows = [self._row(i, hostile=hostile) for i in range(sites)]
        self.by_site = {row["site"]: row for row in self.rows}
        self.epoch = f"{seed:08x}"
        self.n = 0
        self.ring: list[tuple[int, str]] = []
        self.frames = asyncio.Condition()
        self.pending: dict[tuple[int, int], object] = {}
        self.touched: set[str] = set()
        self.quarantine: dict[str, dict] = {}  # node -> why, and since when
        self.ha_as_of: dict[str, str] = {}  # site -> when its nodes last told of local HA
        self.left_alone: set[str] = set()  # sites that are not managed
        self.base = 0  # who stands before it has to read the snapshot again

    def _row(self, index: int, *, hostile: bool) -> dict:
        region = f"r{index // self.sites_each % 24:02d}"
        carrier = self.random.choice(CARRIERS)
        site = f"edge-{region[1:]}-{index:05d}"
        if hostile and index == 3:
            site = HOSTILE
        status = self._status(region, carrier)
        heard = now_ms() - self.random.randrange(200, 28_000)
        if status == "unknown":
            heard = None if index % 5 == 0 else heard - self.random.randrange(90_000, 9_000_000)
        nodes = self.random.choice((1, 2, 2, 3))
        counts = {"online": nodes, "degraded": 0, "unreachable": 0, "unknown": 0}
        if status in {"degraded", "down"}:
            counts["online"] -= 1
            counts["degraded" if status == "degraded" else "unreachable"] += 1
        elif status == "unknown":
            counts["online"], counts["unknown"] = 0, nodes
        tier = self.random.choice(("gold", "silver", "silver", None))
        labels = {"region": region, "carrier": carrier, "tier": tier}
        return {"row": index, "site": site, "status": status, "heard_ms": heard, **counts} | {
            f"label.{key}": value for key, value in labels.items()
        }

    def _status(self, region: str, carrier: str) -> str:
        chance = self.random.random()
        if region == "r05" and carrier == "carB":
            return "unknown" if chance < 0.9 else "degraded"
        if chance < 0.0025:
            return "down"
        return {1: "unknown", 2: "degraded", 3: "degraded", 4: "maintenance"}.get(
            int(chance * 400), "ok"
        )

    def snapshot(self) -> dict:
        """Return the columns."""
        cols = [[row[field] for row in self.rows] for field in self.fields]
        position = {"epoch": self.epoch, "frame": self.n, "now": now_ms()}
        return position | {"fields": self.fields, "cols": cols}

    def set(self, site: str, **values: object) -> None:
        """Change fields of a site; the next frame carries it."""
        row = self.by_site[site]
        row |= values
        for field, value in values.items():
            self.pending[row["row"], self.fields.index(field)] = value
        self.touched.add(site)

    async def add_site(self, site: str) -> None:
        """Register a site: the structure changes, so clients have to read again."""
        row = self._row(len(self.rows), hostile=False) | {"site": site}
        self.rows.append(row)
        self.by_site[site] = row
        await self.flush(b"resync")

    async def restart(self) -> None:
        """Forget all frames, as a new process does."""
        self.epoch = hashlib.sha256(self.epoch.encode()).hexdigest()[:8]
        self.ring, self.n, self.base = [], 0, 0
        async with self.frames:
            self.frames.notify_all()

    async def flush(self, kind: bytes = b"frame") -> None:
        """Send what is pending as one frame."""
        async with self.frames:
            cells = [[row, field, value] for (row, field), value in self.pending.items()]
            self.pending.clear()
            self.n += 1
            if kind == b"frame":
                self.ring = [*self.ring[-RING:], (self.n, json.dumps({"t": now_ms(), "f": cells}))]
                self.base = self.ring[0][0] - 1
            else:
                self.ring, self.base = [], self.n
            self.frames.notify_all()

    async def run(self) -> None:
        """Send a frame four times a second, and beats of a few sites with it."""
        while True:
            for row in self.random.sample(self.rows, k=min(len(self.rows) // 120 + 1, 100)):
                if row["status"] in {"ok", "degraded"}:
                    self.set(row["site"], heard_ms=now_ms())
            await self.flush()
            await asyncio.sleep(BEAT_S)

    def nodes(self, site: str) -> list[dict]:
        """Return the nodes of a site, in the contract's shape."""
        row = self.by_site[site]
        names = [f"n{i + 1}" for i in range(self.total(row))]
        return [self._node(row, name, index) for index, name in enumerate(names)]

    @staticmethod
    def total(row: dict) -> int:
        """Return how many nodes a site has."""
        return sum(row[state] for state in ("online", "degraded", "unreachable", "unknown"))

    def _node(self, row: dict, name: str, index: int) -> dict:
        presence = "online" if row["status"] in {"ok", "maintenance"} else row["status"]
        if row["status"] == "down":
            presence = "unreachable" if index else "online"
        if row["status"] == "degraded" and index:
            presence = "online"
        heard = row["heard_ms"]
        at = now_ms()
        dark = presence in {"unknown", "unreachable"}
        states = {
            "wan1": "down" if presence == "degraded" else "up",
            "wan2": "up" if index == 0 else None,
            "lan": "up",
        }
        paths = [
            {
                "path": path,
                "kind": "site" if path == "lan" else "wan",
                "state": "unknown" if dark else state,
                "rtt_us": None if dark or state == "down" else 18_400 + 700 * index,
                "loss_permille": None if dark else (1000 if state == "down" else 2 * index),
                "since": instant(at - 86_400_000 * (index + 1)),
                "heard": instant(heard),
                "age_s": None if heard is None else (at - heard) / 1000,
            }
            for path, state in states.items()
            if state
        ]
        lane = {"waiting_items": 3 * index, "waiting_bytes": 4_211 * index, "dropped": 0}
        return {
            "node": f"{row['site']}.{name}",
            "site": row["site"],
            "name": name,
            "presence": presence,
            "presence_since": instant(at - 3_600_000),
            "heard": instant(heard),
            "age_s": None if heard is None else (at - heard) / 1000,
            "via": None if heard is None else "wan1",
            "labels": {"rack": "7"},
            "agent": None if heard is None else "0.1.0",
            "boot_id": None if heard is None else "6f1e42d09ac14b7cb5d0a1f1e7d6c3a8",
            "incarnation": None if heard is None else 3,
            "uptime_s": None if heard is None else 1_043_221,
            "interval_s": None if heard is None else 30,
            "clock_skew_ms": None if heard is None else 12 + 2_400 * index,
            "paths": paths if heard is not None else [],
            "outbox": {"alarm": lane, "bulk": lane} if heard is not None else {},
            "inventory": {
                "gen": None if heard is None else 7,
                "digest": None if heard is None else "a1b2c3d4e5f60718",
                "as_of": None if heard is None else instant(at - 5_400_000),
                "age_s": None if heard is None else 5_400,
                "behind": index == 1,
            },
            "ha": None,
            "ha_as_of": self.ha_as_of.get(row["site"]),
            "quarantine": self.quarantine.get(f"{row['site']}.{name}"),
        }

    def site(self, row: dict) -> dict:
        """Return a site in the contract's shape."""
        states = ("online", "degraded", "unreachable", "unknown")
        heard = row["heard_ms"]
        labels = {f[6:]: row[f] for f in self.fields if f.startswith("label.")}
        return {
            "site": row["site"],
            "status": row["status"],
            "status_since": instant(now_ms() - 7_200_000),
            "labels": {key: value for key, value in labels.items() if value is not None},
            "lat": 48.1372,
            "lon": 11.5756,
            "shard": row["row"] % 64,
            "nodes": {state: row[state] for state in states} | {"total": self.total(row)},
            "heard": instant(heard),
            "age_s": None if heard is None else (now_ms() - heard) / 1000,
            "via": None if heard is None else "wan1",
            "managed": row["site"] not in self.left_alone,
            "managed_since": instant(now_ms() - 60_000),
            "managed_why": "is rebuilt",
            "availability": "offline" if heard is None else "online",
            "sync": {
                "inventory": "in-sync",
                "configuration": "out-of-sync",
                "release": "in-sync",
                "certificates": "unknown",
                "time": "in-sync",
            },
            "revision": 1,
        }


class FakeCentral:
    """The routes of the contract that the dashboard asks."""

    def __init__(self, fleet: FakeFleet) -> None:
        self.fleet = fleet
        self.alarms = FakeAlarms(fleet.rows, hostile=HOSTILE)
        self.northbound = FakeNorthbound(hostile=HOSTILE)
        self.views = FakeViews()
        self.enrol = FakeEnrol(hostile=HOSTILE, quarantine=fleet.quarantine)
        self.access = FakeAccess(hostile=HOSTILE)
        self.ha = FakeHa()
        self.orders = FakeOrders()
        self.host = FakeHost()
        self.samples = FakeSamples()
        self.profiles = FakeProfiles(hostile=HOSTILE)
        self.rollouts = FakeRollouts(hostile=HOSTILE)
        self.topology = FakeTopology(hostile=HOSTILE)
        self.lifecycle = FakeLifecycle(fleet.left_alone)
        self.pages = Dashboard.load()
        self.sessions: set[str] = set()
        self.streams = 0
        self.streams_opened = 0
        self.streams_changed = asyncio.Condition()
        self.asked: Counter[str] = Counter()
        self.broken = False
        self.broken_end = "\n"  # paths that end so are answered with 503
        self.last_ids: list[str] = []

    def application(self) -> web.Application:
        """Return the whole server."""
        app = web.Application(middlewares=[self._guard])
        api = "/api/v1"
        app.add_routes(self.alarms.routes())
        app.add_routes(self.views.routes())
        app.add_routes(self.access.routes())
        app.add_routes(self.ha.routes())
        app.add_routes(self.enrol.routes())
        app.add_routes(self.orders.routes())
        app.add_routes(self.host.routes())
        app.add_routes(self.samples.routes())
        app.add_routes(self.profiles.routes())
        app.add_routes(self.rollouts.routes())
        app.add_routes(INVENTORY_ROUTES)
        app.add_routes(self.topology.routes())
        app.add_routes(self.lifecycle.routes())
        app.add_routes(
            [
                web.get("/static/{hash}/{path:.+}", self.asset),
                web.post(f"{api}/session", self.log_in),
                web.delete(f"{api}/session", self.log_out),
                web.get(f"{api}/session/oidc", self.offer),
                web.get(f"{api}/status", self.status),
                web.get(f"{api}/snapshot", self.snapshot),
                web.get(f"{api}/stream", self.stream),
                web.get(f"{api}/sites", self.sites),
                web.get(f"{api}/sites/{{site}}", self.site),
                web.get(f"{api}/nodes", self.nodes),
                web.get(f"{api}/nodes/{{node}}", self.node),
                web.get(f"{api}/nodes/{{node}}/inventory", self.inventory),
                web.get(f"{api}/nodes/{{node}}/inventory/changes", self.changes),
                web.get(f"{api}/events", self.events),
                web.get(f"{api}/northbound", self.northbound.show),
                web.post(f"{api}/northbound/{{target}}:test", self.northbound.test),
                web.get("/{path:(?!api/).*}", self.index),
            ]
        )
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler) -> web.StreamResponse:
        free = request.path.startswith("/api/v1/session") or not request.path.startswith("/api/")
        if not free and request.cookies.get(COOKIE) not in self.sessions:
            return problem(401, "unauthenticated", "log in first")
        is_broken = self.broken or request.path.endswith(self.broken_end)
        if is_broken and request.path.startswith("/api/"):
            return problem(503, "unavailable", "central is restarting")
        self.asked[request.path.removeprefix("/api/v1")] += 1
        response = await handler(request)
        if not response.prepared:
            response.headers["Content-Security-Policy"] = POLICY
            response.headers.setdefault("Cache-Control", "no-store")
            response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    async def index(self, request: web.Request) -> web.Response:
        """Serve the page for every deep path."""
        return web.Response(body=self.pages.index(), content_type="text/html", charset="utf-8")

    async def asset(self, request: web.Request) -> web.Response:
        """Serve one file of the tree."""
        asset = self.pages.asset(request.match_info["path"])
        if asset is None or request.match_info["hash"] != self.pages.tree_hash:
            return problem(404, "not-found", "no such asset")
        headers = {
            "Content-Type": asset.content_type,
            "Cache-Control": "public, max-age=31536000, immutable",
            "Content-Encoding": "gzip",
        }
        return web.Response(body=gzip.compress(asset.body, mtime=0), headers=headers)

    async def log_in(self, request: web.Request) -> web.Response:
        """Exchange the token for a cookie."""
        body = await request.json()
        if body.get("token") != TOKEN and body.get("password") != self.access.password:
            return problem(401, "bad-token", "this token is not known")
        session = f"s{len(self.sessions)}-{self.fleet.random.getrandbits(64):x}"
        self.sessions.add(session)
        response = web.json_response({"name": "admin", "expires": None}, status=201)
        response.set_cookie(COOKIE, session, httponly=True, samesite="Strict", path="/")
        return response

    async def offer(self, request: web.Request) -> web.Response:
        return web.json_response({"provider": None, "problem": ""})

    async def log_out(self, request: web.Request) -> web.Response:
        """End the session; a write by cookie has to show that it came from the page."""
        if request.headers.get("X-Roost-CSRF") != "1":
            return problem(403, "csrf", "X-Roost-CSRF is missing")
        self.sessions.discard(request.cookies.get(COOKIE, ""))
        return web.Response(status=204)

    async def status(self, request: web.Request) -> web.Response:
        """Say who we are."""
        return web.json_response({"version": "0", "epoch": self.fleet.epoch, "quiet": False})

    async def snapshot(self, request: web.Request) -> web.Response:
        """Serve the columns."""
        body = gzip.compress(json.dumps(self.fleet.snapshot()).encode(), 1)
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        return web.Response(body=body, headers=headers)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Serve frames from Last-Event-ID on."""
        watch = [site for site in request.query.get("watch", "").split(",") if site]
        position = request.headers.get("Last-Event-ID", "")
        self.last_ids.append(position)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        response.headers["Content-Security-Policy"] = POLICY
        self.streams_opened += 1
        await self._count(1)
        try:
            await response.prepare(request)
            await self._send_frames(response, position, watch)
        except ConnectionError:
            pass
        finally:
            await self._count(-1)
        return response

    async def _count(self, change: int) -> None:
        self.streams += change
        async with self.streams_changed:
            self.streams_changed.notify_all()

    async def _send_frames(self, response, position: str, watch: list[str]) -> None:
        fleet = self.fleet
        epoch, _, number = position.rpartition("-")
        sent = int(number or 0)
        unsent = set(watch)
        told = -1
        while not self.broken:
            if told != self.alarms.seq:
                word = json.dumps(self.alarms.word(max(told, 0)))
                await response.write(f"event: alarms\ndata: {word}\n\n".encode())
                told = self.alarms.seq
            if epoch != fleet.epoch or sent < fleet.base:  # by its position, as the centre's core
                await response.write(b'event: resync\ndata: {"etag":"x"}\n\n')
                return
            for n, data in [frame for frame in fleet.ring if frame[0] > sent]:
                nodes = [x for s in (unsent & fleet.by_site.keys()) for x in fleet.nodes(s)]
                unsent = fleet.touched & set(watch)
                text = data[:-1] + f', "nodes": {json.dumps(nodes)}}}' if nodes else data
                frame = f"id: {fleet.epoch}-{n}\nevent: frame\ndata: {text}\n\n"
                await response.write(frame.encode())
                sent = n
            async with fleet.frames:
                await fleet.frames.wait()

    async def sites(self, request: web.Request) -> web.Response:
        """Serve matching sites as lines."""
        try:
            parse(request.query.get("filter", "")).require_available("site")
        except QueryError as err:
            return problem(400, "bad-filter", err.message)
        lines = [json.dumps({"site": row["site"]}) for row in self.fleet.rows[::2]]
        return web.Response(text="\n".join(lines), content_type="application/x-ndjson")

    async def site(self, request: web.Request) -> web.Response:
        """Serve one site with its nodes."""
        row = self.fleet.by_site.get(request.match_info["site"])
        if row is None:
            return problem(404, "not-found", "no such site")
        nodes = self.fleet.nodes(row["site"])
        return web.json_response(self.fleet.site(row) | {"node_list": nodes})

    async def nodes(self, request: web.Request) -> web.Response:
        """Serve the first nodes that match, by name alone."""
        try:
            query = parse(request.query.get("filter", ""))
            query.require_available("node")
        except QueryError as err:
            return problem(400, "bad-filter", err.message)
        test = query.compile(lambda name, _key: (lambda n: n["node"]) if name == "node" else None)
        found = (n for row in self.fleet.rows for n in self.fleet.nodes(row["site"]))
        limit = int(request.query.get("limit", 100))
        items = list(islice((n for n in found if test(n, now_ms())), limit))
        return web.json_response({"items": items, "next": None})

    def _find(self, request: web.Request) -> dict | None:
        site, _, _ = request.match_info["node"].rpartition(".")
        nodes = self.fleet.nodes(site) if site in self.fleet.by_site else []
        return next((n for n in nodes if n["node"] == request.match_info["node"]), None)

    async def node(self, request: web.Request) -> web.Response:
        """Serve one node."""
        node = self._find(request)
        return web.json_response(node) if node else problem(404, "not-found", "no such node")

    async def inventory(self, request: web.Request) -> web.Response:
        """Serve an inventory with gaps, units, long lists and a hostile string."""
        node = self._find(request)
        if node is None or node["inventory"]["gen"] is None:
            return problem(404, "no-inventory", "nothing has arrived")
        return web.json_response(inventory(node))

    async def changes(self, request: web.Request) -> web.Response:
        """Serve a few changes."""
        at = instant(now_ms() - 7_000_000)
        nic = {"at": at, "gen": 7, "section": "nic", "item": "3c:fd:fe:9e:7f:71"}
        dimm = {"at": instant(now_ms() - 200_000_000), "gen": 6, "section": "dimm", "item": "A2"}
        return web.json_response(
            {
                "items": [
                    nic | {"field": "firmware", "old": "4.10", "new": "4.20"},
                    nic | {"field": "speed_mbps", "old": 1000, "new": 10000},
                    dimm | {"field": "size_bytes", "old": None, "new": 34359738368},
                    dimm | {"field": "part", "old": None, "new": HOSTILE},
                    nic | {"section": "tpm", "item": "", "field": "", "old": None, "new": True},
                ],
                "next": None,
            }
        )

    async def events(self, request: web.Request) -> web.Response:
        """Serve events, newest first."""
        try:
            parse(request.query.get("filter", "")).require_available("event")
        except QueryError as err:
            return problem(400, "bad-filter", err.message)
        if "after" in request.query:
            return web.json_response({"items": [], "next": None})
        return web.json_response({"items": events(self.fleet), "next": None})


def problem(status: int, code: str, detail: str) -> web.Response:
    """Return an RFC 9457 document."""
    body = {"type": "about:blank", "title": code, "status": status, "detail": detail, "code": code}
    return web.json_response(body, status=status, content_type="application/problem+json")


def events(fleet: FakeFleet) -> list[dict]:
    """Return events of some sites."""
    kinds = [
        ("280.801", "major", "wan1", "WAN path wan1 lost; 1 left", 0.4),
        ("280.802", "cleared", "wan1", "WAN path wan1 is back", 0.3),
        ("100.104", "minor", "/var", "/var is 93 % full", 0.8),
        ("280.804", "critical", "", "site is silent on every path", 10_800.0),
        ("200.010", "warning", "n2", f"agent restarted {HOSTILE}", 1.2),
    ]
    found = []
    for index in range(40):
        row = fleet.rows[(index * 37) % len(fleet.rows)]
        kind, severity, entity, text, late = kinds[index % len(kinds)]
        at = now_ms() - 61_000 * (index + 1)
        found.append(
            {
                "seq": 1000 - index,
                "at": instant(at),
                "received": instant(at + int(late * 1000)),
                "late_s": late,
                "site": row["site"],
                "node": f"{row['site']}.n1",
                "kind": "alarm",
                "type": kind,
                "severity": severity,
                "entity": entity,
                "text": text,
                "params": {},
            }
        )
    return found


def inventory(node: dict) -> dict:
    """Return the inventory of a small server."""
    at = instant(now_ms() - 5_400_000)

    def section(items: dict, missing: dict | None = None, cost_ms: int = 3) -> dict:
        digest = hashlib.blake2b(json.dumps(items).encode(), digest_size=8).hexdigest()
        return {
            "as_of": at,
            "cost_ms": cost_ms,
            "digest": digest,
            "items": items,
            "missing": missing or {},
        }

    nics = {
        f"3c:fd:fe:9e:7f:7{i}": {
            "ifname": f"eth{i}",
            "driver": "ice",
            "firmware": "4.20 0x80013a6a",
            "speed_mbps": 10_000 if i < 2 else None,
            "mtu": 1500,
            "numa": 0,
            "duplex": "full",
            "role": ("wan", "lan", "ha", "ha")[i],
        }
        for i in range(4)
    }
    threads = {
        str(i): {"package": 0, "core": i // 2, "siblings": [i, i ^ 1], "numa": 0, "online": True}
        for i in range(64)
    }
    sections = {
        "system": section(
            {
                "system": {
                    "sys_vendor": "Example Systems",
                    "product_name": HOSTILE,
                    "product_serial": None,
                    "bios_version": "2.14.0",
                    "boot_mode": "uefi",
                    "secure_boot": True,
                }
            },
            {"system.product_serial": "denied"},
        ),
        "os": section(
            {
                "os": {
                    "name": "Debian GNU/Linux",
                    "version": "12",
                    "kernel": "6.1.0-29-amd64",
                    "arch": "x86_64",
                    "reboot_required": False,
                    "btime": 1_761_000_000,
                }
            }
        ),
        "cpu": section(
            {
                "0": {
                    "model_name": "Intel(R) Xeon(R) D-2796NT",
                    "microcode": "0x1000280",
                    "cores": 20,
                    "threads": 40,
                    "base_khz": 2_000_000,
                    "max_khz": 3_100_000,
                    "flags": [f"flag{i}" for i in range(120)],
                    "governor": "performance",
                }
            }
        ),
        "memory": section({"memory": {"total_bytes": 137_438_953_472, "swap_bytes": 0}}),
        "dimm": section({}, {"*": "denied"}),
        "nic": section(nics, {f"3c:fd:fe:9e:7f:7{i}.speed_mbps": "unsupported" for i in (2, 3)}),
        "disk": section(
            {
                "eui.0025385b21404321": {
                    "name": "nvme0n1",
                    "model": "PM9A3",
                    "serial": "S64FNE0R",
                    "size_bytes": 1_920_383_410_176,
                    "rotational": False,
                    "wear_pct": 3,
                },
                "wwn-0x5000c500a1": {
                    "name": "sda",
                    "model": "ST4000NM",
                    "serial": "ZC1",
                    "size_bytes": 4_000_787_030_016,
                    "rotational": True,
                    "wear_pct": None,
                },
            },
            {"wwn-0x5000c500a1.wear_pct": "asleep"},
        ),
        "cpu_thread": section(threads, cost_ms=12),
        "package": section(
            {f"pkg{i}+amd64": {"version": f"1.{i}-2"} for i in range(900)}, cost_ms=85
        ),
    }
    return {
        "node": node["node"],
        "gen": 7,
        "digest": "a1b2c3d4e5f60718",
        "as_of": at,
        "age_s": 5400.0,
        "behind": node["inventory"]["behind"],
        "sections": sections,
    }


@asynccontextmanager
async def serving(
    sites: int, *, port: int = 0, is_live: bool = False
) -> AsyncIterator[tuple[FakeCentral, str]]:
    """Run a fake central on loopback; give it and its address."""
    fleet = FakeFleet(sites)
    central = FakeCentral(fleet)
    runner = web.AppRunner(central.application(), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with asyncio.TaskGroup() as tasks:
        beats = tasks.create_task(fleet.run() if is_live else _ticks(fleet))
        try:
            yield central, address
        finally:
            beats.cancel()
            await _stop(runner)


async def _stop(runner: web.AppRunner) -> None:
    """End the server and every connection of it, before the loop goes.

    A close waits for a peer that reads no more, and a connection that was accepted in the last
    moment (a browser opens some ahead) comes after the server has closed all that it knew.
    """
    server = runner.server
    known = [connection.transport for connection in server.connections]
    await runner.cleanup()
    await asyncio.sleep(0)
    for transport in [*known, *(late.transport for late in server.connections)]:
        if transport is not None:
            transport.abort()
    await asyncio.sleep(0)


async def _ticks(fleet: FakeFleet) -> None:
    """Send a frame four times a second, with what the test has set."""
    while True:
        await fleet.flush()
        await asyncio.sleep(BEAT_S)


async def _main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--sites", type=int, default=10_000)
    arguments.add_argument("--port", type=int, default=8471)
    given = arguments.parse_args()
    async with serving(given.sites, port=given.port, is_live=True) as (_, address):
        print(f"{address}  token {TOKEN}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())
