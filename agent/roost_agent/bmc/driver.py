"""What every way to a controller can do; Redfish and IPMI each have one such class."""

from enum import StrEnum
from typing import Protocol

from roost_agent.bmc.sensor import Sensor
from roost_agent.bmc.talk import BootDevice, Known, LogRecord, Power


class Order(StrEnum):
    """One order to a machine's power. What came of it is read, never believed."""

    ON = "on"
    SHUTDOWN = "shutdown"
    OFF = "off"
    RESET = "reset"
    CYCLE = "cycle"


class Driver(Protocol):
    """One controller, connected. Every method may raise BmcError."""

    async def identity(self) -> Known:
        """Return who it is, as it says now."""

    async def power(self) -> Power:
        """Return whether the machine has power, read now."""

    async def order(self, order: Order) -> None:
        """Give an order; return when it was taken."""

    async def boot(self) -> str:
        """Return the device of the next boot; empty: one that we have no word for."""

    async def set_boot(self, device: BootDevice, *, once: bool) -> None:
        """Choose the device of the next boot, or of all."""

    async def media(self) -> str:
        """Return the URL of the image in its virtual drive; empty: it holds none."""

    async def insert(self, url: str) -> None:
        """Have it fetch an image into its virtual drive; return when the order was taken."""

    async def eject(self) -> None:
        """Have it let go of the image in its virtual drive."""

    async def sensors(self) -> tuple[list[Sensor], int]:
        """Return what there is to read, and how many sensors were past SENSORS_MAX."""

    async def log(self, after: int) -> tuple[list[LogRecord], int]:
        """Return records of its log past one, the oldest first, and the last record read."""
