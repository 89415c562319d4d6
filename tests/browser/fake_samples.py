"""What nodes of the fake central measured, as the REST contract says."""

from aiohttp import web

NONE = {
    "origin": "none", "why": "the node is unknown", "as_of": None, "age_s": None, "since": None,
    "step_s": 0, "steps": 0, "series": [], "left_out": 0,
}  # fmt: skip


def series(name: str, unit: str, *means: float | None) -> dict:
    """Return one series whose values lie 1 around their means."""
    kind, _, of = name.partition("|")
    low = [None if mean is None else mean - 1 for mean in means]
    high = [None if mean is None else mean + 1 for mean in means]
    return {"series": name, "kind": kind, "of": of, "unit": unit,
            "low": low, "mean": list(means), "high": high}  # fmt: skip


class FakeSamples:
    """Answers of nodes, by node; ``asked`` has every query."""

    def __init__(self) -> None:
        self.said: dict[str, dict] = {}
        self.boards: dict[str, dict] = {}
        self.asked: list[dict[str, str]] = []

    def routes(self) -> list[web.RouteDef]:
        """Return what is served."""
        node = "/api/v1/nodes/{node}"
        return [
            web.get(f"{node}/samples", self.samples),
            web.get(f"{node}/sensors/samples", self.of_board),
        ]

    async def samples(self, request: web.Request) -> web.Response:
        """Serve the answer of a node."""
        self.asked.append(dict(request.query))
        node = request.match_info["node"]
        return web.json_response({"node": node} | self.said.get(node, NONE))

    async def of_board(self, request: web.Request) -> web.Response:
        """Serve what a node's board controller read."""
        self.asked.append(dict(request.query) | {"board": "yes"})
        node = request.match_info["node"]
        return web.json_response({"node": node} | self.boards.get(node, NONE))
