"""What must be on disk before it is used is synced in this order, as the kernel sees it."""

import re
import shutil
import subprocess
import sys

import pytest

CODE = """
import sys
from pathlib import Path
from roost_agent.identity import next_identity
next_identity("lab.n1", Path(sys.argv[1]))
"""
CALL = re.compile(r"^(?:\[pid\s+\d+\] )?(\w+)\((.*)\)\s+= (-?\d+)", re.MULTILINE)


def calls_on(folder):
    """Every call that changes or syncs a file in the folder: (name, what of the folder)."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    calls = "trace=write,fsync,fdatasync,rename,renameat,renameat2"
    done = subprocess.run(
        ["strace", "-f", "-y", "-e", calls, sys.executable, "-c", CODE, str(folder)],
        capture_output=True,
        text=True,
        check=True,
        timeout=25,
    )
    found = []
    for name, arguments, _ in CALL.findall(done.stderr):
        names = re.findall(rf"{re.escape(str(folder))}(/[\w.]+)?", arguments)
        if names:
            found.append((name, *[each or "/" for each in names]))
    return found


def test_a_new_incarnation_and_its_name_are_on_disk_before_it_is_used(tmp_path):
    assert calls_on(tmp_path) == [
        ("write", "/incarnation.new"),
        ("fsync", "/incarnation.new"),
        ("rename", "/incarnation.new", "/incarnation"),
        ("fsync", "/"),
    ]
