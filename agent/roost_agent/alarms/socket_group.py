"""Who may open the local socket: its owner, and the group ``roost-alarm`` where there is one."""

import logging
import os
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

GROUP: Final = "roost-alarm"
GROUPS: Final = Path("/etc/group")
GROUPS_CHARS_MAX: Final = 1 << 20


def give_to_group(file: Path) -> None:
    """Set group and mode of a socket that nobody can connect to yet."""
    file.chmod(0o600)
    try:
        group = _group_id(GROUP)
        if group is None:
            log.info("alarms: no group %s here: %s is for the agent's user alone", GROUP, file)
            return
        os.chown(file, -1, group)
    except OSError as err:
        log.warning("alarms: %s not given to group %s: %s", file, GROUP, err)
        return
    file.chmod(0o660)


def _group_id(name: str, file: Path = GROUPS) -> int | None:
    """Return the id of a local group.

    Not the grp module: the name services it loads are half a megabyte, for a group that the
    package itself makes.
    """
    with file.open("rb") as stream:
        text = stream.read(GROUPS_CHARS_MAX).decode("utf-8", "replace")
    for line in text.splitlines():
        fields = line.split(":")
        if fields[0] == name and len(fields) > 2 and fields[2].isdecimal():  # noqa: PLR2004 - its id
            return int(fields[2])
    return None
