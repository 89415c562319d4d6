"""Runs the agent as its users do: a configuration, a process, its control socket."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from program import Program
from waiting import wait_until

COMMAND = [sys.executable, "-m", "roost_agent"]
NODE = "lab.n1"


class AgentProcess(Program):
    """One agent; each start is a new process on the same state."""

    def __init__(
        self, folder: Path, paths: dict[str, str], *, state_dir: Path | None = None, more: str = ""
    ):
        self.folder = folder
        self.state_dir = state_dir or folder / "state"
        super().__init__(folder / "agent.log")
        self._config = folder / "agent.toml"
        tables = [
            f'[[path]]\nname = "{name}"\nkind = "{name.rstrip("0123456789")}"\n'
            f'broker = "{url}"\n{more}'
            for name, url in paths.items()
        ]
        self._config.write_text(
            f'site = "lab"\nnode = "n1"\nstate_dir = "{self.state_dir}"\n'
            "[beat]\ninterval_s = 2\nsite_interval_s = 1\n" + "".join(tables)
        )

    def start(self, before: tuple[str, ...] = ()) -> None:
        """Start it, by a program that is before it; it may take a moment until it beats."""
        env = os.environ | {"MALLOC_ARENA_MAX": "2"}  # as the unit sets it
        self._launch(*before, *COMMAND, "run", "--config", self._config, env=env)

    def stop(self) -> int:
        """End it politely and return its exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(15)
        self._process = None
        return status

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run another command of the agent against the same configuration."""
        return subprocess.run(
            [*COMMAND, *argv, "--config", str(self._config)],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    def status(self) -> dict:
        """What the running agent says of itself."""
        answer = wait_until(self._try_status, f"an answer: {self.log.read_text()}")
        return json.loads(answer)

    def path_states(self) -> dict[str, str]:
        """State by path."""
        return {path["path"]: path["state"] for path in self.status()["paths"]}

    def _try_status(self) -> str:
        return self.run("status", "--json").stdout
