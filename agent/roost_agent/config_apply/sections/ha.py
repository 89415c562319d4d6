"""``ha``: the agent goes by it; root says whether it and the site's own file hold together.

The agent ends politely and begins with it, so the agent that is back tries it before it counts.
"""

import tomllib
from dataclasses import dataclass, field
from typing import Any, Final

from roost_agent.config_apply.machine import Machine
from roost_agent.config_apply.section import Originals, Plan, Values
from roost_agent.errors import ConfigError
from roost_protocol.profile.check import Tree, leaves
from roost_protocol.profile.field import Path

FOLDER: Final = "etc/roost"  # of the agent's configuration, as config_file.py has it
FAULTS_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class SiteFile:
    """The node's HA file; ``why`` says why there is none."""

    table: dict[str, Any] = field(default_factory=dict)
    why: str = ""


class Ha:
    """See Section. What is read: the node's HA file."""

    name: str = "ha"
    needs_confirm: bool = True

    def read(self, wanted: Tree, before: Tree, machine: Machine) -> SiteFile:  # noqa: ARG002
        """See Section."""
        try:
            path = _file(machine)
            if not path:
                return SiteFile(why=f"no ha.file in /{FOLDER}: it takes no part in local HA")
            raw = machine.read(path.removeprefix("/"))
            return SiteFile(why=f"{path} is not there") if raw is None else SiteFile(_table(raw))
        except (ValueError, RecursionError) as err:
            return SiteFile(why=f"not TOML: {err}")

    def refusals(self, wanted: Tree, found: SiteFile) -> list[str]:
        """See Section."""
        if found.why:
            return [found.why]
        from roost_agent.ha.config_overlay import checked  # noqa: PLC0415 - where a profile has it

        try:
            checked(found.table, wanted)
        except ConfigError as err:
            return err.faults[:FAULTS_SHOWN]
        return []

    def plan(self, wanted: Tree, before: Tree, found: SiteFile, originals: Originals) -> Plan:  # noqa: ARG002
        """See Section."""
        return Plan(is_tried=wanted != before)

    def values(self, wanted: Tree, found: SiteFile) -> Values:
        """See Section. None is in effect where the file is another and they fit no more."""
        fits = not self.refusals(wanted, found)
        return {path: value if fits else None for path, value in leaves(wanted)}

    def pending(self, wanted: Tree, found: SiteFile) -> frozenset[Path]:  # noqa: ARG002
        """See Section."""
        return frozenset()


def _file(machine: Machine) -> str:
    """Return the HA file that the agent's configuration names; empty: none."""
    drop_ins = [name for name in machine.names(f"{FOLDER}/conf.d") if name.endswith(".toml")]
    named: object = ""
    for each in ("agent.toml", *(f"conf.d/{name}" for name in drop_ins)):
        said = _table(machine.read(f"{FOLDER}/{each}") or b"").get("ha", {})
        named = said.get("file", named) if isinstance(said, dict) else named
    return named if isinstance(named, str) else ""


def _table(raw: bytes) -> dict[str, Any]:
    return tomllib.loads(raw.decode())
