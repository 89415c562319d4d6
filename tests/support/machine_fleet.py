"""Machines that take releases of app/web from a real centre with its signer and broker."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from fleet_stage import Box, FleetStage
from program import Program
from release_stage import ReleaseDesk, roost
from updated_machine import UpdatedMachine
from waiting import wait_until

NODE = "n1"
PATIENT_S = 240.0
M = TypeVar("M", bound=UpdatedMachine)
PLAN = """\
name = "web {version}"
component = "app/web"
version = "{version}"
selector = "{selector}"
approvers = 0
uncovered_ok = true
[wave_defaults]
{settled}
[[wave]]
name = "canary"
sites = ["{canary}"]
"""
_BEYOND = """\
[[wave]]
sites = {sites}
"""
_NEIGHBOUR = """\
state_dir = "{state_dir}"
[beat]
interval_s = 1
[alarms]
socket = "{folder}/alarm.sock"
"""


class MachineFleet(Generic[M]):
    """The fleet.

    Attributes:
        stage: the centre with its programs.
        machines: by their folders' names: of the site, where it has one node, else of the node.
    """

    def __init__(self, stage: FleetStage, desk: ReleaseDesk, folder: Path) -> None:
        self.machines: dict[str, M] = {}
        self._sites: list[str] = []  # that take releases, the canary first
        self.stage, self._desk, self._folder = stage, desk, folder
        self._counter = 0

    def add(self, kind: type[M], site: str, node: str, name: str) -> M:
        """Let a machine in; it does not run yet.

        Args:
            kind: of machine.
            site, node: a slot that is registered.
            name: of its folder.
        """
        if site not in self._sites:
            self._sites.append(site)
        made = self.machines[name] = kind(self._joined(site, node, name))
        words = ["--image-root", self._desk.folder / "anchors/image-root.json"]
        words += ["--state-dir", made.folder / "state", "--trust-dir", made.trust]
        command = [sys.executable, "-m", "roost_agent", "verify", "anchor", *map(str, words)]
        subprocess.run(command, check=True)
        return made

    def add_neighbour(self, site: str) -> Program:
        """Let in and start an agent that beats and takes nothing: the fleet is larger by it."""
        self.stage.add_site(site, NODE)
        box = self._joined(site, NODE, site)
        config = box.state_dir.parent / "agent.toml"
        config.write_text(_NEIGHBOUR.format(state_dir=box.state_dir, folder=config.parent))
        made = Program(config.with_suffix(".log"))
        made._launch(sys.executable, "-m", "roost_agent", "run", "--config", config)
        return made

    def _joined(self, site: str, node: str, name: str) -> Box:
        box = Box(self._folder / name)
        token = self.stage.token(site, broker=True)
        joined = box.join(self.stage.url, "--name", node, token=token)
        assert joined.returncode == 0, joined.stderr
        return box

    def publish(self, version: str, files: dict[str, bytes], *words: str) -> None:
        """Have a release signed and served."""
        self._counter += 1
        self._desk.publish(self._desk.build(version, self._counter, files, *words))

    def roll(self, version: str, settled: str) -> str:
        """Start the rollout of a version; return its id.

        Args:
            version: that is published.
            settled: lines of the plan's ``wave_defaults``.
        """
        plan = self._folder / f"{version}.toml"
        text = PLAN.format(
            version=version, settled=textwrap.dedent(settled), canary=self._sites[0],
            selector=f"site:{','.join(self._sites)}",
        )  # fmt: skip
        if beyond := self._sites[1:]:
            text += _BEYOND.format(sites=json.dumps(beyond))  # a list of TOML is written the same
        plan.write_text(text)
        made = json.loads(self.roost("rollout", "create", str(plan), "-o", "json"))
        rollout = str((made[0] if isinstance(made, list) else made)["id"])
        self.roost("rollout", "start", rollout)
        return rollout

    def reaches(self, rollout: str, state: str) -> None:
        """Wait until a rollout is in a state."""
        try:
            wait_until(
                lambda: self.state(rollout) == state,
                f"rollout is {state}", seconds=PATIENT_S, step_s=0.2,
            )  # fmt: skip
        except AssertionError as err:
            text = f"{err}; it is {self.state(rollout)}: {self.jobs(rollout)}"
            raise AssertionError(text) from err

    def state(self, rollout: str) -> str:
        """Return where a rollout is."""
        return str(self.stage.central.get(f"/api/v1/rollouts/{rollout}")["state"])

    def jobs(self, rollout: str) -> dict[str, tuple[str, str]]:
        """Return state and detail of each site's job."""
        items = self.stage.central.get(f"/api/v1/rollouts/{rollout}/jobs")["items"]
        return {job["site"]: (job["state"], job["detail"]) for job in items}

    def roost(self, *words: str) -> str:
        """Give a command as an operator."""
        return roost(self.stage, *words)


@contextmanager
def machine_fleet(
    folder: Path, *sites: str, neighbours: int
) -> Iterator[MachineFleet[UpdatedMachine]]:
    """A machine for each of these sites, and neighbours; all run while the context lasts."""
    stage = FleetStage(folder / "fleet")
    desk = ReleaseDesk(stage, folder / "desk")
    first = desk.ceremony()
    with stage.running(), ExitStack() as ends:
        roost(stage, "release", "publish", first)
        made = MachineFleet[UpdatedMachine](stage, desk, folder)
        for site in sites:
            stage.add_site(site, NODE)
            machine = made.add(UpdatedMachine, site, NODE, site)
            machine.start()
            ends.callback(machine.stop)
        for number in range(neighbours):
            ends.callback(made.add_neighbour(f"calm{number}").kill)
        yield made
