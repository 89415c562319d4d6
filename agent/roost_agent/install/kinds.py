"""Which installers a component may have, and where it may stand: by its class, never its manifest.

A tenant's configuration must not reach ``/etc/systemd``: so the class chooses the folder, and the
installers that write elsewhere are not for it (updates.md 9).
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from roost_agent.update.installed import Installed

AGENT: Final = "agent-self"
BUILT_IN: Final = ("files", "unit", "deb", "container", AGENT)
OF_CLASS: Final = {
    "agent": (AGENT,),
    "os": ("deb",),
    "app": ("files", "unit", "deb", "container"),
    "config": ("files",),
    "plugin": ("files",),
    "policy": ("files",),
}
PLUGGED: Final = frozenset({"os", "app"})  # may have an installer that came as a plugin
APPS: Final = "opt/roost"
TENANTS: Final = "etc/opt"
INSTALLER: Final = "installer"  # the program in a plugin's tree


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to install.

    Attributes:
        name: of the kind.
        words: of the program; the verb comes behind them.
        is_plugin: it did not come with roost: root runs it within walls (grants).
    """

    name: str
    words: tuple[str, ...]
    is_plugin: bool = False


class KindError(Exception):
    """A component cannot be installed that way; the text says what could be."""


def place(root: Path, component: str) -> Path:
    """Return the folder in which a component stands; all of it is below."""
    family, _, name = component.partition("/")
    if family == "config":
        return root / TENANTS / name
    return root / APPS / component


def kind_of(name: str, component: str, installed: Installed, root: Path) -> Kind:
    """Return how a component is installed.

    Args:
        name: of the kind, as the manifest says.
        component: of the release.
        installed: as root knows it: a plugin counts once it is committed.
        root: the machine's.

    Raises:
        KindError: not this way.
    """
    family = component.partition("/")[0]
    allowed = OF_CLASS.get(family, ())
    if name in allowed:
        module = f"roost_agent.install.installers.{name.replace('-', '_')}"
        return Kind(name, (sys.executable, "-m", module))
    shown = ", ".join(allowed)
    if name in BUILT_IN or family not in PLUGGED:
        raise KindError(f"{component} cannot be of kind {name}: {family} takes {shown}")
    plugin = f"plugin/{name}"
    if installed.component(plugin).running is None:
        text = f"{component} is of kind {name}, and no {plugin} is installed here"
        raise KindError(f"{text}; without it there are {shown}")
    return Kind(name, (str(place(root, plugin) / "current" / INSTALLER),), is_plugin=True)
