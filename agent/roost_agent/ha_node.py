"""The agent around local HA: its files and reboot command, what it is given, whom it heard.

Its own code is imported only where it is configured.
"""

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from roost_agent.config import Config
from roost_agent.driver import Driver
from roost_agent.ports import Clock

if TYPE_CHECKING:
    from roost_agent.ha.launch import Launch
    from roost_agent.ha.runtime import Runtime

REBOOT: Final = "ROOST_HA_REBOOT"  # the command, in roost-agent-ha.conf
OF_A_UNIT: Final = "INVOCATION_ID"  # systemd's mark of what it started


def launch_of(config: Config, clock: Clock) -> "tuple[Launch | None, Mapping[str, Any]]":
    """Return local HA's files, read, and what a profile says over them."""
    if not config.ha_file:
        return None, {}
    from roost_agent.ha.launch import Launch  # noqa: PLC0415 - see above
    from roost_agent.settings_host import own_at_start  # noqa: PLC0415 - as above

    said = {} if config.enrolled is None else own_at_start(config, clock).ha
    launch = Launch(
        Path(config.ha_file),
        config.site,
        config.node,
        reboot_command(os.environ),
        config.enrolled,
        said=said,
    )
    return launch, said


def reboot_command(env: Mapping[str, str]) -> tuple[str, ...]:
    """Return what reboots this node: a unit's own word, and nobody else's.

    Empty, so that nothing can, unless systemd started this agent and its unit says how.
    """
    return tuple(env.get(REBOOT, "").split()) if OF_A_UNIT in env else ()


def equip(ha: "Runtime", config: Config, driver: Driver, clock: Clock) -> None:
    """Give local HA its way to the centre, and its drills."""
    from roost_agent.ha.drill import Drills  # noqa: PLC0415 - only where it is configured
    from roost_agent.ha.upward import Upward  # noqa: PLC0415 - as above

    ha.shells.upward = Upward(config.node, driver.spool, driver.alarms, clock)
    ha.shells.drills = Drills(clock)
    if ha.config.has_wan_witness:
        ha.shells.peers.afar = driver.send_frame
        driver.hear_frame = ha.shells.peers.came_afar


def site_of(ha: "Runtime | None") -> Callable[[], tuple[int | None, tuple[int | None, ...]]]:
    """Return what says when gateway and peers were heard last; without local HA nobody was."""
    if ha is None:
        return lambda: (None, ())
    from roost_agent.ha.report import heard  # noqa: PLC0415 - only where it is configured

    return partial(heard, ha)
