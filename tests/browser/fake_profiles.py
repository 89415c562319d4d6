"""Profiles and desired settings of the fake central, as the REST contract says."""

from aiohttp import web
from fake_alarms import instant, now_ms

SOURCE = '[profile]\nname = "fleet"\nfleet = true\n[time]\nservers = ["ntp1"]\n'
COUNTS = {
    "in_sync": 8, "pending": 2, "applying": 1, "failed": 1, "unable": 0, "none": 0, "total": 12,
    "held": 3, "pending_reboot": 2, "drifted": 1,
}  # fmt: skip


class FakeProfiles:
    """Two profiles, one with hostile words; a node has what they say where a test sets it."""

    def __init__(self, *, hostile: str) -> None:
        def profile(name: str, **more: object) -> dict[str, object]:
            return {
                "name": name, "layer": "fleet", "target": "", "priority": 100, "text": "",
                "file": f"{name}.toml", "revision": 2, "by": "ada", "at": instant(now_ms()),
                "settings": 1, "nodes": 12, "fault": "",
            } | more  # fmt: skip

        self.kept = [
            profile("fleet", text=hostile),
            profile("region", layer="select", target="region:r01", nodes=3),
        ]
        self.drift = [
            {"node": "edge-00-00.n1", "site": "edge-00-00", "setting": "time.servers",
             "wanted": '["ntp1"]', "found": hostile, "at": instant(now_ms())},
        ]  # fmt: skip
        self.asked: list[tuple[str, object]] = []
        self.desired: dict[str, object] = {
            "generation": 0, "digest": "", "since": None, "by": "", "reason": "", "fault": "",
            "settings": [], "sections": {},
        }  # fmt: skip

    def routes(self) -> list[web.RouteDef]:
        """Return what is served."""
        return [
            web.get("/api/v1/profiles", self.list),
            web.get("/api/v1/profiles:status", self.status),
            web.post("/api/v1/profiles:preview", self.plan),
            web.post("/api/v1/profiles:apply", self.plan),
            web.get("/api/v1/profiles/{profile}", self.show),
            web.get("/api/v1/drift", self.list_drift),
            web.post("/api/v1/nodes/{node}/drift:adopt", self.adopt),
            web.post("/api/v1/nodes/{node}/desired:reapply", self.act),
            web.get("/api/v1/nodes/{node}/desired", self.of_node),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """Serve all."""
        return web.json_response({"items": self.kept, "next": None})

    async def show(self, request: web.Request) -> web.Response:
        """Serve one with its text."""
        name = request.match_info["profile"]
        found = next(each for each in self.kept if each["name"] == name)
        return web.json_response(found | {"source": SOURCE, "sections": {}})

    async def of_node(self, request: web.Request) -> web.Response:
        """Serve what a node should be."""
        return web.json_response({"node": request.match_info["node"]} | self.desired)

    async def status(self, request: web.Request) -> web.Response:
        """Serve how far nodes have come."""
        of_profiles = [{"profile": each["name"], "nodes": COUNTS} for each in self.kept[:1]]
        return web.json_response({"nodes": COUNTS, "profiles": of_profiles})

    async def list_drift(self, request: web.Request) -> web.Response:
        """Serve what differs."""
        return web.json_response({"items": self.drift, "next": None})

    async def adopt(self, request: web.Request) -> web.Response:
        """Serve a draft."""
        return web.json_response(
            {
                "profile": "adopted",
                "file": "adopted.toml",
                "source": SOURCE,
                "taken": [],
                "left": [],
            }
        )

    async def plan(self, request: web.Request) -> web.Response:
        """Serve what a change does."""
        self.asked.append((request.path, await request.json()))
        change = {
            "path": "time.servers", "old": ["ntp1"], "new": ["ntp2"], "profile": "adopted",
            "mark": "restart-service",
        }  # fmt: skip
        group = {"nodes": 1, "examples": ["edge-00-00.n1"], "mark": "restart-service"}
        return web.json_response(
            {"changed": 1, "groups": [group | {"changes": [change]}], "faults": []}
        )

    async def act(self, request: web.Request) -> web.Response:
        """Take in what somebody wants done."""
        self.asked.append((request.path, await request.json()))
        return web.json_response({})
