"""Trees with the links of sysfs: a class or bus entry leads to the device below ``sys/devices``."""

import os
from os.path import relpath
from pathlib import Path

import pytest


class Machine:
    """A tree with devices; ``reader`` opens it as a machine's root."""

    def __init__(self, tree) -> None:
        self.tree = tree
        self.reader = tree.reader

    def plant(self, files):
        self.tree.plant(files)
        return self

    def at(self, path) -> Path:
        """Return a place in the tree whose folder exists."""
        place = self.tree.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def link(self, path, target) -> "Machine":
        """Plant a relative link, as sysfs has them, to another place in the tree."""
        self.at(path).symlink_to(relpath(target, Path(path).parent))
        return self

    def device(self, entry, place, **attributes) -> str:
        """Plant a device and the class or bus entry that links to it; return its place."""
        (self.tree.root / place).mkdir(parents=True, exist_ok=True)
        self.plant({f"{place}/{name}": value for name, value in attributes.items()})
        self.link(entry, place)
        return place

    def pci(self, address, place=None, **attributes) -> str:
        """Plant a PCI function with its ids; ``class_`` is written as ``class``."""
        place = place or f"sys/devices/pci0000:00/{address}"
        ids = {"vendor": "0x8086", "device": "0x1521", "class_": "0x020000"} | attributes
        files = {name.rstrip("_"): value for name, value in ids.items()}
        return self.device(f"sys/bus/pci/devices/{address}", place, **files)

    def driver(self, place, name) -> "Machine":
        return self.link(f"{place}/driver", f"sys/bus/any/drivers/{name}")

    def fifo(self, path) -> "Machine":
        os.mkfifo(self.at(path))
        return self


@pytest.fixture
def machine(tree):
    return Machine(tree)
