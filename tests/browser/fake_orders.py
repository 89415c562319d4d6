"""Orders of the fake central, as the REST contract says."""

from aiohttp import web
from fake_alarms import instant, now_ms

VERBS = [
    {"verb": "resync", "title": "Tell it again.", "given": ["what?"], "needs_reason": False,
     "by_two": False, "never": False},
    {"verb": "reboot", "title": "Restart the machine.", "given": [], "needs_reason": True,
     "by_two": True, "never": False},
]  # fmt: skip


class FakeOrders:
    """What was ordered; a reboot waits for a second person."""

    def __init__(self) -> None:
        self.kept: dict[str, dict] = {}
        self.acts: list[tuple[str, str]] = []

    def routes(self) -> list[web.RouteDef]:
        """Return what is served."""
        return [
            web.get("/api/v1/order-verbs", self.verbs),
            web.get("/api/v1/orders", self.list),
            web.post("/api/v1/nodes/{node}/orders", self.place),
            web.post("/api/v1/orders/{order}/{act}", self.act),
        ]

    async def verbs(self, request: web.Request) -> web.Response:
        """Serve what there is."""
        return web.json_response({"items": VERBS, "next": None})

    async def list(self, request: web.Request) -> web.Response:
        """Serve the orders of a node, the newest first."""
        node = request.query["node"]
        mine = [each for each in self.kept.values() if each["node"] == node]
        return web.json_response({"items": mine[::-1], "next": None})

    async def place(self, request: web.Request) -> web.Response:
        """Take one."""
        body = await request.json()
        state = "pending" if body["verb"] == "reboot" else "ready"
        order = {"id": f"{len(self.kept):032x}", "node": request.match_info["node"], "text": ""}
        order |= {"state": state, "changed": instant(now_ms()), "by": "ada", "approved_by": ""}
        self.kept[order["id"]] = order | {key: body[key] for key in ("verb", "given", "reason")}
        return web.json_response(self.kept[order["id"]], status=201)

    async def act(self, request: web.Request) -> web.Response:
        """Approve or cancel one."""
        order, act = request.match_info["order"], request.match_info["act"]
        self.acts.append((order, act))
        self.kept[order] |= {"state": "ready" if act == "approve" else "cancelled"}
        return web.json_response(self.kept[order])
