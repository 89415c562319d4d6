"""What a profile may say of a watched process: the keys of a process file without its paths.

A profile names no program, script or pid file: those stand in files of the node's own root. A
process that no file defines is one by the name of a service in the node's catalogue. Names and
bounds are the agent's (``roost_agent.host.processes.definition``; a test holds the two equal).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from roost_protocol.limits import HOST_PROCESSES_MAX
from roost_protocol.profile.field import Field, Group, Keyed, Mark, Part
from roost_protocol.profile.kinds import Flag, Text, Whole, of

LIVE: Final = Mark.LIVE
_NUMBERS: Final = {
    "restarts": (Whole(0, 100), "Restarts in a row before its severity counts."),
    "interval": (Whole(0, 3_600, "s"), "From one restart of a row to the next."),
    "debounce": (Whole(1, 3_600, "s"), "It must run so long for its failures to be forgotten."),
    "startuptime": (Whole(1, 3_600, "s"), "Until it is there after a start."),
    "port": (Whole(0, 65_535), "Of the ping, on loopback."),
    "period": (Whole(1, 3_600, "s"), "From one question to the next."),
    "timeout": (Whole(1, 600, "s"), "For an answer."),
    "threshold": (Whole(1, 100), "Answers missed in a row."),
}
_WATCHED: Final[Mapping[str, Part]] = MappingProxyType(
    {
        "service": Field(
            Text(r"[a-z0-9][a-z0-9_-]{0,63}", 64, "a name of the node's catalogue of units"),
            LIVE,
            "Which one it is; needed where no file of the node defines it.",
        ),
        "mode": Field(
            of("passive", "active", "socket", "notify", "ignore"), LIVE, "How it is watched."
        ),
        "socket": Field(
            Text(r"(127\.0\.0\.1|\[::1\]):[1-9][0-9]{0,4}", 21, "127.0.0.1:PORT or [::1]:PORT"),
            LIVE,
            "What mode socket connects to.",
        ),
        "severity": Field(of("minor", "major", "critical"), LIVE, "Of its alarm."),
        "subfunction": Field(
            Text(r"[A-Za-z0-9_-]{1,32}", 32, "a role"), LIVE, "Watched on nodes of that role alone."
        ),
        **{name: Field(kind, LIVE, doc) for name, (kind, doc) in _NUMBERS.items()},
        "full_init_reqd": Field(Flag(), LIVE, "It waits for the node's health checks."),
        "quorum": Field(Flag(), LIVE, "Its failure is the node's."),
    }
)
PROCESSES: Final[Mapping[str, Part]] = MappingProxyType(
    {
        "watch": Keyed(
            r"[A-Za-z0-9_][A-Za-z0-9_.@:+-]{0,63}",
            "names of processes such as pump",
            Group(_WATCHED),
            HOST_PROCESSES_MAX,
            example="pump",
        )
    }
)
