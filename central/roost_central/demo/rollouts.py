"""Releases that are ready to roll over the demo's simulated fleet: one of them is bad.

Simulated sites have no identity and fetch nothing: what they are offered is named by a digest and
stands in no repository. So nobody has to approve it, and the real site is left out.
"""

from hashlib import sha256
from pathlib import Path
from typing import Final

COMPONENT: Final = "app/sensor"
FIRST, BAD, GOOD = "2.0.0", "2.1.0", "2.1.1"
SIZE: Final = 18_350_080

_PLAN: Final = """\
# roost rollout plan {file}      who, when, how much, what is in the way
# roost rollout create {file}    then: roost rollout start ID
name = "sensor {version}"
component = "{component}"
version = "{version}"
digest = "{digest}"
size = {size}
selector = "carrier:car*"
approvers = 0
uncovered_ok = true

[wave_defaults]
site_soak_s = 10
soak_s = 10
rate = {{base = 600, factor = 2.0, max = 6000, grow_after = 20}}
gates = {{alarms = "permissive"}}

[[wave]]
name = "canary"
count = 5
soak_s = 15
[[wave]]
name = "tenth"
percent = 10
[[wave]]
name = "rest"
rest = true
"""


def simulated() -> list[str]:
    """Return what the simulator is told: what its nodes run, and which release is bad."""
    return ["--software", f"{COMPONENT}@{FIRST}", "--bad-release", f"{COMPONENT}@{BAD}"]


def plans(folder: Path) -> dict[str, Path]:
    """Write the plans, and return their files by version."""
    found = {}
    for version in (BAD, GOOD):
        found[version] = folder / f"sensor-{version}.toml"
        digest = sha256(f"{COMPONENT} {version}".encode()).hexdigest()
        found[version].write_text(
            _PLAN.format(
                file=found[version], version=version, component=COMPONENT, digest=digest, size=SIZE
            )
        )
    return found
