"""What settings must be together: asked of a whole document, for a layer has a part of it. Pure."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from roost_protocol.profile.check import Fault, Tree
from roost_protocol.profile.field import Path, dotted
from roost_protocol.profile.network_rules import network_together
from roost_protocol.profile.thresholds import LIMITS

_SYSCTL: Final = ("kernel", "sysctl")
_NEIGH: Final = "net.ipv4.neigh.default.gc_thresh"
RISING: Final[tuple[tuple[Path, ...], ...]] = (
    ((*_SYSCTL, "vm.dirty_background_ratio"), (*_SYSCTL, "vm.dirty_ratio")),
    tuple((*_SYSCTL, f"{_NEIGH}{number}") for number in (1, 2, 3)),
    *(
        tuple(("thresholds", name, severity) for severity in limits.severities)
        for name, limits in LIMITS.items()
    ),
)
NEEDED_WITH: Final[tuple[tuple[Path, Path], ...]] = (
    (("update-window", "start"), ("update-window", "minutes")),
    (("update-window", "minutes"), ("update-window", "start")),
    (("update-window", "days"), ("update-window", "start")),
)


def together(sections: Tree) -> list[Fault]:
    """Return what is wrong with settings that are well one by one."""
    return [*_falling(sections), *_lonely(sections), *network_together(sections)]


def _falling(sections: Tree) -> Iterator[Fault]:
    for paths in RISING:
        there = [(path, value) for path in paths if (value := at(sections, path)) is not None]
        for (lower, less), (path, more) in pairwise(there):
            if less >= more:
                bound = f"must be more than {dotted(lower)}, which is {less}; it is {more}"
                yield Fault(path, "together", bound)


def _lonely(sections: Tree) -> Iterator[Fault]:
    for path, needed in NEEDED_WITH:
        if at(sections, path) is not None and at(sections, needed) is None:
            yield Fault(path, "together", f"needs {dotted(needed)} as well")


def at(sections: Tree, path: Path) -> int | None:
    """Return the value of a setting that was checked, None where it is not set."""
    tree: object = sections
    for key in path:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree  # type: ignore[return-value]  # the schema says what stands there
