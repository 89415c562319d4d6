"""A site of three machines with local HA that takes releases, and a WAN that can be cut.

Local HA is as the demo's site has it (demo/lab.py): networks and brokers on loopback, a guard a
node, services in a cgroup: a 2N group on two nodes and one that runs everywhere. The
WAN is cut by the stage.
"""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from fleet_stage import FleetStage
from machine_fleet import MachineFleet
from program import Program
from release_stage import ReleaseDesk, roost
from updated_machine import UpdatedMachine
from waiting import wait_until

from roost_central.demo import cast, lab
from roost_central.rollout.job import Job, job_id

SITE, NODES = cast.SITE, cast.NODES
HA_S = 120.0  # until three agents that begin on a busy machine are a site


class SiteMachine(UpdatedMachine):
    """One of the three; see UpdatedMachine."""

    # A broker that is gone is taken for there for a while, then it has to be well without a break.
    VERIFY_S = 120
    DEBOUNCE_S = 3
    _lab: lab.Lab

    def begin_in(self, its: lab.Lab) -> None:
        """Give it its place in local HA; before its first start."""
        self._lab = its
        node = self.folder.name
        file = self.folder / "agent/agent.toml"
        file.write_text(f'{file.read_text()}[ha]\nfile = "{its.file(node)}"\n')
        guards = {each.name.removeprefix("guard-"): each for each in its.guards()}
        self._guard_words = guards[node].argv
        self._guard = Program(self.folder / "guard.log")

    def _begin(self) -> None:
        self._guard._launch(*self._inside(), *self._guard_words)
        super()._begin()

    def _end(self) -> None:
        super()._end()
        self._guard.kill()
        assert self._lab.root is not None
        with suppress(OSError):
            (self._lab.root / self.folder.name / "cgroup.kill").write_text("1")
        with suppress(OSError, ValueError):  # its site broker, which outlives an agent
            os.kill(int((self.folder / "state/ha/broker/pid").read_text()), signal.SIGKILL)

    def forget_boots(self) -> None:
        """Let a day pass for root's count of ordered boots."""
        self._helper.kill()
        (self.folder / "helper/reboots.json").unlink(missing_ok=True)
        (self.folder / "helper.sock").unlink(missing_ok=True)
        self._start_helper()


class MachineSite(MachineFleet[SiteMachine]):
    """The three, and their WAN."""

    def settled(self) -> None:
        """Wait until the site serves, with its redundancy."""
        wait_until(self._is_settled, "local HA of the site is settled", seconds=HA_S, step_s=0.3)

    def job_of(self, rollout: str) -> str:
        """Return the name of the site's job on the wire."""
        nodes = tuple(f"{SITE}.{node}" for node in NODES)
        return job_id(rollout, Job(site=SITE, wave=0, nodes=nodes, former=("", ""), hw="", link=""))

    def _is_settled(self) -> bool:
        groups = self.stage.central.get(f"/api/v1/sites/{SITE}/ha")["groups"]
        found = {group["group"]: group["redundancy"] for group in groups}
        return found.get(lab.GROUP) == "ok"


@contextmanager
def machine_site(folder: Path, kind: type[SiteMachine] = SiteMachine) -> Iterator[MachineSite]:
    """The site, which runs while the context lasts; ``kind``: of its machines."""
    stage = FleetStage(folder / "fleet")
    desk = ReleaseDesk(stage, folder / "desk")
    first = desk.ceremony()
    with stage.running(), ExitStack() as ends:
        roost(stage, "release", "publish", first)
        made = MachineSite(stage, desk, folder)
        its = asyncio.run(lab.prepared(folder))
        assert its.root is not None, its.why
        ends.callback(_remove, its.root)
        stage.add_site(SITE, *NODES)
        for node in NODES:
            machine = made.add(kind, SITE, node, node)
            machine.begin_in(its)
            machine.start()
            ends.callback(machine.stop)
        ends.callback(stage.mend_wan)  # what is stopped, does not end
        made.settled()
        yield made


def _remove(root: Path) -> None:
    (root / "cgroup.kill").write_text("1")
    for folder in sorted(root.rglob("*/"), key=lambda each: -len(each.parts)):
        wait_until(lambda folder=folder: _is_gone(folder), f"{folder} is empty")
    wait_until(lambda: _is_gone(root), f"{root} is empty")


def _is_gone(folder: Path) -> bool:
    with suppress(OSError):
        folder.rmdir()
    return not folder.exists()
