"""What installs a component here, and where it may stand: by its class, never its manifest.

Which kinds a class takes is roost_protocol.release.kinds; here are the programs, those that came as
plugins among them, and the folders (updates.md 9).
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from roost_agent.update.installed import Installed
from roost_protocol.release.kinds import OF_CLASS, family, refusal

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
    if why := refusal(component, name):
        raise KindError(why)
    allowed = OF_CLASS[family(component)]
    if name in allowed:
        module = f"roost_agent.install.installers.{name.replace('-', '_')}"
        return Kind(name, (sys.executable, "-m", module))
    plugin = f"plugin/{name}"
    if installed.component(plugin).running is None:
        text = f"{component} is of kind {name}, and no {plugin} is installed here"
        raise KindError(f"{text}; without it there are {', '.join(allowed)}")
    return Kind(name, (str(place(root, plugin) / "current" / INSTALLER),), is_plugin=True)
