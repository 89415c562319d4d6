"""Reads the ``[settings]`` tables: where root's part of settings is, and whose files it changes.

The usual places are those of the units that come with roost. They differ where agent and root's
part run otherwise, as in a container that has the host's files at another folder.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec


class SettingsConfig(msgspec.Struct, frozen=True):
    """Who applies the settings that the profiles give this node (docs/profiles.md).

    Attributes:
        helper: the socket of who starts root's part.
        jobs: the folder into which this agent puts orders for it.
        told: the folder in which it tells how they went.
        root: where the machine's files begin, to look whether they are as they were applied.
    """

    helper: str = "/run/roost-helper.sock"
    jobs: str = "/run/roost"
    told: str = "/run/roost-config"
    root: str = "/"


KEYS: Final = tuple(each.name for each in msgspec.structs.fields(SettingsConfig))


def settings_config(said: Mapping[str, Any], fault: Callable[[str, str], None]) -> SettingsConfig:
    """Return what the tables say together; every fault is told.

    Args:
        said: key to value.
        fault: takes the key and what is wrong.
    """
    for key, value in said.items():
        if not isinstance(value, str) or not value.startswith("/"):
            fault(key, "must be an absolute path")
    return SettingsConfig(**said)
