"""A whole centre that lets boxes in: signer, centre, a broker that only nodes reach, and boxes."""

import os
import subprocess
import sys
from pathlib import Path

from broker import PROGRAM
from ca import DOMAIN, Pki, SignerProcess, unlimited
from central_process import CentralProcess
from program import Program
from waiting import free_port, wait_until

from roost_protocol.certificate import Holder, Kind

JOIN_S = 60


class FleetBroker(Program):
    """Mosquitto with two listeners: nodes by their certificates, and this machine's centre."""

    def __init__(self, folder: Path, pki: Pki) -> None:
        super().__init__(folder / "fleet-broker.log")
        self.port, self.inner_port = free_port(), free_port()
        own = pki.issue(Holder(Kind.SERVER, "b1"))
        acl = folder / "fleet.acl"
        acl.write_text("pattern write roost/v1/+/%u/up/#\npattern read roost/v1/+/%u/down/#\n")
        acl.chmod(0o600)
        self._file = folder / "fleet-broker.conf"
        self._file.write_text(
            "per_listener_settings true\n"
            f"listener {self.port} 127.0.0.1\n"
            "set_tcp_nodelay true\nmax_packet_size 270336\npersistence false\n"
            f"cafile {pki.root_file}\ncertfile {own.chain_file}\nkeyfile {own.key_file}\n"
            "require_certificate true\nuse_identity_as_username true\n"
            f"acl_file {acl}\n"
            f"listener {self.inner_port} 127.0.0.1\nallow_anonymous true\n"
            + ("user root\n" if os.getuid() == 0 else "")
        )

    def start(self) -> None:
        """Run, and return once it says so."""
        assert PROGRAM is not None
        self._launch(PROGRAM, "-c", self._file)
        wait_until(lambda: "running" in self.log.read_text(), "fleet broker")


class FleetStage:
    """Everything; ``start`` runs it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pki = Pki(folder / "pki", unlimited())
        self.signer = SignerProcess(self.pki)
        self.broker = FleetBroker(folder, self.pki)
        self.central = CentralProcess(folder, f"mqtt://127.0.0.1:{self.broker.inner_port}")
        self.enrol_port = free_port()
        self.url = f"https://127.0.0.1:{self.enrol_port}"
        self.central.configure(
            f'[fleet]\ndomain = "{DOMAIN}"\n[signer]\nsocket = "{self.pki.socket}"\n'
            f'[enrol]\nport = {self.enrol_port}\npublic_url = "{self.url}"\n'
            f'[[enrol.broker]]\nname = "b1"\nurl = "mqtts://127.0.0.1:{self.broker.port}"\n'
        )

    def start(self) -> None:
        """Run all of it, and return once boxes are let in."""
        self.signer.start()
        self.broker.start()
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

    def add_site(self, site: str, *nodes: str) -> None:
        """Register a site with slots."""
        names = ", ".join(f'"{node}"' for node in nodes)
        line = f'{{"site": "{site}", "nodes": [{names}]}}\n'
        self.central.post_lines("/api/v1/sites:import", line.encode())

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
