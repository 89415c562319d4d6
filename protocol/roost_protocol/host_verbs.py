"""The verbs by which hosts are acted on (hosts.md section 3).

``node`` is the host that is meant, by its name in the site: an order to a site's coordinator may be
about another host, which does not answer. ``expect`` is the state that the act was decided on, as
``unlocked/enabled/available``: in another one it is refused. ``force`` breaks what can be broken,
never a rule of the lease. ``done_s_max`` is the deadline of hosts.md section 10 (a transfer 300 s,
a switchover 120 s, an enable sequence 600 s, a boot 1,200 s) and a minute or two for the way there.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from roost_protocol.order_act import Act, NameText
from roost_protocol.patterns import END

HOST_MAINTENANCE_S_MAX: Final = 72 * 3_600
IMAGE_LENGTH_MAX: Final = 16 << 20  # of a manifest, as release/manifest.py has it
EXPECT_PATTERN: Final = r"^([a-z-]{1,16}/[a-z-]{1,16}/[a-z-]{1,16})?" + END


class HostAct(Act, frozen=True):
    """What every one of them says."""

    needs_reason: ClassVar[bool] = True
    is_for_box: ClassVar[bool] = True
    node: NameText
    expect: Annotated[str, Meta(max_length=50, pattern=EXPECT_PATTERN)] = ""
    force: bool = False


class HostLock(HostAct, frozen=True):
    """Take a host out of service, in order: what runs on it is given away first."""

    verb: ClassVar[str] = "host-lock"
    done_s_max: ClassVar[int] = 420
    title: ClassVar[str] = "Take a host out of service, once what runs on it runs elsewhere."


class HostForceLock(HostAct, frozen=True):
    """Take a host out of service, whoever could take over."""

    verb: ClassVar[str] = "host-force-lock"
    done_s_max: ClassVar[int] = 1_860  # 460 s for the act, and the boot after a reset
    title: ClassVar[str] = "Take a host out of service at once: what runs on it may stop."


class HostUnlock(HostAct, frozen=True):
    """Put a host into service, once it is well."""

    verb: ClassVar[str] = "host-unlock"
    done_s_max: ClassVar[int] = 660
    title: ClassVar[str] = "Put a host into service, after its enable sequence."


class HostSwact(HostAct, frozen=True):
    """Give away all that is active on a host."""

    verb: ClassVar[str] = "host-swact"
    done_s_max: ClassVar[int] = 180
    title: ClassVar[str] = "Give all groups that are active on a host to other hosts."


class HostReboot(HostAct, frozen=True):
    """Restart a host by its own kernel."""

    verb: ClassVar[str] = "host-reboot"
    done_s_max: ClassVar[int] = 1_260
    title: ClassVar[str] = "Restart a host in order; done means another boot id."


class HostReset(HostAct, frozen=True):
    """Restart a host by its board controller."""

    verb: ClassVar[str] = "host-reset"
    done_s_max: ClassVar[int] = 1_260
    title: ClassVar[str] = "Restart a host hard, by its board controller."


class HostPowerOn(HostAct, frozen=True):
    """Switch a host on."""

    verb: ClassVar[str] = "host-power-on"
    done_s_max: ClassVar[int] = 1_260
    title: ClassVar[str] = "Switch a host on, by its board controller."


class HostPowerOff(HostAct, frozen=True):
    """Switch a host off."""

    verb: ClassVar[str] = "host-power-off"
    done_s_max: ClassVar[int] = 180
    title: ClassVar[str] = "Switch a host off, by its board controller."


class HostPowerCycle(HostAct, frozen=True):
    """Switch a host off and on."""

    verb: ClassVar[str] = "host-power-cycle"
    done_s_max: ClassVar[int] = 1_260
    title: ClassVar[str] = "Switch a host off and on, by its board controller."


class HostRecover(HostAct, frozen=True):
    """Count from nought again and try to enable a host."""

    verb: ClassVar[str] = "host-recover"
    done_s_max: ClassVar[int] = 660
    title: ClassVar[str] = "Forget failed recoveries of a host and enable it anew."


class HostMaintenance(HostAct, frozen=True):
    """Do nothing by itself about a host for a while; 0 seconds end it."""

    verb: ClassVar[str] = "host-maintenance"
    done_s_max: ClassVar[int] = 60
    title: ClassVar[str] = "Do nothing by itself about a host for a while; 0 ends it."
    seconds: Annotated[int, Meta(ge=0, le=HOST_MAINTENANCE_S_MAX)] = 7_200


class HostReinstall(HostAct, frozen=True, kw_only=True):
    """Install a host anew from an image in its board controller's virtual drive.

    Attributes:
        component, version: of the release that holds the image.
        digest, length: of its manifest, SHA-256 and bytes: the node takes no other, whatever the
            image repository names by then.
    """

    verb: ClassVar[str] = "host-reinstall"
    done_s_max: ClassVar[int] = 14_400  # fetching 4 GiB over a slow line, and an installer's hour
    title: ClassVar[str] = "Install a host anew from an image, by its board's virtual media."
    by_two: ClassVar[bool] = True
    life_s_max: ClassVar[int] = 900
    ends_with_box: ClassVar[bool] = True
    component: Annotated[str, Meta(min_length=1, max_length=70)]
    version: Annotated[str, Meta(min_length=1, max_length=64)]
    digest: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}" + END)]
    length: Annotated[int, Meta(ge=1, le=IMAGE_LENGTH_MAX)]


HOST_VERBS: Final[Mapping[str, type[HostAct]]] = MappingProxyType(
    {
        each.verb: each
        for each in (
            HostLock,
            HostForceLock,
            HostUnlock,
            HostSwact,
            HostReboot,
            HostReset,
            HostPowerOn,
            HostPowerOff,
            HostPowerCycle,
            HostRecover,
            HostMaintenance,
            HostReinstall,
        )
    }
)
