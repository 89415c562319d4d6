"""What is to be watched: one process as a file defines it, with its bounds and defaults.

The keys are StarlingX's pmon's (design, hosts section 7), so that its files are read as they are.
"""

import re
from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

from roost_protocol.severity import Severity

CHARS_MAX: Final = 512  # of a path or an argument


class Mode(StrEnum):
    """How it is watched.

    By its death alone; by a ping, a probe, a connection or systemd's watchdog besides; by a
    script's word in place of its death; or not.
    """

    PASSIVE = "passive"
    ACTIVE = "active"
    PROBE = "probe"
    SOCKET = "socket"
    NOTIFY = "notify"
    STATUS = "status"
    IGNORE = "ignore"


SEVERITIES: Final = {
    "minor": Severity.MINOR,
    "major": Severity.MAJOR,
    "critical": Severity.CRITICAL,
}
STYLES: Final = ("systemd", "lsb", "ocf")


class Number(msgspec.Struct, frozen=True):
    """A number that may be set; both limits are inclusive, ``unit`` is for people."""

    low: int
    high: int
    default: int
    unit: str = ""


NUMBERS: Final = {
    "restarts": Number(0, 100, 3),
    "interval": Number(0, 3_600, 5, "s"),  # between two restarts of a row
    "debounce": Number(1, 3_600, 20, "s"),  # it must run so long for its failures to be forgotten
    "startuptime": Number(1, 3_600, 5, "s"),  # until it is there, and until its debounce begins
    "port": Number(0, 65_535, 0),  # of the ping; 0: none
    "period": Number(1, 3_600, 10, "s"),  # between two questions, or two runs of the script
    "timeout": Number(1, 600, 5, "s"),  # for the answer
    "threshold": Number(1, 100, 3),  # answers missed in a row
}
TEXTS: Final = (
    "script",
    "pidfile",
    "subfunction",
    "status_arg",
    "start_arg",
    "status_failure_text",
)
FLAGS: Final = ("full_init_reqd", "quorum")
CHOICES: Final = {
    "style": (STYLES, "systemd"),
    "severity": (tuple(SEVERITIES), "minor"),
    "mode": (tuple(Mode), "passive"),
}
CGROUP: Final = "cgroup"  # roost's own: where the unit is in a slice of its own
SOCKET: Final = "socket"  # roost's own: to connect to
OWN: Final = frozenset({CGROUP, SOCKET})  # StarlingX has no such keys
KEYS: Final = (
    "process",
    "service",
    *CHOICES,
    *TEXTS,
    *NUMBERS,
    *FLAGS,
    CGROUP,
    SOCKET,
)
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:+-]{0,63}", re.ASCII)
_UNIT: Final = re.compile(r"[A-Za-z0-9:_][A-Za-z0-9:_.@\\-]{0,239}", re.ASCII)
_PATH: Final = re.compile(r"(/(?!\.\.(/|$))[^/]+)+")
_BELOW: Final = re.compile(r"(?!/)(/?(?!\.\.(/|$))[^/]+)+")
_BYTE: Final = r"(25[0-5]|2[0-4]\d|1?\d?\d)"
_PORT: Final = r"(6553[0-5]|655[0-2]\d|65[0-4]\d\d|6[0-4]\d{3}|[1-5]\d{4}|[1-9]\d{0,3})"
_TCP: Final = rf"({_BYTE}(\.{_BYTE}){{3}}|\[[0-9A-Fa-f:.]{{2,45}}\]):{_PORT}"
_ENDPOINT: Final = re.compile(rf"{_TCP}|{_PATH.pattern}", re.ASCII)
FORMS: Final = {  # key -> what it looks like, and as a sentence
    "process": (_NAME, "1 to 64 of a-z A-Z 0-9 _ . @ : + -"),
    "service": (_UNIT, "must be the name of a unit"),
    "script": (_PATH, "must be an absolute path"),
    "pidfile": (_PATH, "must be an absolute path"),
    CGROUP: (_BELOW, "must be a path below /sys/fs/cgroup"),
    SOCKET: (_ENDPOINT, "must be an absolute path, or ADDRESS:PORT with IPv6 in brackets"),
}
_NEEDS: Final = {  # mode -> key that it works with, and for what
    Mode.ACTIVE: ("port", "pings it"),
    Mode.PROBE: ("script", "runs it"),
    Mode.SOCKET: (SOCKET, "connects to it"),
    Mode.NOTIFY: ("service", "follows the watchdog of its unit"),
    Mode.STATUS: ("script", "runs it"),
}
Fault: TypeAlias = tuple[str, str]  # key, what is wrong with it


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """One process. Times are in s, as in the files.

    Attributes:
        process: its name; an active one answers to it.
        service: of the helper's catalogue, or the unit without ``.service``; empty: nobody's.
        file: that defines it.
        subfunction: a role; without it on this node the process is not watched.
        full_init_reqd: it is watched from the first time on that this host is enabled.
        quorum: the host cannot do without it, whatever ``severity`` says.
        socket: a path, or ``ADDRESS:PORT``, that mode ``socket`` connects to.
        cgroup: of the unit, below /sys/fs/cgroup; empty: where systemd puts it by itself.
    """

    process: str
    file: str
    service: str = ""
    style: str = "systemd"
    severity: str = "minor"
    mode: Mode = Mode.PASSIVE
    script: str = ""
    pidfile: str = ""
    restarts: int = NUMBERS["restarts"].default
    interval: int = NUMBERS["interval"].default
    debounce: int = NUMBERS["debounce"].default
    startuptime: int = NUMBERS["startuptime"].default
    port: int = 0
    period: int = NUMBERS["period"].default
    timeout: int = NUMBERS["timeout"].default
    threshold: int = NUMBERS["threshold"].default
    subfunction: str = ""
    status_arg: str = "status"
    full_init_reqd: bool = False
    quorum: bool = False
    cgroup: str = ""
    socket: str = ""

    @property
    def level(self) -> Severity:
        """What it is worth once it has failed; at critical it fails the host."""
        return Severity.CRITICAL if self.quorum else SEVERITIES[self.severity]

    @property
    def has_process(self) -> bool:
        """Whether a process is followed: a script speaks for what has none."""
        return bool(self.pidfile or self.service or self.cgroup) and self.mode is not Mode.STATUS


def definition(said: dict[str, object], file: str) -> tuple[Definition | None, list[Fault]]:
    """Return the process that these keys define, or every fault of them.

    Args:
        said: key to value; numbers and flags as whole numbers, truth values or their text.
        file: where they stand.
    """
    faults: list[Fault] = []
    found: dict[str, object] = {}
    for key, value in said.items():
        try:
            found[key] = _value(key, value)
        except ValueError as err:
            faults.append((key, str(err)))
    if not faults:
        faults = _together(found)
    if faults:
        return None, faults
    for ignored in ("start_arg", "status_failure_text"):
        found.pop(ignored, None)
    return msgspec.convert(found | {"file": file}, Definition), []


def _value(key: str, value: object) -> object:
    """Return a value of its key's type; ValueError names the bound."""
    if key in NUMBERS:
        return _number(NUMBERS[key], value)
    if key in FLAGS:
        return _flag(value)
    text = value if isinstance(value, str) else None
    if text is None or len(text) > CHARS_MAX or not text.isprintable():
        raise ValueError(f"must be text, bound {CHARS_MAX} printable characters")
    if key in CHOICES and text not in CHOICES[key][0]:
        raise ValueError(f"{text!r}: one of {', '.join(CHOICES[key][0])}")
    if key == "service":
        text = text.removesuffix(".service")
    if key in FORMS and text and not FORMS[key][0].fullmatch(text):
        raise ValueError(f"{text!r}: {FORMS[key][1]}")
    return text


def _number(bound: Number, value: object) -> int:
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value[:20])
    unit = f" {bound.unit}" if bound.unit else ""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or not isinstance(value, int):
        raise ValueError(f"{value!r}: must be a whole number")
    if not bound.low <= value <= bound.high:
        raise ValueError(f"{value}: bound {bound.low}..{bound.high}{unit}")
    return value


def _flag(value: object) -> bool:
    if isinstance(value, bool) or value in (0, 1):
        return bool(value)
    words = {"1": True, "yes": True, "true": True, "0": False, "no": False, "false": False}
    if not isinstance(value, str) or value.lower() not in words:
        raise ValueError(f"{value!r}: one of {', '.join(words)}")
    return words[value.lower()]


def _together(found: dict[str, object]) -> list[Fault]:
    """Return what is missing."""
    if not found.get("process"):
        return [("process", "missing: the name")]
    mode = Mode(str(found.get("mode", Mode.PASSIVE)))
    key, why = _NEEDS.get(mode, ("", ""))
    if key and not found.get(key):
        return [(key, f"missing: mode {mode} {why}")]
    has_process = any(found.get(key) for key in ("pidfile", "service", CGROUP))
    if mode not in (Mode.STATUS, Mode.IGNORE) and not has_process:
        return [("pidfile", "missing, and service too: nothing says which process it is")]
    return []
