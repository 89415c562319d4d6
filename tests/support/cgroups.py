"""A cgroup v2 of a test's own, removed with all that is in it; and whether there can be one."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from waiting import wait_until

from roost_agent.guard import cgroup


def why_none() -> str:
    """Why no cgroup can be made here; empty: one can."""
    mount = cgroup.mount_point()
    if mount is None:
        return "kernel lacks cgroup v2"
    folder = Path(mount) / f"roost-test-why-{os.getpid()}"
    try:
        folder.mkdir()
        has_kill = (folder / "cgroup.kill").exists()
        folder.rmdir()
    except OSError as err:
        return f"kernel lacks a cgroup v2 that we may write: {err.strerror}"
    return "" if has_kill else "kernel lacks cgroup.kill"


WHY_NONE = why_none()
needs_cgroups = pytest.mark.skipif(bool(WHY_NONE), reason=WHY_NONE or "there are some")


@contextlib.contextmanager
def private():
    """A folder of its own in the v2 hierarchy."""
    root = Path(cgroup.mount_point()) / f"roost-test-{os.getpid()}-{time.monotonic_ns()}"
    root.mkdir()
    try:
        yield root
    finally:
        (root / "cgroup.kill").write_text("1")
        wait_until(lambda: cgroup.is_empty(str(root)), "the test's processes end")
        for folder in reversed([str(root), *cgroup.below(str(root))]):
            Path(folder).rmdir()


def entering(group):
    """Words before a program that has it run in a group."""
    code = (
        "import os, sys; open(sys.argv[1] + '/cgroup.procs', 'w').write(str(os.getpid()));"
        " os.execv(sys.argv[2], sys.argv[2:])"
    )
    return (sys.executable, "-c", code, str(group))


@contextlib.contextmanager
def cpu_quota(percent):
    """A group whose processes have so much of one core together, in periods as systemd's.

    By the cgroup v1 controller where that has it; skips where neither can be written.
    """
    v1, v2 = Path("/sys/fs/cgroup/cpu"), Path(cgroup.mount_point() or "/nowhere")
    name, period_us = f"roost-test-{os.getpid()}-{time.monotonic_ns()}", 100_000
    group = (v1 if v1.is_dir() else v2) / name
    try:
        group.mkdir()
        if v1.is_dir():
            (group / "cpu.cfs_period_us").write_text(str(period_us))
            (group / "cpu.cfs_quota_us").write_text(str(period_us * percent // 100))
        else:
            (group / "cpu.max").write_text(f"{period_us * percent // 100} {period_us}")
    except OSError as err:
        pytest.skip(f"no quota of the processor can be made here: {err}")
    try:
        yield group
    finally:
        wait_until(lambda: not (group / "cgroup.procs").read_text(), "the test's processes end")
        group.rmdir()


def started_in(group, *argv):
    """A process that begins its life in a group."""
    group.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen([*entering(group), *argv])
    wait_until(lambda: not cgroup.is_empty(str(group)), "the process is in its group")
    return process


# It is deaf before it is itself: an interpreter on a busy machine would be asked too soon.
STUBBORN = ("/usr/bin/env", "--ignore-signal=TERM", "/bin/sleep", "600")
