"""The topology of a site of the fake central, as the REST contract says."""

from aiohttp import web
from fake_alarms import instant, now_ms

SWITCH = "00:1b:21:00:00:01"


def cable(node: str, port: str, peer: str, peer_port: str, **more: object) -> dict[str, object]:
    """Return one cable, to a device unless told otherwise."""
    return {
        "node": node, "port": port, "peer": peer, "peer_kind": "device", "peer_port": peer_port,
        "peer_port_description": "", "told_by": "one", "speed_mbps": 10_000, "pvid": 10,
        "vlans": ["10 users", "20 voice"], "frame_bytes_max": 9_216, "aggregated": None,
    } | more  # fmt: skip


class FakeTopology:
    """Two nodes at a switch and a cable between them; a third does not tell."""

    def __init__(self, *, hostile: str) -> None:
        self.hostile = hostile
        self.is_empty = False

    def routes(self) -> list[web.RouteDef]:
        """Return what is served."""
        return [web.get("/api/v1/sites/{site}/topology", self.show)]

    async def show(self, request: web.Request) -> web.Response:
        """Serve a site's."""
        site = request.match_info["site"]
        nodes = [
            {
                "node": f"{site}.n{n}", "name": f"n{n}", "presence": "online",
                "as_of": instant(now_ms() - 60_000), "age_s": 60.0,
                "missing": "denied" if n == 3 or self.is_empty else "", "ports": [],
            }
            for n in (1, 2, 3)
        ]  # fmt: skip
        device = {
            "device": SWITCH, "name": f"sw1-{self.hostile}", "description": "Acme OS 7",
            "capabilities": ["bridge", "router"], "addresses": ["192.0.2.9"],
        }  # fmt: skip
        cables = [
            cable(f"{site}.n1", "eno1", SWITCH, "GigabitEthernet1/0/1"),
            cable(f"{site}.n2", "eno1", SWITCH, "GigabitEthernet1/0/2", speed_mbps=None),
            cable(
                f"{site}.n1", "eno2", f"{site}.n2", "eno2",
                peer_kind="node", told_by="both", pvid=None, vlans=[],
            ),
        ]  # fmt: skip
        found = {"devices": [], "cables": []} if self.is_empty else {
            "devices": [device], "cables": cables,
        }  # fmt: skip
        return web.json_response({"site": site, "nodes": nodes, **found})
