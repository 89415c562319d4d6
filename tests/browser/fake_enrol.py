"""Boxes that wait, and claims, of the fake central, as the REST contract says."""

from aiohttp import web
from fake_alarms import instant, now_ms

WORDS = "rojom zurir vavij toror polaf dutop"


class FakeEnrol:
    """One box with words, one with a token; what is asked of them is kept."""

    def __init__(self, *, hostile: str = "", quarantine: dict[str, dict] | None = None) -> None:
        self.acts: list[tuple[str, str, dict]] = []
        self.boxes = {
            "01BARE": self._box("01BARE", "bare", words=WORDS, product=f"X1 {hostile}"),
            "01TOKEN": self._box("01TOKEN", "token", site="edge-1", product="X2"),
        }
        self.claims: dict[str, dict] = {}
        self.enrolled: set[str] = set()
        self.ended: set[str] = set()
        self.quarantine = {} if quarantine is None else quarantine

    def routes(self) -> list[web.RouteDef]:
        """Return what is served."""
        api = "/api/v1"
        return [
            web.get(f"{api}/enrolments", self.list_boxes),
            web.post(f"{api}/enrolments/{{box}}/{{act}}", self.decide),
            web.get(f"{api}/claims", self.list_claims),
            web.post(f"{api}/claims", self.make),
            web.delete(f"{api}/claims/{{claim}}", self.revoke),
            web.get(f"{api}/nodes/{{node}}/identities", self.identities),
            web.get(f"{api}/nodes/{{node}}/held", self.list_held),
            web.post(f"{api}/nodes/{{node}}/{{act:release|quarantine|replace|revoke}}", self.act),
        ]

    async def identities(self, request: web.Request) -> web.Response:
        """GET a node's identities: one generation, or none of a node that was never enrolled."""
        node = request.match_info["node"]
        held = self.quarantine.get(node)
        row = {
            "node": node, "generation": 2, "box": 1, "serial": "5f3a",
            "state": self._state(node), "issued": instant(now_ms()),
            "quarantine": held["cause"] if held else "", "changed": instant(now_ms()),
            "reason": held["reason"] if held else "heard", "not_after": instant(now_ms()),
        }  # fmt: skip
        return web.json_response({"items": [row] if node in self.enrolled else [], "next": None})

    def _state(self, node: str) -> str:
        if node in self.ended:
            return "revoked"
        return "quarantined" if node in self.quarantine else "active"

    async def list_held(self, request: web.Request) -> web.Response:
        """GET what a node said in quarantine."""
        node, asked = request.match_info["node"], int(request.query["limit"])
        said = [("alarm", "100.101 raise major: hot", 1), ("inventory", "", 2)]
        rows = [
            {"seq": n, "node": node, "received": instant(now_ms()), "at": instant(now_ms()),
             "boot_id": f"{start:08x}" * 4, "incarnation": start, "lane": "bulk", "item_seq": n,
             "kind": kind, "text": text, "size_bytes": 15_700, "body": ""}
            for n, (kind, text, start) in enumerate(said * 20)
        ]  # fmt: skip
        shown = rows[:asked] if node in self.quarantine else []
        return web.json_response({"items": shown, "next": "more" if shown else None})

    async def act(self, request: web.Request) -> web.Response:
        """POST what is done to a node's identity."""
        node, act = request.match_info["node"], request.match_info["act"]
        body = await request.json()
        self.acts.append((act, node, body))
        if act == "replace":
            if not body["reason"]:
                problem = {"detail": "its box was heard 9 s ago: turn it off, or say why"}
                return web.json_response(problem, status=409)
            shown = {"join": "echo 'rst1.y' | roost-agent join https://c:8471 --token -"}
            return web.json_response({**shown, "qr": ["101", "010", "101"]}, status=201)
        if act == "revoke":
            self.ended.add(node)
            return web.json_response({"items": [], "next": None})
        self.quarantine.pop(node, None)
        if act == "quarantine":
            held = {"cause": "operator", "reason": body["reason"], "since": instant(now_ms())}
            self.quarantine[node] = held
        return web.json_response({"items": [], "next": None})

    async def list_boxes(self, _request: web.Request) -> web.Response:
        """GET /api/v1/enrolments."""
        return web.json_response({"items": list(self.boxes.values()), "next": None})

    async def decide(self, request: web.Request) -> web.Response:
        """POST approve and deny."""
        id_, act = request.match_info["box"], request.match_info["act"]
        body = await request.json()
        self.acts.append((act, id_, body))
        box = self.boxes[id_]
        if act == "approve" and box["kind"] == "bare" and body["words"] != WORDS:
            problem = {"detail": "the box shows other words: compare all six again"}
            return web.json_response(problem, status=409)
        del self.boxes[id_]
        return web.json_response(box)

    async def list_claims(self, _request: web.Request) -> web.Response:
        """GET /api/v1/claims."""
        return web.json_response({"items": list(self.claims.values()), "next": None})

    async def make(self, request: web.Request) -> web.Response:
        """POST /api/v1/claims."""
        body = await request.json()
        claim = {
            "id": "abcdefghijkl", "kind": "token", "subject": "", "broker": False, "used": 0,
            "cidr": "", "made_by": "jd", "made": instant(now_ms()),
            "not_after": instant(now_ms() + 1_000 * body["life_s"]),
            "revoked": None, **{k: body[k] for k in ("site", "node", "nodes_max", "auto_approve")},
        }  # fmt: skip
        self.claims[claim["id"]] = claim
        shown = {"join": "echo 'rst1.x' | roost-agent join https://c:8471 --token -"}
        return web.json_response({**claim, **shown, "qr": ["101", "010", "101"]}, status=201)

    async def revoke(self, request: web.Request) -> web.Response:
        """DELETE a claim."""
        self.claims[request.match_info["claim"]]["revoked"] = instant(now_ms())
        return web.Response(status=204)

    @staticmethod
    def _box(id_: str, kind: str, *, words: str = "", site: str = "", product: str = "") -> dict:
        hardware = {"vendor": "V", "product": product, "serial": "", "ek": "", "uuid": "",
                    "board": "", "disks": [], "macs": []}  # fmt: skip
        return {
            "id": id_, "state": "pending", "kind": kind, "claim": "", "site": site, "node": "",
            "words": words, "reason": "somebody compares", "address": "192.0.2.7", "agent": "0.1",
            "hardware": hardware, "asked": instant(now_ms() - 60_000), "seen": instant(now_ms()),
            "decided": None, "decided_by": "", "nearest": None,
        }  # fmt: skip
