"""Puts an image into a board's virtual drive or takes it out, and believes what it reads then.

A board fetches the image itself, from wherever the URL says, and reads it back as inserted when it
has: that takes a moment, and some say "done" to a URL that they never could reach. Redfish alone
has such a drive. Leaves to others: whether that image is the right one, and the boot from it.
"""

import re
from typing import Final

from roost_agent.bmc.act import LOOK_S, Waiting
from roost_agent.bmc.driver import Driver
from roost_agent.bmc.fault import BmcError, Fault

READ_S: Final = 60.0  # after an order, until the drive reads as ordered
URL_CHARS_MAX: Final = 1_024
# No account in it: this is shown, read back and told by the board to whoever asks.
_URL: Final = re.compile(r"https?://[^\s/@?#]+/[^\s@#]*")


def check_url(url: str) -> str:
    """Return a URL that a board may be given.

    Raises:
        BmcError: ``config``: what it must be.
    """
    if len(url) > URL_CHARS_MAX or not _URL.fullmatch(url):
        text = f"image: an http or https URL without an account, at most {URL_CHARS_MAX} characters"
        raise BmcError(Fault.CONFIG, text)
    return url


async def insert(machine: Driver, url: str, waiting: Waiting) -> str:
    """Have the drive hold an image, and return the URL that it reads.

    Raises:
        BmcError: ``refused`` where it holds another; ``unconfirmed`` where it does not read so;
            ``unsupported`` where there is no such drive; else as the driver's.
    """
    check_url(url)
    held = await machine.media()
    if held == url:
        return held
    if held:
        raise BmcError(Fault.REFUSED, f"its drive holds {held}: eject that first")
    await machine.insert(url)
    return await _read(machine, url, waiting)


async def eject(machine: Driver, waiting: Waiting) -> str:
    """Have the drive hold nothing; see insert."""
    if await machine.media():
        await machine.eject()
    return await _read(machine, "", waiting)


async def _read(machine: Driver, wanted: str, waiting: Waiting) -> str:
    held = await machine.media()
    for _ in range(round(READ_S / LOOK_S)):
        if held == wanted:
            return held
        await waiting.sleep(LOOK_S)
        held = await machine.media()
    if held == wanted:
        return held
    what = f"holds {held}" if held else "is empty"
    text = f"its drive {what} {READ_S:g} s after the order: can the board reach {wanted or 'it'}?"
    raise BmcError(Fault.UNCONFIRMED, text)
