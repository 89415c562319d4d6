"""The inventory of the fake central's fleet, as the REST contract says."""

from aiohttp import web

HOSTILE = "<img src=x onerror=alert(1)>"
ITEMS = [
    {"node": "edge-1.n1", "site": "edge-1", "id": "b8:83:03:00:00:01 0000:17:00.0",
     "fields": {"ifname": "ens1f0", "driver": "ice", "firmware": None, "speed_mbps": 25000,
                "mac": "b8:83:03:00:00:01"}, "missing": {"firmware": "denied"}},
    {"node": "edge-2.n1", "site": "edge-2", "id": HOSTILE,
     "fields": {"ifname": HOSTILE, "driver": "i40e", "firmware": "9.20"}, "missing": {}},
]  # fmt: skip


async def items(request: web.Request) -> web.Response:
    """Serve the items of a class; ``where`` is taken for a driver."""
    driver = request.query.get("where", "").removeprefix("driver=")
    kept = [item for item in ITEMS if driver in {"", item["fields"]["driver"]}]
    if request.match_info["class"] != "nic":
        kept = []
    return web.json_response({"items": kept, "next": None})


async def search(request: web.Request) -> web.Response:
    """Serve one disk, whatever is sought but NOTHING."""
    hit = {"node": "edge-1.n1", "site": "edge-1", "class": "disk", "item": "eui.1",
           "field": "serial", "value": request.query["text"]}  # fmt: skip
    found = [] if request.query["text"] == "NOTHING" else [hit]
    return web.json_response({"items": found, "more": False})


async def part(request: web.Request) -> web.Response:
    """Serve the life of the disk: it moved, and was flashed."""
    at = "2026-11-28T09:00:00.000Z"
    step = {"at": at, "node": "edge-1.n1", "field": "", "old": None, "new": None}
    flashed = {"what": "changed", "field": "firmware", "old": "1.0", "new": HOSTILE}
    steps = [
        step | flashed,
        step | {"what": "came"},
        step | {"what": "went", "node": "edge-2.n1"},
    ]
    asked = {"class": request.query["class"], "item": request.query["item"]}
    return web.json_response({**asked, "nodes": ["edge-1.n1"], "steps": steps})


ROUTES = [
    web.get("/api/v1/inventory/classes/{class}", items),
    web.get("/api/v1/inventory/search", search),
    web.get("/api/v1/inventory/part", part),
]
