"""Programs that do one thing and exit: what they start ends with them."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from waiting import until

from roost_agent.child import run

LEAVES = 'sleep 300 {} & echo $! > "$0"; echo said'


def is_gone(pid):
    """Whether a process has ended; a zombie waits for whoever adopted it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith(("Z", "X"))
    except OSError:
        return True


async def test_what_a_program_left_running_ends_with_it(tmp_path):
    words = ("/bin/sh", "-c", LEAVES.format(">/dev/null 2>&1"), str(tmp_path / "pid"))
    done = await run(words, seconds=20, bytes_max=100)
    assert (done.status, done.output) == (0, b"said\n")
    pid = (tmp_path / "pid").read_text().strip()
    await until(lambda: is_gone(pid), "it was left running")


async def test_what_holds_the_output_open_ends_when_the_time_is_over(tmp_path):
    words = ("/bin/sh", "-c", LEAVES.format(""), str(tmp_path / "pid"))
    with pytest.raises(TimeoutError):
        await run(words, seconds=0.5, bytes_max=100)
    pid = (tmp_path / "pid").read_text().strip()
    await until(lambda: is_gone(pid), "it was left running")
