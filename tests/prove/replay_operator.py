"""What an operator does over the API, captured with the session or token that proves who it was.

Once the session has ended, or the token is revoked, each of its requests is nobody's, whatever the
order in which it is said. While it lasts TLS keeps a request from being captured at all.
"""

import http.client
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from between import Between
from fleet_stage import FleetStage
from replay_state import differences, state

SITE = "desk"
PASSWORD = "correct horse battery"
NOBODY = {401, 429}  # and who is nobody five times a minute is not looked at any more


@dataclass(frozen=True, slots=True)
class Request:
    """One request, with what proves who asks."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: str


class Hand:
    """An operator with proof of who that is; keeps what was asked."""

    def __init__(self, stage: FleetStage, *headers: tuple[str, str]) -> None:
        self._stage = stage
        self._headers = (*headers, ("Content-Type", "application/json"))
        self.asked: list[Request] = []

    def does(self, method: str, path: str, body: object = None) -> dict[str, object]:
        """Do something for the first time; return the answer."""
        text = "" if body is None else json.dumps(body)
        request = Request(method, path, self._headers, text)
        status, answer, _ = send(self._stage, request)
        if status >= http.client.BAD_REQUEST:
            raise AssertionError(f"{method} {path}: {status} {answer}")
        self.asked.append(request)
        return dict(json.loads(answer)) if answer else {}


def replayed(
    between: Between, _folder: Path, dice: random.Random
) -> Iterator[tuple[str, int, list[str]]]:
    """Yield what was said again, how much of it, and what that changed or brought."""
    stage = between.stage
    stage.add_site(SITE, "n1", "n2")
    admin = [{"role": "admin", "on": ""}]
    user = {"name": "captured", "grants": admin, "password": PASSWORD}
    stage.central.post("/api/v1/users", user)
    login = Request("POST", "/api/v1/session", (("Content-Type", "application/json"),), json.dumps(
        {"user": "captured", "password": PASSWORD}
    ))  # fmt: skip
    cookie = send(stage, login)[2]["Set-Cookie"].partition(";")[0]
    session = Hand(stage, ("Cookie", cookie), ("X-Roost-CSRF", "1"))
    token = session.does("POST", "/api/v1/tokens", {"name": "captured"})
    bearer = Hand(stage, ("Authorization", f"Bearer {token['token']}"))
    for hand, name in ((session, "one"), (bearer, "two")):
        _works(hand, name)
    bearer.does("DELETE", f"/api/v1/tokens/{token['name']}")
    session.does("DELETE", "/api/v1/session")
    asked = session.asked + bearer.asked
    before = state(stage.central.data_dir)
    for again in (asked, asked[::-1], dice.sample(asked, len(asked))):
        answers = [(each, send(stage, each)[0]) for each in again]
        faults = [
            f"{each.method} {each.path}: {status}"
            for each, status in answers
            if status not in NOBODY
        ]
        faults += differences(before, state(stage.central.data_dir))
        yield "requests of who logged out or lost the token", len(again), faults


def _works(hand: Hand, name: str) -> None:
    """Do one thing of each kind that an operator does."""
    node, reason = f"{SITE}.n1", {"reason": "the proof"}
    hand.does("GET", "/api/v1/me")
    hand.does("POST", "/api/v1/users", {"name": name, "grants": [], "password": PASSWORD})
    hand.does("PUT", f"/api/v1/users/{name}", {"grants": [{"role": "viewer", "on": ""}]})
    hand.does("DELETE", f"/api/v1/users/{name}")
    claim = hand.does("POST", "/api/v1/claims", {"site": SITE})
    hand.does("DELETE", f"/api/v1/claims/{claim['id']}")
    view = hand.does("POST", "/api/v1/views", {"name": name, "page": "alarms"})
    hand.does("DELETE", f"/api/v1/views/{view['id']}")
    silence = hand.does("POST", "/api/v1/suppressions", {"type": "750.801", **reason})
    hand.does("DELETE", f"/api/v1/suppressions/{silence['id']}")
    hand.does("GET", f"/api/v1/nodes/{node}")


def send(stage: FleetStage, request: Request) -> tuple[int, str, dict[str, str]]:
    """Ask the API; return status, text and headers."""
    link = http.client.HTTPConnection("127.0.0.1", stage.central.port, timeout=30)
    try:
        link.request(request.method, request.path, request.body or None, dict(request.headers))
        with link.getresponse() as answer:
            return answer.status, answer.read().decode(), dict(answer.headers)
    finally:
        link.close()
