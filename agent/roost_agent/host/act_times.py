"""How long acts on a host may take, and each part of one; in s."""

from typing import Final

from roost_agent.host.act import (
    FORCE_LOCK,
    LOCK,
    MAINTENANCE,
    REBOOT,
    RECOVER,
    SWACT,
    UNLOCK,
)

POLL_S: Final = 0.2
NOBODY_S: Final = 10.0  # for a host that could take a group to be heard and fit
DRAIN_S: Final = 300.0  # for what runs here to run elsewhere
STOP_S: Final = 60.0  # for what every node runs, after it
FORCED_S: Final = 30.0  # for all of it, by force; then the machine is reset (StarlingX)
RESET_S: Final = 60.0  # for a reset that a board took to end this machine
BOARD_S: Final = 370.0  # two acts of boards in a row, and the starts of their children
SWACT_S: Final = 120.0  # StarlingX's
ENABLE_S: Final = 600.0  # the deadlines of all stages together
ASK_S: Final = 30.0  # for the others to have spoken since
BITE_S: Final = 120.0  # for a watchdog to reset the machine; then roost-helper is asked
REINSTALL_S: Final = 8_800.0  # two hours for the image, and the board (reinstall/install.py)
STILL_HERE_S: Final = 600.0  # units have their time to stop; after it no reboot will come
SECONDS: Final = {  # that an act may take
    LOCK: ASK_S + DRAIN_S + STOP_S,
    FORCE_LOCK: FORCED_S + BOARD_S + RESET_S,
    UNLOCK: ENABLE_S,
    SWACT: SWACT_S,
    REBOOT: STILL_HERE_S,
    RECOVER: ENABLE_S,
    MAINTENANCE: 60.0,
}
WAITING_MAX: Final = 1  # behind the one that runs
BEHIND_S: Final = 60.0  # and for so long
