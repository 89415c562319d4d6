"""Board controllers as the centre tells them to the nodes that use them.

The body of an order ``set-boards`` is a ``BoardsDocument`` as MessagePack, sealed to the one node
that it goes to (sealed.py): every node of a site gets its own, since each may come to hold the
lease ``site`` by which the controllers are read.

Invariant: no text of a fault quotes a password.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from roost_protocol.codec import Decoder
from roost_protocol.limits import NAME_CHARS_MAX, ORDER_BODY_BYTES_MAX
from roost_protocol.patterns import END

BOARDS_OF_A_SITE_MAX: Final = 64
SENSORS_MAX: Final = 256  # of one controller; StarlingX's bound
SECRET_CHARS_MAX: Final = 255
CA_CHARS_MAX: Final = 8_192  # one certificate, or a chain of a few
INTERVAL_S: Final = 120
INTERVAL_S_MIN: Final = 10
INTERVAL_S_MAX: Final = 86_400
LOCAL: Final = "local"


class Group(StrEnum):
    """What a sensor measures; settings are by group."""

    FANS = "fans"
    POWER = "power"
    TEMPERATURE = "temperature"
    VOLTAGE = "voltage"
    USAGE = "usage"


Action = Literal["ignore", "log", "alarm", "reset", "power-cycle"]
Mild = Literal["ignore", "log", "alarm"]
Text = Annotated[str, Meta(max_length=255)]
Secret = Annotated[str, Meta(max_length=SECRET_CHARS_MAX)]
Port = Annotated[int, Meta(ge=1, le=65_535)]
NodeName = Annotated[str, Meta(min_length=1, max_length=NAME_CHARS_MAX)]
Host = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[0-9A-Za-z.:_-]+" + END)]
User = Annotated[str, Meta(max_length=64, pattern=r"^[^\s:]*" + END)]
Kind = Literal["dynamic", "redfish", "ipmi"]
Cipher = Annotated[int, Meta(ge=1, le=17)]
Uuid = Annotated[str, Meta(max_length=45)]
SystemPath = Annotated[str, Meta(max_length=255, pattern=r"^(/redfish/[^?#\s]+)?" + END)]
Sha256 = Annotated[str, Meta(pattern=r"^([0-9a-fA-F]{64})?" + END)]
Interval = Annotated[int, Meta(ge=INTERVAL_S_MIN, le=INTERVAL_S_MAX)]
GroupInterval = Annotated[int, Meta(ge=0, le=INTERVAL_S_MAX)]
Keys = Annotated[list[Text], Meta(max_length=SENSORS_MAX)]


class GroupSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the sensors of a group count.

    Attributes:
        minor, major, critical: what is done about a reading that bad; ``reset`` and
            ``power-cycle`` come with the alarm.
        suppress: nothing is done, whatever they read.
        interval_s: between two of its readings that count; 0: that of the controller.
    """

    minor: Mild = "alarm"
    major: Mild = "alarm"
    critical: Action = "alarm"
    suppress: bool = False
    interval_s: GroupInterval = 0


class BoardAccess(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a controller is, and how to be let in.

    Attributes:
        host: name or address in the board's network; ``local``: the node's own /dev/ipmi0.
        user, password: of an account with the role Operator.
        type: ``dynamic`` asks for Redfish first and remembers what answered.
        uuid: that the machine must have; empty: the one that is learned.
        system: its Redfish resource; empty: the controller has one alone.
        ca: PEM of whom its certificate is of.
        certificate_sha256: of its certificate; with neither it is remembered when it is learned.
    """

    host: Host
    user: User = ""
    password: Secret = ""
    type: Kind = "dynamic"
    port: Port = 443
    ipmi_port: Port = 623
    cipher: Cipher = 3
    uuid: Uuid = ""
    system: SystemPath = ""
    ca: Annotated[str, Meta(max_length=CA_CHARS_MAX)] = ""
    certificate_sha256: Sha256 = ""


class SensorSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the sensors of a controller count.

    Attributes:
        interval_s: between two reads; 0: as its node's own file says, else INTERVAL_S.
        groups: settings by group; of others the node's own file says.
        suppress: keys of sensors that do not count.
    """

    interval_s: GroupInterval = 0
    groups: dict[Group, GroupSettings] = {}
    suppress: Keys = []


class BoardTold(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One controller.

    Attributes:
        node: whose machine it controls, by its name in the site.
        access: None: the node has its own file for that, and only the settings are the centre's.
        sensors: None: they are those of the node's own file.
    """

    node: NodeName
    access: BoardAccess | None = None
    sensors: SensorSettings | None = None


class BoardsDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that the centre tells of a site's controllers.

    Attributes:
        reader: the node that reads them where the site has no lease ``site``.
    """

    v: int
    reader: Annotated[str, Meta(max_length=NAME_CHARS_MAX)] = ""
    boards: Annotated[list[BoardTold], Meta(max_length=BOARDS_OF_A_SITE_MAX)] = []


read_document: Final = Decoder[BoardsDocument](BoardsDocument, limit=ORDER_BODY_BYTES_MAX).decode


def about(node: str) -> bytes:
    """Return what a sealed document is about: it is of no use to another node."""
    return f"roost boards 1\n{node}".encode()


def access_faults(access: BoardAccess) -> Iterator[tuple[str, str]]:
    """Give what is wrong with an access beyond the bounds of its fields: field and sentence."""
    if access.host == LOCAL:
        if access.type == "redfish":
            yield "type", '"redfish" has no local way: use ipmi'
    else:
        for field in ("user", "password"):
            if not getattr(access, field):
                yield field, "user and password must be set"
    if "\n" in access.password or "\0" in access.password:
        yield "password", "has a line break or a zero"
    if access.ca and access.certificate_sha256:
        yield "ca", "one of ca, certificate_sha256"


def settings_faults(settings: SensorSettings) -> Iterator[tuple[str, str]]:
    """Give what is wrong with settings beyond the bounds of their fields: field and sentence."""
    bound = f"bound {INTERVAL_S_MIN} to {INTERVAL_S_MAX}, or 0"
    if 0 < settings.interval_s < INTERVAL_S_MIN:
        yield "interval_s", bound
    for group, each in settings.groups.items():
        if 0 < each.interval_s < INTERVAL_S_MIN:
            yield f"groups.{group}.interval_s", bound
