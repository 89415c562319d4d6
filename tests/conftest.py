"""What all tests share: Hypothesis without a stopwatch, coverage where it counts, no quiet skips.

In CI a skipped test is a failed one, unless its reason is on the list below.
A skip says "this machine lacks something". Everywhere else that is good news told plainly; in CI,
which installs all it needs, it would be a promise that quietly stopped being proved.
"""

import gc
import os
import re

import coverage
import pytest
from hypothesis import HealthCheck, settings

# How long an example took says how busy the machine was; what an example may cost is measured
# where it is promised, in processor time.
settings.register_profile("roost", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("roost")

# The reason begins with one of these: things that CI cannot install, and that the product's
# promises do not rest on.
EXPECTED_SKIPS = re.compile(
    r"corpora absent"  # hardware dumps of others, not shipped with the project
    r"|not a git checkout"  # an unpacked source archive
    r"|kernel lacks"  # a feature that a container's host does not offer
    r"|no systemd runs here"  # a container has none; the way a unit is asked is tested anyway
    r"|no podman with an image"
    r"|no node"  # the query vectors run in Chromium anyway
)


def _fail_unexpected_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not (os.environ.get("CI") == "true" and report.skipped) or hasattr(report, "wasxfail"):
        return
    # A skip's longrepr is (path, line, "Skipped: reason").
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    if EXPECTED_SKIPS.match(reason) is None:
        report.outcome = "failed"
        report.longrepr = f"unexpected skip in CI: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Trace no test of whole sites: it runs the same lines a million times, six times as slowly."""
    measured = coverage.Coverage.current() if item.get_closest_marker("untraced") else None
    if measured is not None:
        measured.stop()
    try:
        return (yield)
    finally:
        if measured is not None:
            measured.start()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    report = yield
    _fail_unexpected_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(collector):
    report = yield
    _fail_unexpected_skip(report)
    return report


def pytest_collection_finish() -> None:
    """Leave what was collected out of every later collection of garbage: it stays to the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
