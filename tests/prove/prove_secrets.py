"""Proof: what is secret turns up nowhere but where it belongs, also where things go wrong.

A whole fleet runs: signer, centre, broker, a box that joins, an agent, an operator who logs in,
makes a user, a token and a claim. Then it goes wrong: wrong passwords and tokens, a table that has
gone while secrets are on their way, a signer, a centre and an agent that are killed with SIGABRT
while they work. Looked through are every file of it (logs, database and its write-ahead log, crash
output), what is said on the broker and what it retains, the argument lists of all processes,
everything the API gives an admin, and a dump of the database.
"""

import json
import signal
import sqlite3
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from ca import PASSPHRASE
from canaries import Canaries, argument_lists
from fleet_stage import Box, FleetStage, roost
from mqtt_peer import Peer
from program import Program
from proof import Proof
from waiting import wait_until

from roost_protocol.certificate import Holder, Kind
from roost_protocol.join_token import parse_token

NOTE = (
    "places of a fleet that works and breaks: a planted secret is where it belongs, and only there"
)
PASSWORD, WRONG = "canary-of-a-password-7", "canary-of-a-typing-error-7"
BEARER = "rtk_canary-that-nobody-gave-0123456789abcdef"
LEFT_OUT = {"/api/v1/stream"}  # endless


class Agent(Program):
    """``roost-agent run`` on what a box joined with."""

    def __init__(self, box: Box, folder: Path) -> None:
        super().__init__(folder / "agent.log")
        self._config = folder / "etc"
        self._config.mkdir()
        (self._config / "agent.toml").write_text(
            f'state_dir = "{box.state_dir}"\n[beat]\ninterval_s = 1\n'
        )

    def start(self) -> None:
        """Run."""
        self._launch(
            sys.executable,
            "-X",
            "faulthandler",
            "-m",
            "roost_agent",
            "run",
            "--config",
            self._config,
        )


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Run it, break it, and look."""
    del share  # it is one run, and short
    with tempfile.TemporaryDirectory(prefix="roost-secrets-") as text:
        scene = Scene(Path(text))
        places, leaks = scene.run(say)
    for leak in leaks:
        say(leak)
    note = NOTE if not leaks else f"{NOTE}; the first: {leaks[0]}"
    yield Proof("secrets.canary", runs=places, failures=len(leaks), seed=seed, note=note)


class Scene:
    """The fleet, its secrets, and what was heard."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stage = FleetStage(folder)
        self.box = Box(folder / "box")
        self.agent = Agent(self.box, folder / "box")
        self.canaries = Canaries()
        self.heard: list[tuple[str, bytes]] = []

    def run(self, say: Callable[[str], None]) -> tuple[int, list[str]]:
        """Return in how many places was looked, and every secret that was somewhere else."""
        with ExitStack() as stack:
            lists = stack.enter_context(argument_lists())
            stack.callback(self.stage.stop)
            stack.callback(self.agent.kill)
            self.stage.start()
            self._plant_files()
            say("it works")
            self._works(stack)
            answers = self._answers()
            say("it breaks")
            self._breaks()
            answers |= self._answers()
            dump = self._dump()
        if not self.heard or not any(b"roost_agent join" in each for each in lists):
            raise AssertionError(
                "nothing was heard, or no process seen: there is nothing to look at"
            )
        said = [(f"topic {topic}", topic.encode() + b" " + body) for topic, body in self.heard]
        bytes_ = [*said, *answers.items(), ("a dump of the database", dump)]
        bytes_ += [(f"the argument list {each[:60]!r}", each) for each in lists]
        leaks = [hit for where, data in bytes_ for hit in self.canaries.found(where, data)]
        files = sum(1 for each in self.folder.rglob("*") if each.is_file())
        say(f"{len(self.canaries.forms)} secrets, {len(bytes_)} texts and {files} files")
        return len(bytes_) + files, [*leaks, *self.canaries.found_below(self.folder)]

    def _plant_files(self) -> None:
        plant, central = self.canaries.plant, self.stage.central
        plant("admin token", central.token, "admin.token")
        plant("ingest key", (central.data_dir / "ingest.key").read_bytes(), "ingest.key")
        plant("passphrase", PASSPHRASE)
        plant("password", PASSWORD)
        plant("wrong password", WRONG)
        plant("wrong token", BEARER)
        for file in self.stage.pki.signer_dir.glob("*.key"):
            self.canaries.plant_key(f"signer's {file.stem}", file, f"/signer/{file.name}")
        for file in central.data_dir.rglob("key.pem"):
            self.canaries.plant_key(f"centre's {file.parent.name}", file, "/key.pem")

    def _works(self, stack: ExitStack) -> None:
        stage, plant = self.stage, self.canaries.plant
        stack.enter_context(self._listening())
        stage.add_site("edge", "n1")
        token = stage.token("edge")
        plant("token of a claim", token)
        plant("secret of a claim", parse_token(token).secret)
        done = self.box.join(stage.url, token=token)
        if done.returncode:
            raise AssertionError(done.stderr)
        self.heard.append(("what join printed", (done.stdout + done.stderr).encode()))
        for name in ("node", "lan", "broker"):
            key = self.box.identity / f"{name}.key"
            if key.exists():
                self.canaries.plant_key(f"node's {name} key", key, f"/identity/{name}.key")
        plant("report key", (self.box.identity / "report.key").read_bytes(), "/identity/report.key")
        self.agent.start()
        wait_until(
            lambda: stage.central.get("/api/v1/nodes/edge.n1")["presence"] == "online", "the node"
        )
        body = {"name": "ann", "password": PASSWORD, "grants": [{"role": "admin", "on": ""}]}
        stage.central.post("/api/v1/users", body)
        made = stage.central.post("/api/v1/tokens", {"name": "ci", "for_s": 86_400})
        plant("api token", made["token"])
        self._log_in(PASSWORD)
        self.heard.append(("what the command says", roost(stage, "token", "list").encode()))

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Hear all that nodes say, and what is retained for whoever comes later."""
        pki = self.stage.pki
        files = pki.issue(Holder(Kind.SERVICE, "ingest"))
        with Peer(
            self.stage.broker.port, pki.root_file, (files.chain_file, files.key_file), client_id="x"
        ) as peer:
            peer.subscribe("roost/v1/+/+/up/#")
            yield
            while (message := peer.next(within_s=0.1)) is not None:
                self.heard.append(message)

    def _breaks(self) -> None:
        stage = self.stage
        for password in (WRONG, f"{PASSWORD} "):
            self._log_in(password)
        self._ask("GET", "/api/v1/status", bearer=BEARER)
        self._ask("POST", "/api/v1/users", {"name": "b", "password": PASSWORD, "grants": "none"})
        self._ask("GET", f"/api/v1/status?token={BEARER}")
        token = stage.token("edge")
        self.canaries.plant("another claim", parse_token(token).secret)
        with self._without("claim"), self._without("account"):
            self._ask("POST", "/api/v1/claims", {"site": "edge"})
            self._log_in(PASSWORD)
            self._ask("POST", "/api/v1/users", {"name": "c", "password": PASSWORD, "grants": []})
            failed = Box(self.folder / "second").join(stage.url, token=token, wait_h=0.001)
        self.heard.append(("what a failed join printed", (failed.stdout + failed.stderr).encode()))
        blocked = Box(self.folder / "third")
        blocked.state_dir.write_text("in its way")
        failed = blocked.join(stage.url, token=token)
        self.heard.append(("what a blocked join printed", (failed.stdout + failed.stderr).encode()))
        time.sleep(1)  # the agent beats, the centre notes it
        for program in (self.agent, stage.signer, stage.central):
            program.kill(signal.SIGABRT)
        stage.signer.start()
        stage.central.start()
        stage.central.ready()

    @contextmanager
    def _without(self, table: str) -> Iterator[None]:
        """Have the centre fail in the midst of what it does: a table is not there."""
        with closing(sqlite3.connect(self.stage.central.data_dir / "roost.db", timeout=30)) as base:
            base.execute(f"ALTER TABLE {table} RENAME TO {table}_gone")
            base.commit()
            try:
                yield
            finally:
                base.execute(f"ALTER TABLE {table}_gone RENAME TO {table}")
                base.commit()

    def _log_in(self, password: str) -> None:
        cookie = self._ask("POST", "/api/v1/session", {"user": "ann", "password": password})
        if cookie:
            self.canaries.plant("session", cookie.partition("=")[2].partition(";")[0])

    def _ask(self, method: str, path: str, body: object = None, *, bearer: str = "") -> str:
        """Ask, whatever comes of it; keep what was answered; return the cookie."""
        request = urllib.request.Request(  # noqa: S310 - of the proof's own centre
            f"{self.stage.central.url}{path}",
            None if body is None else json.dumps(body).encode(),
            {
                "Authorization": f"Bearer {bearer or self.stage.central.token}",
                "Content-Type": "application/json",
            },
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
                text, cookie = answer.read(), str(answer.headers.get("Set-Cookie") or "")
        except urllib.error.HTTPError as err:
            text, cookie = err.read(), ""
        self.heard.append((f"the answer of {method} {path.partition('?')[0]}", text))
        return cookie

    def _answers(self) -> dict[str, bytes]:
        """Return all that the API gives an admin to read, by address."""
        central, found = self.stage.central, {}
        places = {"{site}": "edge", "{node}": "edge.n1", "{user}": "ann"}
        for path, methods in central.get("/api/openapi.json")["paths"].items():
            address = path
            for name, value in places.items():
                address = address.replace(name, value)
            if "get" in methods and "{" not in address and path not in LEFT_OUT:
                self._ask("GET", address)
                found[f"the answer of {address}"] = self.heard.pop()[1]
        return found

    def _dump(self) -> bytes:
        with closing(sqlite3.connect(self.stage.central.data_dir / "roost.db")) as base:
            return "\n".join(base.iterdump()).encode(errors="surrogateescape")
