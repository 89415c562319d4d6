"""What a profile may say of the ways to the centre: by the names that the node gives its paths.

No broker, credential or certificate: those come with the identity or stand in ``agent.toml``.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from roost_protocol.limits import PATHS_MAX
from roost_protocol.profile.field import Field, Group, Keyed, Mark, Part
from roost_protocol.profile.kinds import Flag, Whole
from roost_protocol.profile.network import INTERFACE

BEAT_S: Final = Whole(1, 600, "s")  # as in agent.toml
PRIORITY_MAX: Final = 100

_LIVE: Final = Mark.LIVE
_PATH: Final[Mapping[str, Part]] = MappingProxyType(
    {
        "priority": Field(
            Whole(1, PRIORITY_MAX),
            _LIVE,
            "Of two paths that are up reports take the lesser; without it 50.",
        ),
        "metered": Field(
            Flag(), _LIVE, "What is sent costs: reports take it where no other path is up."
        ),
        "interface": Field(INTERFACE, _LIVE, "Connections come from the address of this one."),
    }
)
PATHS: Final[Mapping[str, Part]] = MappingProxyType(
    {
        "beat_interval_s": Field(BEAT_S, _LIVE, "Between two beats on a WAN path."),
        "metered_interval_s": Field(BEAT_S, _LIVE, "The same on a path that is metered."),
        "wan": Keyed(
            r"[a-z0-9]([a-z0-9-]{0,14}[a-z0-9])?",
            "names of the node's WAN paths such as wan1",
            Group(_PATH),
            PATHS_MAX,
            example="wan1",
        ),
    }
)
