"""What a profile may say of local HA: groups and services by the names of the node's own file.

No command, unit or address: those stand in ``ha.toml``, which the site's root writes. Neither
voters nor times: promises rest on them, and they are changed with all agents stopped (docs/ha.md).
Names and bounds are the agent's (``roost_agent.ha.config``; a test holds the two equal).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from roost_protocol.limits import HA_NODES_MAX
from roost_protocol.profile.field import Field, Group, Keyed, Mark, Part
from roost_protocol.profile.kinds import Flag, Listed, Text, Whole, of

GROUPS_MAX: Final = 15  # of a site, besides the built-in lease
SERVICES_MAX: Final = 64
PREEMPT_S_MAX: Final = 86_400
NAME: Final = r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?"
RESTART: Final = Mark.RESTART  # of the agent, which hands over what it holds before

_NODE: Final = Text(NAME, 32, "a node of ha.toml")
_GROUP: Final[Mapping[str, Part]] = MappingProxyType(
    {
        "hosts": Field(
            Listed(_NODE, HA_NODES_MAX), RESTART, "Nodes that may run it, the preferred one first."
        ),
        "preempt_s": Field(
            Whole(0, PREEMPT_S_MAX, "s"),
            RESTART,
            "It moves to a better host that was well for so long; 0: it stays where it is.",
        ),
        "active": Field(
            Whole(1, GROUPS_MAX), RESTART, "Members of an N+M group that are to be active."
        ),
        "standby": Field(
            Whole(0, HA_NODES_MAX), RESTART, "Hosts of an N+M group that are to be free."
        ),
    }
)
_SERVICE: Final[Mapping[str, Part]] = MappingProxyType(
    {
        "enabled": Field(Flag(), RESTART, "Whether its group runs it."),
        "impact": Field(
            of("none", "minor", "major", "critical"), RESTART, "Severity of its failure."
        ),
    }
)
HA: Final[Mapping[str, Part]] = MappingProxyType(
    {
        "groups": Keyed(
            NAME, "names of groups of ha.toml such as db", Group(_GROUP), GROUPS_MAX, example="db"
        ),
        "services": Keyed(
            NAME,
            "names of services of ha.toml such as web",
            Group(_SERVICE),
            SERVICES_MAX,
            example="web",
        ),
    }
)
