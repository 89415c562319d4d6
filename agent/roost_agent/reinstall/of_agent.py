"""What installs hosts anew, with the parts of the running agent."""

from pathlib import Path
from typing import Final

from roost_agent.bmc.service import BoardControllers
from roost_agent.config import Config
from roost_agent.host.shell import HostShell
from roost_agent.ports import SystemEntropy
from roost_agent.reinstall.install import Reinstall
from roost_agent.reinstall.medium import Places

TOKEN_BYTES: Final = 16


def reinstall_of(boards: BoardControllers, host: HostShell, config: Config) -> Reinstall:
    """Return what installs other hosts of this node's site anew."""
    entropy = SystemEntropy()
    places = Places(Path(config.state_dir), config.updates.trust, config.updates.source)

    def state_of(node: str) -> str:
        states = {each["node"]: each["state"] for each in host.report()["hosts"]}
        return str(states.get(node, ""))

    return Reinstall(boards, places, lambda: entropy.token(TOKEN_BYTES).hex(), state_of)
