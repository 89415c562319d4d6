"""Acts on many sites of the fake central, as the REST contract says."""

from aiohttp import web


class FakeLifecycle:
    """Notes what is asked; ``count`` is what a filter matches, None: what was expected."""

    def __init__(self, left_alone: set[str]) -> None:
        self.left_alone = left_alone
        self.asked: list[tuple[str, dict]] = []
        self.count: int | None = None

    def routes(self) -> list[web.RouteDef]:
        """Return what is served."""
        return [
            web.post("/api/v1/sites:label", self.act),
            web.post("/api/v1/sites:manage", self.act),
        ]

    async def act(self, request: web.Request) -> web.Response:
        """Do it, or refuse another count than there is."""
        body = await request.json()
        expected = body.get("expect_count")
        if expected is not None and self.count not in {None, expected}:
            error = {"field": "expect_count", "code": "differs", "detail": "", "bound": self.count}
            problem = {"status": 409, "code": "conflict", "title": "Conflict", "errors": [error]}
            return web.json_response(problem, status=409)
        self.asked.append((request.path.removeprefix("/api/v1"), body))
        for name in body.get("names", ()) if "managed" in body else ():
            (self.left_alone.discard if body["managed"] else self.left_alone.add)(name)
        matched = expected if expected is not None else len(body["names"])
        return web.json_response({"matched": matched, "changed": matched})
