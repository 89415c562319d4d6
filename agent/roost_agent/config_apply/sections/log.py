"""``log``: how much the system's journal keeps (journald.conf(5)); the level is the agent's own."""

from typing import Final

from roost_agent.config_apply.machine import Machine
from roost_agent.config_apply.section import Originals, Plan, Values
from roost_agent.config_apply.step import Unit
from roost_agent.config_apply.target import Found, Targets, file, keys_of, plan
from roost_protocol.profile.check import Tree
from roost_protocol.profile.field import Path

FILE: Final = "etc/systemd/journald.conf.d/60-roost.conf"
JOURNALD: Final = ("usr/lib/systemd/systemd-journald", "lib/systemd/systemd-journald")
_FORMS: Final = {  # setting: key of the file, and what follows the number
    "journal_mib_max": ("SystemMaxUse", "M"),
    "journal_days_max": ("MaxRetentionSec", "day"),
}


class Log:
    """See Section."""

    name: str = "log"
    needs_confirm: bool = False

    def read(self, wanted: Tree, before: Tree, machine: Machine) -> Found:  # noqa: ARG002
        """See Section."""
        return {FILE: machine.read(FILE), JOURNALD[0]: b"" if machine.first(JOURNALD) else None}

    def refusals(self, wanted: Tree, found: Found) -> list[str]:
        """See Section."""
        if _targets(wanted) and found.get(JOURNALD[0]) is None:
            return ["journal_mib_max, journal_days_max: systemd-journald is not installed"]
        return []

    def plan(self, wanted: Tree, before: Tree, found: Found, originals: Originals) -> Plan:
        """See Section."""
        return plan(_targets(wanted), _targets(before), found, originals)

    def values(self, wanted: Tree, found: Found) -> Values:
        """See Section."""
        said = keys_of(found.get(FILE))
        values: Values = {}
        for name, value in wanted.items():
            if name in _FORMS:
                key, unit = _FORMS[name]
                text = said.get(key, "").removesuffix(unit)
                values[name,] = int(text) if text.isdecimal() else None
            elif name != "drift":
                values[name,] = value
        return values

    def pending(self, wanted: Tree, found: Found) -> frozenset[Path]:  # noqa: ARG002
        """See Section."""
        return frozenset()


def _targets(tree: Tree) -> Targets:
    lines = [f"{key}={tree[name]}{unit}" for name, (key, unit) in _FORMS.items() if tree.get(name)]
    restart = Unit("restart", "systemd-journald.service")
    return {FILE: file(["[Journal]", *lines], restart)} if lines else {}
