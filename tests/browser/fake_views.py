"""Views that people keep, as the REST contract says them, of one person."""

from aiohttp import web

API = "/api/v1/views"


class FakeViews:
    """The views of the one who is logged in, and those whose link they may have."""

    def __init__(self) -> None:
        self.kept: dict[str, dict] = {}
        self.of_others: dict[str, dict] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return what is served."""
        return [
            web.get(API, self.list),
            web.post(API, self.add),
            web.get(f"{API}/{{id}}", self.show),
            web.put(f"{API}/{{id}}", self.put),
            web.delete(f"{API}/{{id}}", self.remove),
        ]

    def view(self, id_: str, name: str, page: str, query: str, owner: str = "admin") -> dict:
        """Return a view in the contract's shape."""
        told = {"name": name, "page": page, "query": query, "owner": owner}
        return {"id": id_, **told, "at": "2026-11-28T09:00:00Z", "link": f"/v/{id_}"}

    async def list(self, request: web.Request) -> web.Response:
        """Serve them by name."""
        return web.json_response({"items": sorted(self.kept.values(), key=lambda v: v["name"])})

    async def add(self, request: web.Request) -> web.Response:
        """Keep one."""
        return await self._save(f"01V{len(self.kept) + 1}", request)

    async def show(self, request: web.Request) -> web.Response:
        """Serve one."""
        found = (self.kept | self.of_others).get(request.match_info["id"])
        return web.json_response(found) if found else _problem(404, "there is no such view")

    async def put(self, request: web.Request) -> web.Response:
        """Replace one."""
        return await self._save(request.match_info["id"], request)

    async def remove(self, request: web.Request) -> web.Response:
        """Remove one."""
        self.kept.pop(request.match_info["id"])
        return web.Response(status=204)

    async def _save(self, id_: str, request: web.Request) -> web.Response:
        body = await request.json()
        if any(v["name"] == body["name"] and v["id"] != id_ for v in self.kept.values()):
            return _problem(409, f"you have a view '{body['name']}': choose another name")
        self.kept[id_] = self.view(id_, **body)
        return web.json_response(self.kept[id_])


def _problem(status: int, detail: str) -> web.Response:
    body = {"title": "refused", "status": status, "detail": detail, "code": "conflict"}
    return web.json_response(body, status=status, content_type="application/problem+json")
