"""The agents of this machine, asked through their own sockets by their own command.

What acts on a node is done by whoever may open its control socket, as root on a real node, or as
the user of a demo: ``ROOST_NODES`` names the folder that holds the state of a demo's nodes. From
afar a node takes signed orders alone (``roost node order``).
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roost_central.cli.failure import RefusedError

VARIABLE = "ROOST_NODES"
ANSWER_S_MAX = 30.0
AGENT = (sys.executable, "-m", "roost_agent")


@dataclass(frozen=True, slots=True)
class LocalNode:
    """One agent of this machine; no folder: the one that is configured in /etc/roost."""

    name: str
    folder: Path | None

    def argv(self, *words: str) -> list[str]:
        """Return the agent's command that asks this agent."""
        where = [] if self.folder is None else ["--state-dir", str(self.folder)]
        return [*AGENT, *words, *where]

    def ask(self, *words: str) -> Any | None:  # noqa: ANN401 - JSON
        """Return an answer in JSON; None where no agent answers, or it refuses."""
        try:
            done = subprocess.run(  # noqa: S603 - the agent's own command, no shell
                self.argv(*words), capture_output=True, check=False, timeout=ANSWER_S_MAX
            )
            return json.loads(done.stdout) if done.returncode == 0 else None
        except (OSError, subprocess.TimeoutExpired, ValueError):
            return None

    def run(self, *words: str) -> int:
        """Have it done, its words to this terminal; return its exit status."""
        argv = self.argv(*words)
        return subprocess.run(argv, check=False).returncode  # noqa: S603 - as above


def nodes_of(site: str) -> list[LocalNode]:
    """Return the nodes of a site whose agents answer here; none where none does."""
    folder = os.environ.get(VARIABLE)
    if folder:
        found = [
            LocalNode(each.name.removeprefix(f"{site}."), each)
            for each in sorted(Path(folder).glob(f"{site}.*/"))
        ]
        return [node for node in found if node.ask("ha", "status", "-o", "json") is not None]
    status = LocalNode("", None).ask("status", "--json")
    here, _, name = str((status or {}).get("node", "")).partition(".")
    return [LocalNode(name, None)] if here == site and name else []


def nobody_here(site: str) -> RefusedError:
    """Return the refusal for a site without an agent on this machine: where was looked, what else.

    The nodes of a demo are only seen by its variable, which another terminal does not have.
    """
    folder = os.environ.get(VARIABLE)
    looked = (
        f"{VARIABLE} names {folder}, which has no agent of it that answers"
        if folder
        else f"of a demo's nodes: export {VARIABLE}=FOLDER, as the demo printed it"
    )
    return RefusedError(
        f"no agent of site {site} answers on this machine ({looked})\n"
        f"  log in to a node of {site} and say it to `roost-agent ha` there. A switchover and a"
        f" maintenance may be ordered from here: `roost node order {site}.NODE ha-switchover "
        "group=GROUP --reason TEXT`, or `ha-maintenance group=GROUP seconds=N`"
    )
