"""Which watchdogs were seen to bite: one test a machine and device, kept over its reset. Pure.

A device can be opened, set and fed, and still never reset anything: only a test shows that it does.
What is remembered before the test is on disk before the device starves; that the machine is another
boot afterwards is the result. A boot that ended in these seconds for another reason passes too.

Leaves to others: to starve the device (the guard), to write and to order (bite_test).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from roost_agent.ha.config import HaConfig
from roost_agent.ha.guard_report import GuardReport
from roost_agent.ha.lease_plan import lease_watchdog_ms

TESTS_MAX: Final = 8  # machines of one disk; the oldest goes
REQUIRED: Final = "required"
COMMAND: Final = "roost-agent ha test-watchdog"


class Result(StrEnum):
    """What came of a test."""

    BEGUN = "begun"  # the device starves, or whoever starved it ended before it bit
    PASSED = "passed"
    MISSED = "missed"  # it did not bite in its time


class Bite(msgspec.Struct, frozen=True):
    """One test.

    Attributes:
        boot: the kernel's boot id as it began, in hex.
        wall_ms: UTC, for people.
        watchdog_ms: within which the device was to bite.
    """

    boot: str
    wall_ms: int
    watchdog_ms: int
    result: Result = Result.BEGUN


Bites = dict[str, Bite]  # by the guard's words for device and machine; the oldest first


def begun(bites: Bites, hardware: str, bite: Bite) -> Bites:
    """Return what is kept once another test begins."""
    kept = {name: each for name, each in bites.items() if name != hardware} | {hardware: bite}
    return dict(list(kept.items())[-TESTS_MAX:])


def settled(bites: Bites, report: GuardReport, boot: str) -> Bites:
    """Return what is kept once the guard and the boot say how a test ended."""
    bite = bites.get(report.hardware)
    if bite is None or bite.result is not Result.BEGUN:
        return bites
    if bite.boot != boot:
        return bites | {report.hardware: msgspec.structs.replace(bite, result=Result.PASSED)}
    if report.bite == Result.MISSED:
        return bites | {report.hardware: msgspec.structs.replace(bite, result=Result.MISSED)}
    return bites


def untested(config: HaConfig, report: GuardReport | None, bites: Mapping[str, Bite]) -> str:
    """Return why the watchdog behind the site's hard groups is not known to bite; empty: it is.

    Empty too where no group needs one, or where there is none: that is told by itself.
    """
    needs = any(lease_watchdog_ms(config, group.name) for group in config.groups if group.has_lease)
    if not needs or report is None or not report.watchdog_ms:
        return ""
    bite = bites.get(report.hardware)
    if bite is None or bite.result is Result.BEGUN:
        return f"its watchdog was never seen to bite on this machine: {COMMAND}"
    if bite.result is Result.MISSED:
        return f"its watchdog did not bite when it was tested ({bite.watchdog_ms} ms)"
    return ""


def bars(config: HaConfig, report: GuardReport, bites: Mapping[str, Bite]) -> bool:
    """Whether a hard group may not run here: the test failed, or is required and was not made."""
    bite = bites.get(report.hardware)
    if bite is not None and bite.result is Result.MISSED:
        return True
    return config.watchdog_test == REQUIRED and bool(untested(config, report, bites))
