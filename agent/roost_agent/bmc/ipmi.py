"""One machine by IPMI, through ipmitool, which exits; in the child only.

ipmitool is told a short patience (``-N 1 -R 1``: a dead controller costs 2 s and not 20), and the
password by a file that has no name (``memfd``): never by an argument, which any user may read.
"""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from roost_agent import child
from roost_agent.bmc import ipmi_text as text_of
from roost_agent.bmc.board import Board
from roost_agent.bmc.driver import Order
from roost_agent.bmc.fault import BmcError, Fault
from roost_agent.bmc.identity import check_machine
from roost_agent.bmc.rmcp import answers
from roost_agent.bmc.sensor import Sensor
from roost_agent.bmc.talk import LOG_MAX, BootDevice, Known, LogRecord, Power
from roost_protocol.boards import LOCAL, SENSORS_MAX

PROGRAM: Final = "ipmitool"
COMMAND_S: Final = 10.0
SENSORS_S: Final = 45.0  # one request a sensor, by a controller that takes its time
OUTPUT_BYTES_MAX: Final = 512 << 10
NO_DRIVE: Final = "IPMI has no virtual drive: a board with Redfish does, or use its boot by network"
_ORDERS: Final = {
    Order.ON: "on",
    Order.SHUTDOWN: "soft",
    Order.OFF: "off",
    Order.RESET: "reset",
    Order.CYCLE: "cycle",
}
_DEVICES: Final = {"usb": "floppy"}  # IPMI's word for removable media


@asynccontextmanager
async def connected(board: Board, known: Known) -> AsyncIterator["Ipmi"]:
    """Yield the machine; BmcError where it is not to be had."""
    secret = -1
    if board.host != LOCAL:
        secret = os.memfd_create("bmc", os.MFD_CLOEXEC)
        os.write(secret, board.password.encode())
    try:
        machine = Ipmi(board, known, secret)
        await machine.find()
        yield machine
    finally:
        if secret >= 0:
            os.close(secret)


class Ipmi:
    """See Driver.

    Args:
        board: whose.
        known: what was learned.
        secret: descriptor of a file with the password; negative: in-band, which needs none.
    """

    def __init__(self, board: Board, known: Known, secret: int) -> None:
        self._board = board
        self._known = known
        self._secret = secret
        self._uuid = ""

    async def find(self) -> None:
        """See that it answers, and that its machine is the one that is meant."""
        await self.power()  # every controller knows this, and refuses it without the password
        try:
            self._uuid = text_of.guid(await self._run("mc", "guid"))
        except BmcError as err:
            if err.fault is not Fault.REFUSED:
                raise
        if self._uuid or self._board.uuid:
            check_machine(self._uuid, self._board, self._known)

    async def identity(self) -> Known:
        """See Driver."""
        try:
            said = text_of.info(await self._run("mc", "info"))
        except BmcError as err:
            if err.fault is not Fault.REFUSED:
                raise
            said = {}
        return Known(
            type="ipmi",
            uuid=self._uuid,
            maker=said.get("Manufacturer Name", "")[:64],
            model=said.get("Product Name", "")[:64],
            firmware=said.get("Firmware Revision", "")[:64],
            record=self._known.record,
        )

    async def power(self) -> Power:
        """See Driver."""
        return text_of.power(await self._run("chassis", "power", "status"))

    async def order(self, order: Order) -> None:
        """See Driver."""
        await self._run("chassis", "power", _ORDERS[order])

    async def boot(self) -> str:
        """See Driver."""
        return text_of.boot(await self._run("chassis", "bootparam", "get", "5"))

    async def set_boot(self, device: BootDevice, *, once: bool) -> None:
        """See Driver."""
        word = _DEVICES.get(device, device)
        more = () if once else ("options=persistent",)
        await self._run("chassis", "bootdev", word, *more)

    async def media(self) -> str:
        """See Driver."""
        raise BmcError(Fault.UNSUPPORTED, NO_DRIVE)

    async def insert(self, url: str) -> None:
        """See Driver."""
        raise BmcError(Fault.UNSUPPORTED, f"{url}: {NO_DRIVE}")

    async def eject(self) -> None:
        """See Driver."""
        raise BmcError(Fault.UNSUPPORTED, NO_DRIVE)

    async def sensors(self) -> tuple[list[Sensor], int]:
        """See Driver."""
        found = text_of.sensors(await self._run("-v", "sensor", seconds=SENSORS_S))
        return found[:SENSORS_MAX], max(len(found) - SENSORS_MAX, 0)

    async def log(self, after: int) -> tuple[list[LogRecord], int]:
        """See Driver."""
        try:
            said = await self._run("-c", "sel", "elist", "last", str(LOG_MAX), seconds=SENSORS_S)
        except BmcError as err:
            if err.fault is Fault.REFUSED:
                return [], after  # it keeps none
            raise
        found = text_of.records(said)
        last = found[-1].record if found else 0
        if after < 0 or last < after:  # never read, or the log was cleared
            return [], last
        return [each for each in found if each.record > after], last

    async def _run(self, *words: str, seconds: float = COMMAND_S) -> str:
        try:
            done = await child.run(
                (PROGRAM, *self._way(), *words),
                seconds=seconds,
                bytes_max=OUTPUT_BYTES_MAX,
                descriptors=() if self._secret < 0 else (self._secret,),
            )
        except TimeoutError as err:
            text = f"{PROGRAM} {' '.join(words)}: no answer within {seconds:g} s"
            raise BmcError(Fault.TIMEOUT, text) from err
        except OSError as err:
            text = f"{PROGRAM}: {err.strerror}: is it installed?"
            raise BmcError(Fault.UNSUPPORTED, text) from err
        if done.status:
            fault = _fault(words, done.complaint.decode(errors="replace"))
            if fault.fault is Fault.UNREACHABLE and await self._is_there():
                text = "it answers, and refuses the user, the password, the role or the cipher"
                raise BmcError(Fault.CREDENTIAL, text)
            raise fault
        return done.output.decode(errors="replace")

    async def _is_there(self) -> bool:
        """Whether anything there speaks IPMI at all: ipmitool has one sentence for both."""
        board = self._board
        return board.host != LOCAL and await answers(board.host, board.ipmi_port)

    def _way(self) -> Sequence[str]:
        board = self._board
        if board.host == LOCAL:
            return ("-I", "open")
        os.lseek(self._secret, 0, os.SEEK_SET)
        return (
            "-I", "lanplus", "-H", board.host, "-p", str(board.ipmi_port), "-U", board.user,
            "-f", f"/proc/self/fd/{self._secret}", "-C", str(board.cipher),
            "-L", "OPERATOR", "-N", "1", "-R", "1",
        )  # fmt: skip


def _fault(words: Sequence[str], complaint: str) -> BmcError:
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    said = lines[-1][:200] if lines else "it fails without a word"
    lower = complaint.lower()
    if "unable to establish" in lower:
        text = "no IPMI session: it is silent, or refuses the user, the password or the cipher"
        return BmcError(Fault.UNREACHABLE, text)
    if "could not open device" in lower:
        return BmcError(Fault.UNREACHABLE, f"this machine has no /dev/ipmi0 for us: {said}")
    if "insufficient privilege" in lower:
        return BmcError(Fault.RIGHTS, f"{' '.join(words)}: {said}")
    return BmcError(Fault.REFUSED, f"{' '.join(words)}: {said}")
