"""``time``: where the time comes from, by chrony or systemd-timesyncd, and the local zone.

chrony: a file of its source directory (chrony.conf(5), sourcedir), beside what is configured there.
timesyncd: a drop-in (timesyncd.conf(5)). The zone: /etc/localtime (localtime(5)).
"""

from collections.abc import Sequence
from typing import Final

from roost_agent.config_apply.machine import Machine
from roost_agent.config_apply.section import Originals, Plan, Values
from roost_agent.config_apply.step import Unit
from roost_agent.config_apply.target import Found, Kind, Target, Targets, file, keys_of, plan
from roost_protocol.profile.check import Tree
from roost_protocol.profile.field import Path
from roost_protocol.profile.kinds import Scalar, Value

CHRONY_FILE: Final = "etc/chrony/sources.d/roost.sources"
CHRONY: Final = "etc/chrony/sources.d"
TIMESYNCD_FILE: Final = "etc/systemd/timesyncd.conf.d/60-roost.conf"
TIMESYNCD: Final = ("usr/lib/systemd/systemd-timesyncd", "lib/systemd/systemd-timesyncd")
ZONES: Final = "usr/share/zoneinfo"
ZONE_LINK: Final = "etc/localtime"
_ZONE_COPY: Final = "etc/localtime, a file"  # it could not be put back: a link takes its place
ZONE_NAME: Final = "etc/timezone"  # Debian's, where it is there


class Time:
    """See Section."""

    name: str = "time"
    needs_confirm: bool = False

    def read(self, wanted: Tree, before: Tree, machine: Machine) -> Found:
        """See Section."""
        files = (CHRONY_FILE, TIMESYNCD_FILE, ZONE_NAME)
        found = {path: machine.read(path) for path in files}
        found[ZONE_LINK] = machine.read_link(ZONE_LINK)
        found[_ZONE_COPY] = machine.read(ZONE_LINK) if found[ZONE_LINK] is None else None
        found[CHRONY] = b"" if machine.is_there(CHRONY) else None
        found[TIMESYNCD[0]] = b"" if machine.first(TIMESYNCD) else None
        for zone in (tree["timezone"] for tree in (wanted, before) if "timezone" in tree):
            path = f"{ZONES}/{zone}"
            is_zone = machine.is_there(path) and not machine.names(path)  # no folder of zones
            found[path] = b"" if is_zone else None
        return found

    def refusals(self, wanted: Tree, found: Found) -> list[str]:
        """See Section."""
        faults = []
        if _sources(wanted) and not _service(found):
            faults.append(
                "servers, pools: neither chrony with /etc/chrony/sources.d nor systemd-timesyncd"
                " is installed"
            )
        zone = wanted.get("timezone")
        if zone is not None and found.get(f"{ZONES}/{zone}") is None:
            faults.append(f"timezone: /{ZONES}/{zone} is not there, or no zone")
        if zone is not None and found.get(_ZONE_COPY) is not None:
            faults.append(f"timezone: /{ZONE_LINK} is no link; make it one into /{ZONES} first")
        return faults

    def plan(self, wanted: Tree, before: Tree, found: Found, originals: Originals) -> Plan:
        """See Section."""
        return plan(_targets(wanted, found), _targets(before, found), found, originals)

    def values(self, wanted: Tree, found: Found) -> Values:
        """See Section."""
        servers, pools = _told(found)
        values: Values = {}
        if "servers" in wanted:
            values["servers",] = _but(servers, wanted.get("pools", ()), found)
        if "pools" in wanted:
            values["pools",] = _but(pools, wanted.get("servers", ()), found)
        if "timezone" in wanted:
            link = (found.get(ZONE_LINK) or b"").decode("utf-8", "replace")
            values["timezone",] = link.partition("zoneinfo/")[2] or None
        return values

    def pending(self, wanted: Tree, found: Found) -> frozenset[Path]:  # noqa: ARG002
        """See Section."""
        return frozenset()


def _service(found: Found) -> str:
    """Return the file by which time servers are told here; empty: by none. chrony goes first."""
    if found.get(CHRONY) is not None:
        return CHRONY_FILE
    return TIMESYNCD_FILE if found.get(TIMESYNCD[0]) is not None else ""


def _sources(tree: Tree) -> list[tuple[str, str]]:
    return [
        (word, host)
        for word, name in (("server", "servers"), ("pool", "pools"))
        for host in tree.get(name, ())
    ]


def _targets(tree: Tree, found: Found) -> Targets:
    targets: dict[str, Target] = {}
    sources = _sources(tree)
    if sources and _service(found) == CHRONY_FILE:
        lines = [f"{word} {host} iburst" for word, host in sources]
        targets[CHRONY_FILE] = file(lines, Unit("restart", "chrony.service"))
    elif sources and _service(found) == TIMESYNCD_FILE:
        lines = ["[Time]", f"NTP={' '.join(host for _, host in sources)}"]
        targets[TIMESYNCD_FILE] = file(lines, Unit("restart", "systemd-timesyncd.service"))
    if "timezone" in tree:
        targets[ZONE_LINK] = Target(Kind.LINK, f"/{ZONES}/{tree['timezone']}".encode())
        if found.get(ZONE_NAME) is not None:
            targets[ZONE_NAME] = Target(Kind.FILE, f"{tree['timezone']}\n".encode())
    return targets


def _told(found: Found) -> tuple[list[str], list[str]]:
    """Return the servers and pools of the file; timesyncd's does not tell them apart."""
    if _service(found) == TIMESYNCD_FILE:
        names = keys_of(found.get(TIMESYNCD_FILE)).get("NTP", "").split()
        return names, names
    lines = (found.get(CHRONY_FILE) or b"").decode("utf-8", "replace").splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return (
        [row[1] for row in rows if row[0] == "server" and len(row) > 1],
        [row[1] for row in rows if row[0] == "pool" and len(row) > 1],
    )


def _but(names: list[str], others: Sequence[str], found: Found) -> Value | None:
    """Return names; where one list holds both kinds, without the wanted ones of the other."""
    is_one_list = _service(found) == TIMESYNCD_FILE
    left: list[Scalar] = [name for name in names if not (is_one_list and name in others)]
    return left or None
