"""Local HA of made-up sites: none, until a test gives a site some."""

import copy
import time
from datetime import UTC, datetime

from aiohttp import web

WAYS = ("lan-a/n1", "lan-b/n2", "lan-a/udp", "lan-b/udp")
HOSTILE = '<img src=x onerror="window.owned=1">'
NOTHING = {
    "redundancy": "none", "profile": "", "voters": [], "sticky": False, "groups": [], "nodes": [],
    "ways": [], "matrix": [],
}  # fmt: skip


def cell(node, peer, **bad):
    """How one node hears another; ``bad`` names paths that are not up, as ``lan_a_n1``."""
    paths = {name: bad.get(name.replace("-", "_").replace("/", "_"), "up") for name in WAYS}
    at = "2026-11-22T10:00:00.000Z"
    return {"node": node, "peer": peer, "state": "alive", "since": at, "paths": paths}


def host(node, role, **more):
    return {"node": node, "role": role, "why_not": "", "state": "", "services": {}, **more}


def a_node(name, as_of, **more):
    return {
        "node": name, "presence": "online", "as_of": as_of, "age_s": 4.0, "heard": as_of,
        "heard_age_s": 4.0, "is_voter": True,
        "has_quorum": True, "health": 1, "redundancy": "normal", "cfgver": 7, "faults": [], **more,
    }  # fmt: skip


def a_site(as_of):
    """Three nodes: n2 is active, and hears n1 by one network only."""
    return {
        "redundancy": "lost", "profile": "default", "voters": ["n1", "n2", "n3"], "sticky": False,
        "groups": [
            {"group": "web", "model": "2N", "active": ["n2"], "epoch": 33, "standby": [],
             "redundancy": "lost", "since": as_of,
             "lacks": [{"node": "n1", "why": "n1 is barred", "since": as_of, "age_s": 4.0}],
             "why": f"n2 took web (epoch 33): {HOSTILE}",
             "hosts": [host("n1", "barred", why_not="another node is better connected"),
                       host("n2", "active", services={"page": "failed"})]},
            {"group": "logs", "model": "N", "active": ["n1", "n2"], "epoch": 0, "standby": [],
             "redundancy": "ok", "since": None, "why": None, "lacks": [],
             "hosts": [host("n1", "active"), host("n2", None)]},
        ],
        "nodes": [a_node("n1", as_of, faults=["disk full"], health=5), a_node("n2", as_of),
                  a_node("n3", as_of, has_quorum=False)],
        "ways": [{"name": name, "network": name[:5], "driver": "mqtt", "broker": ""}
                 for name in WAYS],
        "matrix": [cell("n1", "n2", lan_a_n1="down", lan_a_udp="oneway-in"), cell("n1", "n3"),
                   cell("n2", "n1"), cell("n2", "n3"), cell("n3", "n1"), cell("n3", "n2")],
    }  # fmt: skip


def a_history(site, first, second):
    """Two turns of one group: the first node died, the second took over."""

    def said(seq, node, at, text):
        return {
            "seq": seq, "at": at, "received": at, "late_s": 0.2, "site": site,
            "node": f"{site}.{node}", "kind": "ha", "type": "400.811", "severity": "warning",
            "entity": "", "text": text, "params": {},
        }  # fmt: skip

    return {
        "items": [said(9, "n2", second, "n2 took web (epoch 33): n1 silent on 4 of 4 paths"),
                  said(3, "n1", first, "n1 took web (epoch 32): nobody held it")],
        "turns": [
            {"group": "web", "node": "n1", "epoch": 32, "begin": first, "end": second,
             "told": False, "why": "nobody held it"},
            {"group": "web", "node": "n2", "epoch": 33, "begin": second, "end": None,
             "told": False, "why": "n1 silent"},
        ],
        "next": None,
    }  # fmt: skip


def give(console, *, active="n2"):
    """Give a site of three nodes local HA, and return its name."""
    site = next(row["site"] for row in console.fleet.rows if row["online"] == 3)
    at_ms = time.time_ns() // 1_000_000
    told = a_site(_text(at_ms - 5_000))
    told["groups"][0]["active"] = [active]
    console.central.ha.sites[site] = told
    times = (_text(at_ms - 3_600_000), _text(at_ms - 600_000))
    console.central.ha.history[site] = a_history(site, *times)
    console.fleet.ha_as_of[site] = _text(at_ms)
    return site


def _text(at_ms):
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return at.isoformat(timespec="milliseconds")[:-6] + "Z"


class FakeHa:
    """What the contract says of local HA."""

    def __init__(self) -> None:
        self.sites = {}
        self.history = {}
        self.asked = 0

    def routes(self):
        base = "/api/v1/sites/{site}/ha"
        return [web.get(base, self._show), web.get(f"{base}/history", self._history)]

    async def _show(self, request: web.Request) -> web.Response:
        self.asked += 1
        site = request.match_info["site"]
        found = self.sites.get(site) or copy.deepcopy(NOTHING)
        return web.json_response({"site": site, **found})

    async def _history(self, request: web.Request) -> web.Response:
        empty = {"items": [], "turns": [], "next": None}
        return web.json_response(self.history.get(request.match_info["site"], empty))
