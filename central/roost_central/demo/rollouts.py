"""Plans of the demo: a good release and a bad one, for the simulated fleet and the real site.

Both are signed and published (releases.py), and the nodes of the real site install them. Simulated
sites have no identity and fetch nothing: they say that they run what they are offered. Where there
is no broker with mTLS nothing is signed, and a release is a digest that stands in no repository.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Final

from roost_central.demo.sensor import BAD, COMPONENT, FIRST, GOOD

SIZE: Final = 18_350_080  # of what is only said to be a release
SITES_FILE: Final = "sites.ndjson"  # the simulated sites with their labels
CANARY: Final = 4  # simulated sites of it, of one carrier each as far as there are so many

_PLAN: Final = """\
# roost rollout plan {file}      who, when, how much, what is in the way
# roost rollout create {file}    then: roost rollout start ID
name = "sensor {version}"
component = "{component}"
version = "{version}"
{named}approvers = 0
uncovered_ok = true
# How busy this machine is, and what its disks and clock are like, is no fault of the release.
ignore_alarms = ["100.101", "100.103", "100.104", "100.114", "100.808", "100.809", "100.810"]

[wave_defaults]
site_soak_s = 5
soak_s = 5
rate = {{base = 600, factor = 2.0, max = 6000, grow_after = 20}}
# For some three minutes: 20 at once on each of three carriers, as by default, would take longer.
max_in_flight = {{fleet = 500, wave = 500, hw_model = 500, link = 500}}
gates = {{alarms = "permissive"}}

[[wave]]
name = "canary"
sites = {canary}
soak_s = 10
"""
_MORE: Final = """\
[[wave]]
name = "tenth"
percent = 10
[[wave]]
name = "rest"
rest = true
"""
_UNSIGNED: Final = """\
digest = "{digest}"
size = {size}
selector = "carrier:car*"
"""


def simulated() -> list[str]:
    """Return what the simulator is told: what its nodes run, and which release is bad."""
    return ["--software", f"{COMPONENT}@{FIRST}", "--bad-release", f"{COMPONENT}@{BAD}"]


def plans(folder: Path, *, site: str = "") -> dict[str, Path]:
    """Write the plans, and return their files by version.

    Args:
        folder: of the demo.
        site: the real one, whose nodes install signed releases; empty: nothing is signed.
    """
    others = _simulated_sites(folder / SITES_FILE)
    canary = json.dumps([*([site] if site else []), *others])  # a list of TOML is written the same
    found = {}
    for version in (GOOD, BAD):
        found[version] = folder / f"sensor-{version}.toml"
        digest = sha256(f"{COMPONENT} {version}".encode()).hexdigest()
        text = _PLAN + (_MORE if others else "")
        found[version].write_text(
            text.format(
                file=found[version], version=version, component=COMPONENT, canary=canary,
                named="" if site else _UNSIGNED.format(digest=digest, size=SIZE),
            )
        )  # fmt: skip
    return found


def _simulated_sites(file: Path) -> list[str]:
    """Return some of the simulated sites, of one carrier each before there are two of any."""
    if not file.exists():
        return []
    sites = [json.loads(line) for line in file.read_text().splitlines()]
    first: dict[str, str] = {}
    for each in sites:
        first.setdefault(each["labels"]["carrier"], each["site"])
    rest = [each["site"] for each in sites if each["site"] not in first.values()]
    return [*first.values(), *rest][:CANARY]
