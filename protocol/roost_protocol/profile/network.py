"""The sections ``network`` and ``sriov``: what an interface, a route, a physical function may have.

An interface is known by its name, or by a name of the profile's own and the MAC that is burnt into
it. There is no field for what a DHCP server says: what it says is the network's, not a profile's.
Names of interfaces: the kernel's ``dev_valid_name`` and less, so that none is an option or a path.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from roost_protocol.profile.addresses import Destination, Gateway, HostAddress
from roost_protocol.profile.field import Field, Group, Keyed, Mark, Part
from roost_protocol.profile.kinds import Listed, Text, Whole, of

INTERFACES_MAX: Final = 32  # of one node that a profile tells of
ROUTES_MAX: Final = 64
ADDRESSES_MAX: Final = 16  # of one interface
MEMBERS_MAX: Final = 8  # of one bond or bridge
FUNCTIONS_MAX: Final = 16  # physical ones of one node
VFS_MAX: Final = 1_024  # virtual ones of a physical one; what a device has is in its inventory
MTU_LEAST: Final = 1_280  # RFC 8200 section 5: less carries no IPv6
MTU_MOST: Final = 9_216
MAIN_TABLE: Final = 254  # linux/rtnetlink.h RT_TABLE_MAIN; 255 is the kernel's own
MIIMON_MS: Final = 100  # the kernel's Documentation/networking/bonding.rst recommends it

BOND_MODES: Final = (  # in the order of the kernel's numbers, linux/if_bonding.h
    "balance-rr",
    "active-backup",
    "balance-xor",
    "broadcast",
    "802.3ad",
    "balance-tlb",
    "balance-alb",
)

_NAME: Final = r"(?!(?:lo|all|default)$)[A-Za-z0-9][A-Za-z0-9_.-]{0,14}"
_PCI: Final = r"[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]"
INTERFACE: Final = Text(_NAME, 15, "an interface such as eth0")
_MAC: Final = Text(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", 17, "a MAC such as 02:00:5e:00:53:01")
_LIVE: Final = Mark.LIVE


def _group(parts: Mapping[str, Part]) -> Group:
    return Group(MappingProxyType(parts))


_MEMBERS: Final = Field(Listed(INTERFACE, MEMBERS_MAX), _LIVE, "Interfaces that it is made of.")
_INTERFACES: Final = Keyed(
    _NAME,
    "interfaces such as eth0",
    _group(
        {
            "mac": Field(
                _MAC, _LIVE, "The one with this burnt-in MAC is meant, whatever it is called."
            ),
            "mtu": Field(
                Whole(MTU_LEAST, MTU_MOST, "bytes"), _LIVE, "The longest packet that it sends."
            ),
            "addresses": Field(
                Listed(HostAddress(), ADDRESSES_MAX, least=0),
                _LIVE,
                "All its lasting addresses: others that it has are taken off.",
            ),
            "vlan": _group(
                {
                    "parent": Field(INTERFACE, _LIVE, "Interface that the VLAN is on."),
                    "id": Field(Whole(1, 4_094), _LIVE, "The tag of IEEE 802.1Q."),
                }
            ),
            "bond": _group(
                {
                    "mode": Field(of(*BOND_MODES), _LIVE, "How members share what is sent."),
                    "members": _MEMBERS,
                    "miimon_ms": Field(
                        Whole(10, 10_000, "ms"),
                        _LIVE,
                        f"How often a member's link is looked at; without it {MIIMON_MS}.",
                    ),
                }
            ),
            "bridge": _group({"members": _MEMBERS}),
        }
    ),
    INTERFACES_MAX,
    example="eth0",
)
_ROUTES: Final = Keyed(
    r"[a-z0-9][a-z0-9-]{0,31}",
    "names of routes such as wan",
    _group(
        {
            "to": Field(Destination(), _LIVE, "Where it leads."),
            "via": Field(Gateway(), _LIVE, "Gateway; without it they are on the link itself."),
            "interface": Field(INTERFACE, _LIVE, "Interface that it goes out of."),
            "metric": Field(
                Whole(1, 65_535),
                _LIVE,
                "Of two that lead there the lesser is taken; without it the kernel's.",
            ),
            "table": Field(
                Whole(1, MAIN_TABLE), _LIVE, f"Table of routes; without it {MAIN_TABLE}, the main."
            ),
        }
    ),
    ROUTES_MAX,
    example="wan",
)

NETWORK: Final[Mapping[str, Part]] = MappingProxyType(
    {"interfaces": _INTERFACES, "routes": _ROUTES}
)
SRIOV: Final[Mapping[str, Part]] = MappingProxyType(
    {
        "vfs": Keyed(
            f"{_PCI}|{_NAME}",
            "physical functions such as 0000:3b:00.0 or eth0",
            Field(
                Whole(0, VFS_MAX, "functions"),
                Mark.RESTART,  # those that there are end, and with them what uses them
                "Virtual functions of a physical function.",
            ),
            FUNCTIONS_MAX,
            example="0000:3b:00.0",
        )
    }
)
