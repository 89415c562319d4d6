"""What the agent and the child that talks to controllers say to each other: JSON lines.

The request names the file with the credentials, never what is in it.
"""

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from roost_agent.bmc.sensor import Sensor

LOG_MAX = 64  # records of a controller's log that one poll brings


class Verb(StrEnum):
    """What can be done to a machine's power."""

    STATUS = "status"
    ON = "power-on"
    OFF = "power-off"
    CYCLE = "power-cycle"
    RESET = "reset"


class Power(StrEnum):
    """Whether a machine has power; ``unknown`` while it changes, or where nobody says."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"


BOOT_DEVICES = ("none", "pxe", "disk", "cdrom", "bios", "usb")
BootDevice = Literal["none", "pxe", "disk", "cdrom", "bios", "usb"]


MEDIA_WORDS = ("status", "insert", "eject")
MediaWord = Literal["status", "insert", "eject"]


class Known(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was learned of a controller, kept by whoever asks.

    Attributes:
        type: that answered; empty: to be learned.
        pin: SHA-256 of the certificate that it showed when it was learned.
        uuid: of the machine that it controls.
        system: the machine's Redfish resource.
        maker, model, firmware: for people.
        record: of its log, the last that was brought; -1: the log was not read yet.
        failures: accesses that failed in a row.
    """

    type: Literal["", "redfish", "ipmi"] = ""
    pin: str = ""
    uuid: str = ""
    system: str = ""
    maker: str = ""
    model: str = ""
    firmware: str = ""
    record: int = -1
    failures: int = 0


class LogRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """One record of a controller's log; ``at`` as the controller writes it."""

    record: int
    at: str = ""
    text: str = ""
    severity: str = ""


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the child is to do.

    Attributes:
        file: bmc.toml.
        folder: the state directory, where what the centre told lies; empty: the file alone counts.
        do: ``poll`` reads power, sensors and log; ``test`` identity and power; ``power`` and
            ``boot`` act on one node.
        nodes: whose controllers.
        known: what was learned of each before.
        media: what is to be done to the virtual drive; ``image``: the URL to be inserted.
        own: the node that asks: its own machine is cycled by one order, since nobody would give
            the second.
        forced: power-off without asking the operating system first.
        seconds: for all of it.
        history: the folder that a poll keeps readings in; empty: they are not kept.
    """

    file: str
    do: Literal["poll", "test", "power", "boot", "media"]
    nodes: list[str]
    known: dict[str, Known] = {}
    verb: Verb = Verb.STATUS
    device: BootDevice = "none"
    once: bool = True
    media: MediaWord = "status"
    image: str = ""
    folder: str = ""
    own: str = ""
    forced: bool = False
    seconds: Annotated[float, Meta(gt=0, le=900)] = 60.0
    history: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of one node.

    Attributes:
        fault: its kind; empty: all is well.
        why: a sentence.
        known: to be given back with the next request.
        took_ms: from the first word to the last.
        dropped: sensors past the bound.
        unread: why its sensors were not read, where all else was.
        boot: device of the next boot, as it was read.
        media: URL of the image in its virtual drive, as it was read.
        unkept: why its readings are not kept; empty: they are, or nobody asked for that.
    """

    node: str
    fault: str = ""
    why: str = ""
    known: Known = Known()
    power: Power = Power.UNKNOWN
    sensors: list[Sensor] = []
    log: list[LogRecord] = []
    dropped: int = 0
    unread: str = ""
    boot: str = ""
    media: str = ""
    took_ms: int = 0
    unkept: str = ""
