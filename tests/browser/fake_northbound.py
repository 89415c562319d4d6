"""Northbound targets of the fake central, as the REST contract says."""

from aiohttp import web
from fake_alarms import instant, now_ms


class FakeNorthbound:
    """A target that works, one that nobody answers at, and a dead letter of each kind."""

    def __init__(self, *, hostile: str = "") -> None:
        self.answers: dict[str, str] = {
            "dead": "Cannot connect to host"
        }  # to a test: what is wrong
        self.tested: list[str] = []
        self.targets = {
            "noc1": self._target("noc1", "webhook", "https://noc.example", "ok"),
            "dead": self._target("dead", "snmp-v3", "udp://nms.example:162", "unreachable")
            | {"queue": 1_234, "failures": 3, "last_error": f"timed out {hostile}"},
            "gone": self._target("gone", "webhook", "https://old.example", "disabled")
            | {"disabled": "HTTP 410", "dead_letters": 1},
        }
        self.letters = [
            {
                "target": "gone",
                "at": instant(now_ms() - 90_000),
                "seq": 4_711,
                "error": "HTTP 422 as told",
                "body": f'{{"type":"alarm.raise","text":"{hostile}"}}',
            }
        ]

    async def show(self, _request: web.Request) -> web.Response:
        """GET /api/v1/northbound."""
        found = {"targets": list(self.targets.values()), "dead_letters": self.letters}
        return web.json_response(found)

    async def test(self, request: web.Request) -> web.Response:
        """POST /api/v1/northbound/{target}:test."""
        name = request.match_info["target"]
        self.tested.append(name)
        error = self.answers.get(name, "")
        if not error:
            self.targets[name] |= {"state": "ok", "disabled": "", "worked": instant(now_ms())}
        return web.json_response({"delivered": not error, "error": error})

    @staticmethod
    def _target(name: str, kind: str, address: str, state: str) -> dict:
        return {
            "name": name,
            "kind": kind,
            "address": address,
            "state": state,
            "queue": 0,
            "cursor": 10,
            "sent": 10,
            "failures": 0,
            "last_error": "",
            "worked": instant(now_ms() - 5_000),
            "dead_letters": 0,
            "disabled": "",
        }
