"""A whole centre that lets boxes in: signer, centre, the fleet's broker, and boxes."""

import http.client
import json
import os
import signal
import sqlite3
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from ca import DOMAIN, Pki, SignerProcess, unlimited
from central_process import CentralProcess
from loopback_ports import free_port
from program import Program
from waiting import wait_until

JOIN_S = 60


class FleetBroker(Program):
    """``roost-central broker``, on the configuration of its centre."""

    def __init__(self, folder: Path, config: Path) -> None:
        super().__init__(folder / "fleet-broker.log")
        self.port = free_port()
        self._config = config

    def start(self) -> None:
        """Run; it takes a moment until it listens."""
        self._launch(sys.executable, "-m", "roost_central", "broker", "--config", self._config)


class FleetStage:
    """Everything; ``start`` runs it."""

    def __init__(self, folder: Path, *, connections_max: int = 100) -> None:
        self.folder = folder
        self.pki = Pki(folder / "pki", unlimited())
        self.signer = SignerProcess(self.pki)
        self.central = CentralProcess(folder)
        self.broker = FleetBroker(folder, self.central.config)
        self.enrol_port = free_port()
        self.url = f"https://127.0.0.1:{self.enrol_port}"
        self.central.configure(
            f'[fleet]\ndomain = "{DOMAIN}"\n[signer]\nsocket = "{self.pki.socket}"\n'
            f'[fleet_broker]\nhost = "127.0.0.1"\nport = {self.broker.port}\n'
            f"connections_max = {connections_max}\n"
            f'[enrol]\nport = {self.enrol_port}\npublic_url = "{self.url}"\n'
            f'[[enrol.broker]]\nname = "b1"\nurl = "mqtts://127.0.0.1:{self.broker.port}"\n'
        )

    def start(self) -> None:
        """Run all of it, and return once boxes are let in."""
        self.signer.start()
        self.broker.start()
        self.start_centre()

    def start_centre(self) -> None:
        """Run the centre on a signer and a broker that run, and return once boxes are let in."""
        self.central.start()
        self.central.ready()
        wait_until(
            lambda: "boxes are let in" in self.central.log.read_text(),
            f"enrolment: {self.central.log}",
        )

    def stop(self) -> None:
        """End all of it."""
        for program in (self.central, self.broker, self.signer):
            program.kill()

    def cut_wan(self) -> None:
        """Stop broker and centre with all that they started: nobody beyond a site answers."""
        self._signal(signal.SIGSTOP)

    def mend_wan(self) -> None:
        """Let them go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for program in (self.broker, self.central):
            top = psutil.Process(program.pid)
            for each in (top, *top.children(recursive=True)):
                each.send_signal(number)

    @contextmanager
    def running(self) -> Iterator["FleetStage"]:
        """Run all of it while the context lasts; a start that fails leaves nothing behind."""
        try:
            self.start()
            yield self
        finally:
            self.stop()

    def add_site(self, site: str, *nodes: str) -> None:
        """Register a site with slots."""
        names = ", ".join(f'"{node}"' for node in nodes)
        line = f'{{"site": "{site}", "nodes": [{names}]}}\n'
        self.central.post_lines("/api/v1/sites:import", line.encode())

    def states(self, node: str) -> dict[int, str]:
        """Return where each generation of a node stands, as the database has it."""
        with sqlite3.connect(f"file:{self.central.data_dir}/roost.db?mode=ro", uri=True) as base:
            rows = base.execute("SELECT generation, state FROM identity WHERE node = ?", [node])
            return dict(rows.fetchall())

    def ask_boxes(self, path: str, body: object) -> tuple[int, str]:
        """Post to the listener of boxes without any certificate."""
        context = ssl.create_default_context(cafile=str(self.pki.root_file))
        context.check_hostname = False
        link = http.client.HTTPSConnection("127.0.0.1", self.enrol_port, context=context)
        try:
            link.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            with link.getresponse() as answer:
                return answer.status, answer.read().decode()
        finally:
            link.close()

    def token(self, site: str, **more: object) -> str:
        """Make a token."""
        body = {"site": site, "auto_approve": True, **more}
        return str(self.central.post("/api/v1/claims", body)["token"])


class Box:
    """A new box: a folder that its state is to be in."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.state_dir = folder / "state"
        self.log = folder / "join.log"
        self.identity = self.state_dir / "identity"

    def join(
        self, url: str, *words: str, token: str = "", wait_h: float = 0.01
    ) -> subprocess.CompletedProcess[str]:
        """Run ``roost-agent join`` to its end."""
        more = ["--token", "-"] if token else []
        return subprocess.run(
            [*self._words(url, wait_h), *more, *words],
            input=f"{token}\n", capture_output=True, text=True, timeout=JOIN_S, check=False,
        )  # fmt: skip

    def start_join(self, url: str, *words: str, wait_h: float = 0.1) -> subprocess.Popen[str]:
        """Run it, and let it wait."""
        with self.log.open("w") as log:
            return subprocess.Popen(
                [*self._words(url, wait_h), *words],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip

    def _words(self, url: str, wait_h: float) -> list[str]:
        return [
            sys.executable, "-m", "roost_agent", "join", url,
            "--state-dir", str(self.state_dir), "--wait-h", str(wait_h),
        ]  # fmt: skip


def roost(stage: FleetStage, *words: str, fails: bool = False) -> str:
    """Run the operator's command; return what it printed, or what it complained of."""
    done = subprocess.run(
        [sys.executable, "-m", "roost_central.cli", *words],
        env=os.environ | {"ROOST_URL": stage.central.url, "ROOST_TOKEN": stage.central.token},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert bool(done.returncode) is fails, done.stderr
    return done.stderr if fails else done.stdout
