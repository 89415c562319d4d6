"""Proof: no role reaches what its grants do not say, by any operation of the API, on any object.

The operations are those of the running centre's own OpenAPI document, each with its permission; the
callers are every role over everything, every role over one region, two grants that must not be put
together, a token that may less than its owner, and nobody. Objects are inside and outside of the
region. Bodies and queries are drawn at random from the document's schemas, so most are refused as
such: what counts is who gets a 2xx that he must not, a 401 or 403 that he must not, a word of a
site that he may not see, and a 5xx.
"""

import json
import random
import re
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from central_process import CentralProcess
from proof import Proof

ROLES = {
    "viewer": {"read"},
    "operator": {"read", "alarm", "host"},
    "release": {"read", "alarm", "release"},
    "admin": {"read", "alarm", "host", "release", "admin"},
}
MINE, THEIRS = "mine-1", "theirs-1"
SECRET = "carrier-of-others"
REGION = "region:r01"
ROUNDS = 6  # of every operation by every caller
BODY_BYTES_MAX = 1 << 20
LEFT_OUT = {"GET /api/v1/stream", "DELETE /api/v1/session"}  # endless; ends what asks


@dataclass
class Caller:
    """Somebody with a token, and the permissions everywhere (``whole``) and in REGION."""

    name: str
    grants: list[dict[str, str]]
    token: str = ""
    whole: set[str] = field(default_factory=set)
    scoped: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for grant in self.grants:
            (self.scoped if grant["on"] else self.whole).update(ROLES[grant["role"]])


@dataclass
class Tally:
    """What was asked, and what must not have been answered."""

    asked: int = 0
    let_in: list[str] = field(default_factory=list)
    kept_out: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Ask everything as everybody."""
    dice, rounds = random.Random(seed), max(1, round(ROUNDS * share))  # noqa: S311 - seeded
    with tempfile.TemporaryDirectory() as folder:
        central = CentralProcess(Path(folder))
        central.start()
        try:
            central.ready()
            tally = Matrix(central, dice).run(rounds, say)
        finally:
            central.kill()
    wrong = tally.let_in + tally.kept_out + tally.told
    note = "role x operation x object of the OpenAPI document: unexpected 2xx, refusals, leaks"
    yield Proof("authz.matrix", tally.asked, len(wrong), seed, _with(note, wrong))
    note = "the same requests, bodies and queries drawn from the schemas: answers of 500 and more"
    yield Proof("authz.no_5xx", tally.asked, len(tally.failed), seed, _with(note, tally.failed))


class Matrix:
    """One centre and everybody who asks it."""

    def __init__(self, central: CentralProcess, dice: random.Random) -> None:
        self.central = central
        self.dice = dice
        self.tally = Tally()
        self.document = central.get("/api/openapi.json")
        self.callers = [
            *(Caller(f"{role}-all", [{"role": role, "on": ""}]) for role in ROLES),
            *(Caller(f"{role}-one", [{"role": role, "on": REGION}]) for role in ROLES),
            Caller("both", [{"role": "viewer", "on": ""}, {"role": "operator", "on": REGION}]),
            Caller("none", []),
        ]

    def run(self, rounds: int, say: Callable[[str], None]) -> Tally:
        """Ask; what a round changed is put back before the next."""
        for number in range(rounds):
            self._prepare(number)
            say(f"round {number + 1} of {rounds}")
            for path, methods in self.document["paths"].items():
                for method, operation in methods.items():
                    label = f"{method.upper()} {path}"
                    if operation.get("x-permission") and label not in LEFT_OUT:
                        for caller in self.callers:
                            self._ask(caller, method.upper(), path, operation)
        return self.tally

    def _prepare(self, number: int) -> None:
        sites = [
            {"site": MINE, "labels": {"region": "r01"}, "nodes": ["n1"]},
            {"site": THEIRS, "labels": {"region": "r02", "carrier": SECRET}, "nodes": ["n1"]},
        ]
        lines = b"".join(json.dumps(site).encode() + b"\n" for site in sites)
        self.central.post_lines("/api/v1/sites:import", lines)
        for caller in self.callers:
            name = f"{caller.name}-{number}"
            self.central.post("/api/v1/users", {
                "name": name, "grants": caller.grants, "password": "correct horse battery"
            })  # fmt: skip
            caller.token = self._token_of(name)

    def _token_of(self, name: str) -> str:
        """Log in as somebody and make a token, as a person does."""
        body = {"user": name, "password": "correct horse battery"}
        _, _, headers = self._send("POST", "/api/v1/session", "", body)
        cookie = headers["Set-Cookie"].partition(";")[0]
        request = urllib.request.Request(  # noqa: S310 - of a proof's own centre
            f"{self.central.url}/api/v1/tokens",
            json.dumps({"name": f"t-{name}"}).encode(),
            {"Cookie": cookie, "X-Roost-CSRF": "1", "Content-Type": "application/json"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
            return str(json.load(answer)["token"])

    def _ask(self, caller: Caller, method: str, path: str, operation: dict[str, Any]) -> None:
        wanted = operation["x-permission"]
        site = self.dice.choice((MINE, THEIRS))
        names = {"site": site, "node": f"{site}.n1"}
        filled = re.sub(r"\{(\w+)\}", lambda found: names.get(found[1], "01J0"), path)
        body = self._body(operation)
        query = self._query(operation)
        status, text, _ = self._send(method, filled + query, caller.token, body)
        what = f"{method} {filled}{query} by {caller.name}: {status}"
        self.tally.asked += 1
        may = wanted in caller.whole | caller.scoped
        is_whole = wanted in caller.whole
        if status >= 500:
            self.tally.failed.append(what)
        is_far = site == THEIRS and bool(re.search(r"\{(site|node)\}", path)) and not is_whole
        if status < 300 and (is_far or not may):
            self.tally.let_in.append(what)
        if status in {401, 403} and is_whole:
            self.tally.kept_out.append(what)
        if "read" not in caller.whole and SECRET in text:
            self.tally.told.append(what)

    def _send(
        self, method: str, path: str, token: str, body: object
    ) -> tuple[int, str, dict[str, str]]:
        headers = {"Content-Type": "application/json", "If-Match": "*"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.central.url}{path}"
        request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - as above
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
                text = answer.read(BODY_BYTES_MAX).decode(errors="replace")
                return answer.status, text, dict(answer.headers)
        except urllib.error.HTTPError as err:
            return err.code, err.read(BODY_BYTES_MAX).decode(errors="replace"), dict(err.headers)

    def _query(self, operation: dict[str, Any]) -> str:
        """Return some of an operation's parameters, drawn; half of the time none."""
        if self.dice.random() < 0.5:
            return ""
        drawn = {
            each["name"]: self._drawn(each.get("schema", {}), 0)
            for each in operation.get("parameters", ())
            if each.get("in") == "query" and self.dice.random() < 0.4
        }
        return f"?{urllib.parse.urlencode(drawn, errors='surrogatepass')}" if drawn else ""

    def _body(self, operation: dict[str, Any]) -> object:
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        return None if content is None else self._drawn(content["schema"], 0)

    def _drawn(self, schema: dict[str, Any], depth: int) -> object:
        """Return something of a schema, or something near it."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return self._drawn(self.document["components"]["schemas"][name], depth)
        for choice in ("anyOf", "oneOf", "enum"):
            if choice in schema:
                found = self.dice.choice(schema[choice])
                return found if choice == "enum" else self._drawn(found, depth)
        kind = schema.get("type")
        if kind == "object" and depth < 4:
            needed = set(schema.get("required", ()))
            return {
                name: self._drawn(part, depth + 1)
                for name, part in schema.get("properties", {}).items()
                if name in needed or self.dice.random() < 0.5
            }
        if kind == "array" and depth < 4:
            items = schema.get("items", {})
            return [self._drawn(items, depth + 1) for _ in range(self.dice.randrange(3))]
        words = ("x", "", "\x00", "region:r02", "sev=critical", "a" * 300, "\ud7ff", "null")
        numbers = (0, 1, -1, 60, 2**31, 2**63, 1e300)
        return {
            "string": self.dice.choice(words),
            "integer": self.dice.choice(numbers[:6]),
            "number": self.dice.choice(numbers),
            "boolean": self.dice.random() < 0.5,
        }.get(str(kind))


def _with(note: str, wrong: list[str]) -> str:
    return f"{note}; the first: {wrong[0]}" if wrong else note
