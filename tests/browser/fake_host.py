"""Watched processes of the fake central, as the REST contract says."""

from aiohttp import web

NONE = {"as_of": None, "age_s": None, "processes": [], "degrade": {}, "faults": []}


class FakeHost:
    """What nodes said of their processes, by node."""

    def __init__(self) -> None:
        self.said: dict[str, dict] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return what is served."""
        return [web.get("/api/v1/nodes/{node}/processes", self.processes)]

    async def processes(self, request: web.Request) -> web.Response:
        """Serve the last word of a node."""
        node = request.match_info["node"]
        return web.json_response({"node": node} | self.said.get(node, NONE))
