"""Rollouts of the fake central, as the REST contract says."""

from aiohttp import web
from fake_alarms import instant, now_ms

WAVE = {
    "why": "", "since": None, "failures": {}, "succeeded": 0, "failed": 0, "in_flight": 0,
    "unreachable": 0, "worse": 0, "went_back": 0, "soaked_s": 0, "soak_s": 60, "rate": 0.0,
    "deadline": None,
}  # fmt: skip


class FakeRollouts:
    """One rollout whose canary failed, with hostile words."""

    def __init__(self, *, hostile: str) -> None:
        at = instant(now_ms())
        self.asked: list[tuple[str, object]] = []
        self.one: dict[str, object] = {
            "id": "e" * 32, "kind": "release", "name": "pump 1.1.0", "component": "app/pump",
            "version": "1.1.0", "digest": "1" * 64, "state": "paused", "pause": "health_gate",
            "why": hostile,
            "made": at, "changed": at, "by": "ada", "reason": hostile, "sites": 12, "counts": {
                "done": 1, "at_work": 1, "failed": 1, "silent": 0, "waiting": 9, "apart": 0},
            "wave": 1, "waves": 2, "approvers": 1,
        }  # fmt: skip
        self.detail: dict[str, object] = {
            "stages": [
                WAVE | {"wave": 1, "name": "canary", "state": "failed", "sites": 2, "why": hostile,
                        "states": {"failed": 1, "succeeded": 1}},
                WAVE | {"wave": 2, "name": "rest", "state": "pending", "sites": 10,
                        "states": {"queued": 10}},
            ],
            "approvals": [{"operator": "bob", "at": at, "by": "bob", "digest": "1" * 64}],
            "former": [], "plan_digest": "0" * 64, "plan": 'name = "pump 1.1.0"\n',
        }  # fmt: skip
        self.job = {
            "site": "edge-00-00", "wave": 1, "state": "failed", "was": None, "since": at,
            "attempt": 2, "failure": "health", "detail": hostile, "former": "1.0.0",
            "is_back": False, "steps": [{"state": "offered", "at": at}],
        }  # fmt: skip
        self.failure = {
            "failure": "health", "reason": hostile, "count": 1, "sites": ["edge-00-00"],
            "remedy": "look at a site's alarms, then roll back", "went_back": False,
        }  # fmt: skip
        self.refusals: list[str] = []
        self.settings: dict[str, object] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return what is served."""
        one = "/api/v1/rollouts/{rollout}"
        return [
            web.get("/api/v1/rollouts", self.list),
            web.post("/api/v1/rollouts", self.make),
            web.post("/api/v1/rollouts:plan", self.plan),
            web.get(one, self.show),
            web.get(f"{one}/jobs", self.jobs),
            web.get(f"{one}/failures", self.failures),
            web.post(one + "/{move}", self.act),
        ]

    async def list(self, _request: web.Request) -> web.Response:
        """Serve the one."""
        return web.json_response({"items": [self.one], "next": None})

    async def show(self, _request: web.Request) -> web.Response:
        """Serve it whole."""
        return web.json_response(self.one | self.detail)

    async def jobs(self, request: web.Request) -> web.Response:
        """Serve its only site."""
        self.asked.append((request.path_qs, None))
        return web.json_response({"items": [self.job], "next": None})

    async def failures(self, _request: web.Request) -> web.Response:
        """Serve what failed."""
        return web.json_response({"items": [self.failure], "next": None})

    async def plan(self, request: web.Request) -> web.Response:
        """Serve what a plan would do."""
        self.asked.append((request.path, await request.json()))
        wave = {
            "wave": 1, "name": "canary", "sites": 12, "first": ["edge-00-00"],
            "begins_s": [0, 0], "ends_s": [600, 7_200], "bytes_wan": 5 << 20, "current": 0,
            "exposed": 3, "exposed_first": [], "blockers": {"silent": 2},
        }  # fmt: skip
        return web.json_response(
            {
                "name": "x", "component": "app/pump", "version": "1.1.0", "digest": "1" * 64,
                "plan_digest": "0" * 64, "sites": 12, "nodes": 24, "bytes_wan": 5 << 20,
                "approvers": 2, "waves": [wave], "refusals": self.refusals, **self.settings,
                "uncovered": [
                    {"hw": "b", "roles": "plain", "link": "", "release": "1.0", "sites": 4}],
            }
        )  # fmt: skip

    async def make(self, request: web.Request) -> web.Response:
        """Take a plan."""
        self.asked.append((request.path, await request.json()))
        return web.json_response(self.one | self.detail, status=201)

    async def act(self, request: web.Request) -> web.Response:
        """Move it."""
        self.asked.append((request.path, await request.json()))
        self.one["state"] = "running"
        return web.json_response(self.one | self.detail)
