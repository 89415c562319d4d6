"""Scenarios of local HA in which a disk refuses, or is put back."""

import shutil
import time
from pathlib import Path
from typing import Any

from ha_deaths import switchover
from ha_plan import Plan
from ha_stage import HOLD_S, Scenario, other, said


def disks(plan: Plan) -> list[Scenario]:
    """Return them."""
    return [
        Scenario("27 the witness's disk read-only", _read_only, 1, 1.0),
        Scenario("27 the witness's disk read-only, active node killed", _read_only_dead, None),
        Scenario("31 a voter's disk put back", _put_back),
    ]


def _read_only(site: Any, active: str) -> None:
    witness = site.nodes["w1"]
    witness.set_disk("ro")
    try:
        switchover(site, active)  # a new epoch: two others are enough
        site.until(lambda: (witness.status() or {}).get("disk"), "its disk takes nothing")
        site.until(lambda: "400.807" in witness.alarms(), "the witness says that it abstains")
    finally:
        witness.set_disk("rw")
    time.sleep(1)
    assert site.active() == other(active), "it stays"


def _read_only_dead(site: Any, active: str) -> None:
    """Without the witness's vote there is no majority: nobody runs, then the one that may."""
    witness = site.nodes["w1"]
    witness.set_disk("ro")
    try:
        site.nodes[active].power_off()
        time.sleep(HOLD_S * 2)
        assert site.active() is None, "one vote of three is no majority"
    finally:
        witness.set_disk("rw")
    site.nodes[active].start()
    site.until(site.active, "the group runs again")


def _put_back(site: Any, _active: str) -> None:
    witness = site.nodes["w1"]
    kept = witness.folder / "kept"
    shutil.rmtree(kept, ignore_errors=True)
    witness.agent.kill()
    shutil.copytree(witness.folder / "state", kept, ignore=shutil.ignore_patterns("*.sock"))
    for _ in range(2):
        witness.agent.start()
        witness.told()
        time.sleep(1)  # its peers heard of this start
        witness.agent.kill()
    for name in ("ha", "incarnation"):
        _copy(kept / name, witness.folder / "state" / name)
    witness.agent.start()
    said(witness, "its disk is older")  # its alarm ends once all said what they hold: at once


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)
