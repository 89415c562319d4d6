"""Hosts of the fake central, as the REST contract says: states, acts, watched processes."""

from aiohttp import web
from fake_alarms import instant, now_ms

NONE = {"as_of": None, "age_s": None, "processes": [], "degrade": {}, "faults": []}
UNSPOKEN = {
    "admin": None, "oper": None, "avail": None, "last": None, "task": "", "reasons": [],
    "since": None, "cause": "", "coordinator": None, "epoch": None, "as_of": None, "age_s": None,
    "maintenance_until": None, "is_mnfa": False, "is_dead_office": False,
}  # fmt: skip
BLOCKER = {
    "code": "state", "text": "n1 is unlocked", "todo": "`roost host lock` first", "can_force": True,
}  # fmt: skip
EFFECTS = [
    {"kind": "moves", "text": "web (nginx) moves to n2", "services": ["nginx"]},
    {"kind": "stops", "text": "agents (probe) stops on n1", "services": ["probe"]},
    {"kind": "site", "text": "1 of 2 hosts stay enabled", "services": []},
]


def spoken(avail: str = "available", **said: object) -> dict:
    """Return what a coordinator says of a host."""
    locked = avail == "online"
    at = instant(now_ms() - 90_000)
    base = {"admin": "locked" if locked else "unlocked",
            "oper": "enabled" if avail in {"available", "degraded"} else "disabled",
            "avail": avail, "since": at, "as_of": at, "age_s": 90, "coordinator": "lab.n2",
            "epoch": 8, "cause": "its enable sequence is through"}  # fmt: skip
    return UNSPOKEN | base | said


def action(name: str, **said: object) -> dict:
    """Return one action that may be done."""
    base = {
        "action": name, "title": f"{name} it.", "allowed": True, "forcible": True,
        "needs_confirm": False, "receiver": "lab.n1", "blockers": [], "effects": [],
    }  # fmt: skip
    return base | said


ACTIONS = [
    action("lock", effects=EFFECTS),
    action("force-lock", effects=EFFECTS, needs_confirm=True),
    action("maintenance"),
    action("reinstall", needs_confirm=True),
    action("reboot", allowed=False, blockers=[BLOCKER], effects=EFFECTS),
    action("unlock", allowed=False, forcible=False, blockers=[BLOCKER | {"can_force": False}]),
]


class FakeHost:
    """What was said of hosts and of their processes, by node."""

    def __init__(self) -> None:
        self.said: dict[str, dict] = {}
        self.sensors: dict[str, dict] = {}
        self.groups: dict[str, list] = {}
        self.group_acts: list[tuple[str, str, dict]] = []
        self.boards: dict[str, dict] = {}
        self.board_acts: list[tuple[str, str, dict]] = []
        self.states: dict[str, dict] = {}
        self.moves: dict[str, list] = {}
        self.heard: dict[str, list] = {}
        self.acts: list[tuple[str, str, dict]] = []
        self.filters: list[str] = []
        self.looks = 0  # at orders
        self.is_slow = False  # orders do not end

    def routes(self) -> list[web.RouteDef]:
        """Return what is served."""
        node = "/api/v1/nodes/{node}"
        return [
            web.get(f"{node}/processes", self.processes),
            web.get(f"{node}/sensors", self.sensors_of),
            web.get(f"{node}/sensor-groups", self.groups_of),
            web.patch(node + "/sensor-groups/{group}", self.act_on_group),
            web.get(f"{node}/bmc", self.board_of),
            web.put(f"{node}/bmc", self.act_on_board),
            web.post(node + "/bmc:{action}", self.act_on_board),
            web.get(f"{node}/host", self.state),
            web.get(f"{node}/host/actions", self.actions),
            web.get(f"{node}/host/history", self.history),
            web.get(f"{node}/host/evidence", self.evidence),
            web.post(node + "/host:{action}", self.act),
            web.get("/api/v1/hosts", self.list),
            web.get("/api/v1/orders/{order}", self.order),
        ]

    def give_board(self, node: str) -> None:
        """Have a node's board controller known, with its sensors and how they count."""
        bounds = dict.fromkeys(("lnr", "lcr", "lnc", "unc", "ucr", "unr"))
        at = "2026-11-28T09:00:00Z"
        one = {"sensor": "CPU", "group": "temperature", "value": 85, "unit": "C", "key": "c"}
        one |= {"level": "major", "thresholds": bounds | {"unc": 70}, "suppressed": False}
        off = one | {"sensor": "Inlet", "level": "ok", "suppressed": True, "key": "k"}
        said = {"as_of": at, "age_s": 3, "fault": "", "power": "on"}
        self.sensors[node] = said | {"read": at, "dropped": 0, "sensors": [one, off]}
        self.groups[node] = [
            {"group": "temperature", "minor": "log", "major": "alarm", "critical": "power-cycle",
             "suppress": False, "interval_s": 0, "is_set": True, "sensors": 2,
             "suppressed": ["k"]}
        ]  # fmt: skip

    async def processes(self, request: web.Request) -> web.Response:
        """Serve the last word of a node."""
        node = request.match_info["node"]
        return web.json_response({"node": node} | self.said.get(node, NONE))

    async def sensors_of(self, request: web.Request) -> web.Response:
        """Serve what a board controller said."""
        node = request.match_info["node"]
        none = {"as_of": None, "age_s": None, "read": None, "fault": "", "power": "unknown"}
        none |= {"dropped": 0, "sensors": []}
        return web.json_response({"node": node} | self.sensors.get(node, none))

    async def groups_of(self, request: web.Request) -> web.Response:
        """Serve how groups of sensors count."""
        node = request.match_info["node"]
        return web.json_response({"node": node, "items": self.groups.get(node, [])})

    async def act_on_group(self, request: web.Request) -> web.Response:
        """Take what is changed of a group."""
        node, group = request.match_info["node"], request.match_info["group"]
        self.group_acts.append((node, group, await request.json()))
        return await self.groups_of(request)

    async def board_of(self, request: web.Request) -> web.Response:
        """Serve who a board controller is."""
        node = request.match_info["node"]
        none = {"as_of": None, "fault": "", "configured": None}
        return web.json_response({"node": node} | self.boards.get(node, none))

    async def act_on_board(self, request: web.Request) -> web.Response:
        """Take what is set, or have it reached."""
        node, action = request.match_info["node"], request.match_info.get("action", "set")
        body = await request.json() if request.can_read_body else {}
        self.board_acts.append((node, action, body))
        order = {
            "id": "o1",
            "state": "failed",
            "code": "credential",
            "text": "it refuses",
            "sends": 1,
        }
        if action == "set":
            return web.json_response(self.boards.get(node, {}).get("configured"))
        if action == "forget":
            del self.boards[node]
            return web.Response(status=204)
        answer = {"node": node, "by": node, "order": order, "reached": None}
        if self.boards[node]["configured"].get("reached_by") == "centre":
            said = {"fault": "tls", "text": "another certificate", "todo": "learn it anew"}
            answer |= {"by": "central", "order": None, "reached": said}
        return web.json_response(answer, status=202)

    async def state(self, request: web.Request) -> web.Response:
        """Serve a host."""
        node = request.match_info["node"]
        return web.json_response({"node": node} | self.states.get(node, UNSPOKEN))

    async def actions(self, request: web.Request) -> web.Response:
        """Serve what can be done to it."""
        node = request.match_info["node"]
        said = self.states.get(node, UNSPOKEN)
        state = {key: said[key] for key in ("admin", "oper", "avail")}
        return web.json_response({"node": node, "generation": 3, "items": ACTIONS} | state)

    async def history(self, request: web.Request) -> web.Response:
        """Serve its transitions."""
        found = self.moves.get(request.match_info["node"], [])
        return web.json_response({"items": found, "next": None})

    async def evidence(self, request: web.Request) -> web.Response:
        """Serve who heard it."""
        node = request.match_info["node"]
        found = self.heard.get(node, [])
        return web.json_response({"node": node, "coordinator": "lab.n2", "items": found})

    async def act(self, request: web.Request) -> web.Response:
        """Take an act; its order is done at the first look."""
        node, action = request.match_info["node"], request.match_info["action"]
        self.acts.append((node, action, await request.json()))
        order = {"id": "ab" * 16, "state": "ready", "sends": 0, "text": ""}
        answer = {"node": node, "action": action, "order": order, "forced": [], "effects": []}
        return web.json_response(answer, status=202)

    async def order(self, request: web.Request) -> web.Response:
        """Serve the order of an act: it is done, or still on its way."""
        self.looks += 1
        answer = {"id": request.match_info["order"], "sends": 1}
        if self.is_slow:
            return web.json_response(answer | {"state": "taken", "text": ""})
        return web.json_response(answer | {"state": "done", "text": "it is locked"})

    async def list(self, request: web.Request) -> web.Response:
        """Serve hosts; of filters only one by availability is understood."""
        wanted = request.query.get("filter", "")
        self.filters.append(wanted)
        rows = [{"node": node} | said for node, said in self.states.items()]
        if wanted.startswith("avail="):
            rows = [row for row in rows if row["avail"] == wanted.removeprefix("avail=")]
        return web.json_response({"items": rows, "next": None})
