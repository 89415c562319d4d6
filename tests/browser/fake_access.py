"""Users, tokens, roles and the audit log of the fake central, as the REST contract says."""

from aiohttp import web
from fake_alarms import instant, now_ms

API = "/api/v1"
EVERYTHING = ["read", "alarm", "host", "release", "admin"]


class FakeAccess:
    """An admin who is logged in, an operator of one region, their tokens, and what they did."""

    def __init__(self, *, hostile: str = "") -> None:
        self.password = "correct horse battery"
        self.me = {
            "name": "admin",
            "via": "token:admin",
            "grants": [{"role": "admin", "on": ""}],
            "permissions": EVERYTHING,
            "everywhere": EVERYTHING,
        }
        self.users = {
            name: {
                "name": name,
                "grants": grants,
                "disabled": False,
                "password": True,
                "issuer": None,
                "subject": None,
                "created": instant(now_ms()),
                "login": instant(now_ms() - 60_000),
            }
            for name, grants in (
                ("admin", [{"role": "admin", "on": ""}]),
                ("ann", [{"role": "operator", "on": "region:r01 label.tier:gold"}]),
            )
        }
        self.tokens = {"admin": self._token("admin", "admin", None)}
        self.acts = [
            self._act(2, "ann", "alarm.ack", f"sev=critical {hostile}", "done"),
            self._act(1, "unknown", "session.begin", "unknown", "refused"),
        ]
        self.taken: list[tuple[str, str, dict]] = []

    def routes(self) -> list[web.RouteDef]:
        """Return what is served."""
        return [
            web.get(f"{API}/me", self.show_me),
            web.get(f"{API}/roles", self.roles),
            web.get(f"{API}/users", self.list_users),
            web.post(f"{API}/users", self.add_user),
            web.put(f"{API}/users/{{user}}", self.put_user),
            web.put(f"{API}/users/{{user}}/password", self.put_password),
            web.delete(f"{API}/users/{{user}}", self.delete_user),
            web.get(f"{API}/tokens", self.list_tokens),
            web.post(f"{API}/tokens", self.add_token),
            web.delete(f"{API}/tokens/{{token}}", self.delete_token),
            web.get(f"{API}/audit", self.audit),
            web.get(f"{API}/audit/head", self.head),
        ]

    async def show_me(self, _request: web.Request) -> web.Response:
        """GET /api/v1/me."""
        return web.json_response(self.me)

    async def list_users(self, _request: web.Request) -> web.Response:
        """GET /api/v1/users."""
        return web.json_response({"items": list(self.users.values())})

    async def list_tokens(self, _request: web.Request) -> web.Response:
        """GET /api/v1/tokens."""
        return web.json_response({"items": list(self.tokens.values())})

    async def roles(self, _request: web.Request) -> web.Response:
        """GET /api/v1/roles."""
        rows = [{"role": "viewer", "permissions": ["read"]}]
        return web.json_response({"items": [*rows, {"role": "admin", "permissions": EVERYTHING}]})

    async def add_user(self, request: web.Request) -> web.Response:
        """POST /api/v1/users."""
        body = await self._taken(request)
        if body["name"] in self.users:
            detail = f"there is a user {body['name']!r} already"
            return web.json_response({"detail": detail, "code": "conflict"}, status=409)
        self.users[body["name"]] = self.users["ann"] | {
            "name": body["name"],
            "grants": body["grants"],
            "login": None,
        }
        return web.json_response(self.users[body["name"]], status=201)

    async def put_user(self, request: web.Request) -> web.Response:
        """PUT /api/v1/users/{user}."""
        self.users[request.match_info["user"]] |= await self._taken(request)
        return web.json_response(self.users[request.match_info["user"]])

    async def put_password(self, request: web.Request) -> web.Response:
        """PUT /api/v1/users/{user}/password."""
        body = await self._taken(request)
        if body["current"] != self.password:
            detail = "current: is not the present password"
            return web.json_response({"detail": detail, "code": "invalid"}, status=422)
        return web.Response(status=204)

    async def delete_user(self, request: web.Request) -> web.Response:
        """DELETE /api/v1/users/{user}."""
        del self.users[request.match_info["user"]]
        return web.Response(status=204)

    async def add_token(self, request: web.Request) -> web.Response:
        """POST /api/v1/tokens."""
        body = await self._taken(request)
        made = self._token(body["name"], "admin", body.get("grants"))
        self.tokens[body["name"]] = made
        return web.json_response(made | {"token": "rtk_" + "a" * 52}, status=201)

    async def delete_token(self, request: web.Request) -> web.Response:
        """DELETE /api/v1/tokens/{token}."""
        del self.tokens[request.match_info["token"]]
        return web.Response(status=204)

    async def audit(self, request: web.Request) -> web.Response:
        """GET /api/v1/audit."""
        actor = request.query.get("actor", "")
        shown = [act for act in self.acts if actor in {"", act["actor"]}]
        return web.json_response({"items": shown, "next": None})

    async def head(self, _request: web.Request) -> web.Response:
        """GET /api/v1/audit/head."""
        head = {"seq": 2, "hash": "ab" * 32}
        start = {"seq": 0, "hash": "00" * 32}
        return web.json_response({"head": head, "start": start, "at": instant(now_ms())})

    async def _taken(self, request: web.Request) -> dict:
        body = await request.json()
        self.taken.append((request.method, request.path.removeprefix(API), body))
        return body

    @staticmethod
    def _token(name: str, owner: str, grants: list | None) -> dict:
        at = instant(now_ms())
        times = {"created": at, "expires": None, "used": at}
        return {"name": name, "owner": owner, "grants": grants, **times, "token": ""}

    @staticmethod
    def _act(seq: int, actor: str, action: str, about: str, outcome: str) -> dict:
        at_ms = now_ms() - 1_000 * seq
        return {
            "seq": seq,
            "at": instant(at_ms),
            "at_ms": at_ms,
            "actor": actor,
            "role": "operator",
            "via": "password",
            "source": "192.0.2.7",
            "action": action,
            "object": about,
            "request_id": "ab12",
            "reason": "",
            "detail": {"matched": 3},
            "before": "",
            "after": "",
            "outcome": outcome,
            "prev_hash": "00" * 32,
            "hash": "ab" * 32,
        }
