"""``kernel``: sysctl keys, now and at each boot, and arguments of the next boots.

sysctl: sysctl.d(5) for the boot, /proc/sys for now. Arguments: a drop-in of GRUB's, the one boot
loader that has them (grub-mkconfig of Debian reads /etc/default/grub.d); its menu is written by
roost-grub.service, and the kernel's /proc/cmdline tells what is in effect.
"""

from collections.abc import Iterator
from typing import Final

from roost_agent.config_apply.machine import Machine
from roost_agent.config_apply.section import Originals, Plan, Values
from roost_agent.config_apply.step import Unit
from roost_agent.config_apply.target import (
    Found,
    Kind,
    Target,
    Targets,
    file,
    keys_of,
    numbers,
    plan,
    words,
)
from roost_protocol.profile.check import Tree
from roost_protocol.profile.field import Path
from roost_protocol.profile.kinds import Scalar, Value

SYSCTL_FILE: Final = "etc/sysctl.d/60-roost.conf"
GRUB_FILE: Final = "etc/default/grub.d/60-roost.cfg"
GRUB: Final = Unit("start", "roost-grub.service")
GRUB_PROGRAM: Final = "usr/sbin/update-grub"
CMDLINE: Final = "proc/cmdline"
_GRUB_KEY: Final = "GRUB_CMDLINE_LINUX"


class Kernel:
    """See Section."""

    name: str = "kernel"
    needs_confirm: bool = False

    def read(self, wanted: Tree, before: Tree, machine: Machine) -> Found:
        """See Section."""
        paths = {*_targets(wanted), *_targets(before), CMDLINE, GRUB_FILE, SYSCTL_FILE}
        found = {path: machine.read(path) for path in paths}
        return found | {GRUB_PROGRAM: b"" if machine.is_there(GRUB_PROGRAM) else None}

    def refusals(self, wanted: Tree, found: Found) -> list[str]:
        """See Section."""
        faults = [
            f"sysctl.{key}: this kernel has no such parameter"
            for key in wanted.get("sysctl", {})
            if found.get(sysctl_path(key)) is None
        ]
        if wanted.get("cmdline") and found.get(GRUB_PROGRAM) is None:
            faults.append("cmdline: this machine does not boot by GRUB (no /usr/sbin/update-grub)")
        return faults

    def plan(self, wanted: Tree, before: Tree, found: Found, originals: Originals) -> Plan:
        """See Section."""
        return plan(_targets(wanted), _targets(before), found, originals)

    def values(self, wanted: Tree, found: Found) -> Values:
        """See Section."""
        sysctl = wanted.get("sysctl", {})
        kept = keys_of(found.get(SYSCTL_FILE))
        values: Values = {
            ("sysctl", key): _sysctl_now(key, value, found, kept) for key, value in sysctl.items()
        }
        there = _arguments(words(keys_of(found.get(GRUB_FILE)).get(_GRUB_KEY, "").encode()))
        for key, value in wanted.get("cmdline", {}).items():
            values["cmdline", key] = _argument_now(there.get(key), value)
        return values

    def pending(self, wanted: Tree, found: Found) -> frozenset[Path]:
        """See Section."""
        there = _arguments(words(found.get(CMDLINE)))
        return frozenset(
            ("cmdline", key)
            for key, value in wanted.get("cmdline", {}).items()
            if _argument_now(there.get(key), value) != value
        )


def sysctl_path(key: str) -> str:
    """Return where a key's value stands, below the root."""
    return f"proc/sys/{key.replace('.', '/')}"


def grub_file(arguments: list[str]) -> Target:
    """Return a drop-in of GRUB's that adds arguments to the kernel's command line."""
    text = " ".join(arguments)
    return file([f'{_GRUB_KEY}="${_GRUB_KEY} {text}"'], GRUB)


def _targets(tree: Tree) -> Targets:
    targets: dict[str, Target] = {}
    sysctl = tree.get("sysctl", {})
    if sysctl:
        lines = [f"{key} = {_text(value)}" for key, value in sorted(sysctl.items())]
        targets[SYSCTL_FILE] = file(lines)
        for key, value in sysctl.items():
            targets[sysctl_path(key)] = Target(Kind.VALUE, f"{_text(value)}\n".encode())
    if arguments := list(_written(tree.get("cmdline", {}))):
        targets[GRUB_FILE] = grub_file(arguments)
    return targets


def _text(value: Value) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _sysctl_now(key: str, wanted: Value, found: Found, kept: dict[str, str]) -> Value | None:
    """Return a key's value in effect; where it is the wanted one, that of the next boot."""
    now = _as(wanted, found.get(sysctl_path(key)))
    return now if now != wanted else _as(wanted, kept.get(key, "").encode())


def _as(wanted: Value, raw: bytes | None) -> Value | None:
    """Return a value in the type of the wanted one."""
    if isinstance(wanted, str):
        return " ".join(words(raw)) or None
    found = numbers(raw)
    if found is None:
        return None
    several: list[Scalar] = [*found]
    return several if isinstance(wanted, list) else found[0]


def _written(cmdline: Tree) -> Iterator[str]:
    """Give the words of arguments; a flag that is not set is none."""
    for key, value in sorted(cmdline.items()):
        if isinstance(value, list):
            yield from (f"{key}={each}" for each in value)
        elif value is True:
            yield key
        elif value is not False:
            yield f"{key}={value}"


def _arguments(command: list[str]) -> dict[str, list[str]]:
    """Return the values of each argument, in their order; a bare word has an empty one."""
    found: dict[str, list[str]] = {}
    for word in command:
        key, _, value = word.strip('"').partition("=")
        found.setdefault(key, []).append(value)
    return found


def _argument_now(there: list[str] | None, wanted: Value) -> Value | None:
    """Return an argument's value in the type of the wanted one, None where it is not there."""
    if isinstance(wanted, bool):
        return there is not None
    if there is None:
        return None
    if isinstance(wanted, list):
        several: list[Scalar] = [*there]
        return several
    last = there[-1]
    return int(last) if isinstance(wanted, int) and last.lstrip("-").isdecimal() else last
