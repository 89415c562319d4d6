"""Reads the ``[updates]`` tables: where releases come from, and where root's part of updates is.

The usual places are those of the units that come with roost. They differ where agent and root's
part run otherwise.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

VERIFY_S: Final = (10, 590)  # three beats, and what the step's own deadline lets it
BYTES_MAX: Final = 1 << 40
STABILISE_S: Final = (0, 300)
BEATS_S: Final = 10  # of verify_s beyond stabilise_s: three beats, and their measuring
_NUMBERS: Final = {
    "verify_s": VERIFY_S, "stabilise_s": STABILISE_S, "bytes_max": (0, BYTES_MAX),
    "lan_port": (0, 65_535),
}  # fmt: skip


class UpdatesConfig(msgspec.Struct, frozen=True):
    """How this node installs releases (docs/updates.md).

    Attributes:
        source: where they come from, with commas between: folders, ``centre``, or
            ``https://HOST[:PORT]`` for another address of it; empty: the centre.
        trust: root's folder of what it trusts.
        installed: root's folder of what runs.
        requests: the folder into which this agent puts what it asks of root.
        root: where the machine's files begin.
        drain: the folder of programs that are run before this node goes down, and after.
        inhibit: the folder of holds by file.
        verify_s: how long a new release may take until the node is well with it.
        stabilise_s: for how long it has to be well without a break before it is committed; half of
            it where the release took the node down. What ``verify_s`` leaves beside BEATS_S counts.
        bytes_max: that may be fetched for one release; 0: no bound.
        lan_port: by which the nodes of a site lend each other what they fetched; 0: they do not.
    """

    source: str = ""
    trust: str = "/var/lib/roost-trust"
    installed: str = "/var/lib/roost-install"
    requests: str = "/run/roost"
    root: str = "/"
    drain: str = "/etc/roost/drain.d"
    inhibit: str = "/etc/roost/inhibit.d"
    verify_s: int = 590
    stabilise_s: int = 30
    bytes_max: int = 0
    lan_port: int = 7_788

    @property
    def steady_s(self) -> int:
        """How long it has to be well, as far as ``verify_s`` has room for it."""
        return min(self.stabilise_s, self.verify_s - BEATS_S)


KEYS: Final = tuple(each.name for each in msgspec.structs.fields(UpdatesConfig))


def updates_config(said: Mapping[str, Any], fault: Callable[[str, str], None]) -> UpdatesConfig:
    """Return what the tables say together; every fault is told.

    Args:
        said: key to value.
        fault: takes the key and what is wrong.
    """
    for key, value in said.items():
        if key in _NUMBERS:
            low, high = _NUMBERS[key]
            is_number = isinstance(value, int) and not isinstance(value, bool)
            if not is_number or not low <= value <= high:
                fault(key, f"a whole number, {low} to {high}")
        elif key == "source":
            if not isinstance(value, str):
                fault(key, "folders, centre or https://HOST, with commas between them")
        elif not isinstance(value, str) or not value.startswith("/"):
            fault(key, "must be an absolute path")
    return UpdatesConfig(**said)
