"""``config.apply_ms``: what a node spends to see that it is what it should be.

A document of every kind of setting is applied to a tree of files, as one-shot and agent see a
machine; then it is compared again and again, as every five minutes and before an application that
finds nothing to do: every section read, its values and its plan made. The process that does it
starts in addition, once.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from config_root import ConfigRoot
from figure import QUICK, Figure

from roost_agent.config_apply import plan
from roost_agent.config_apply.look import look
from roost_agent.config_apply.machine import Machine
from roost_agent.config_apply.program import Program
from roost_agent.config_apply.told import read
from roost_protocol.profile.sysctl import SYSCTL

ROUNDS = 20 if QUICK else 200
NUMBERS = [key for key, kind in SYSCTL.items() if hasattr(kind, "least")]


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Compare a machine that is as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        root = ConfigRoot(
            Path(folder), {f"proc/sys/{key.replace('.', '/')}": "0" for key in NUMBERS}
        )
        say(f"a document of {len(NUMBERS)} sysctl keys, arguments, huge pages, DNS, time, journal")
        told = root.apply(document())
        if told["state"] not in {"applied", "pending-reboot"}:
            raise RuntimeError(f"not applied: {told}")
        took = sorted(once(root) for _ in range(ROUNDS))
        began = time.perf_counter()
        Program(root.given).boot()
        whole_ms = (time.perf_counter() - began) * 1_000
    p99_ms = took[min(len(took) - 1, len(took) * 99 // 100)] * 1_000
    against = f"p99 of {ROUNDS}; with journal, verification and telling {whole_ms:.0f} ms"
    yield Figure("config.apply_ms", round(p99_ms, 1), "ms", "<= 50", against)


def once(root: ConfigRoot) -> float:
    """Return the seconds of one comparison."""
    began = time.perf_counter()
    told = read(root.given.told)
    looked = look(told, Machine(root.given.root, ""))
    if plan.concerned(told.applied, {}) and looked.drift:
        raise RuntimeError(f"it differs: {looked.drift}")
    return time.perf_counter() - began


def document() -> dict[str, dict[str, object]]:
    """Return settings of every section that root applies."""
    least = {key: max(SYSCTL[key].least, 0) for key in NUMBERS}
    least["vm.dirty_ratio"] = least["vm.dirty_background_ratio"] + 1
    for number in (1, 2, 3):
        least[f"net.ipv4.neigh.default.gc_thresh{number}"] = 1_000 * number
    return {
        "time": {"servers": ["192.0.2.7"], "timezone": "Europe/Berlin"},
        "dns": {"servers": ["192.0.2.53"], "attempts": 2},
        "kernel": {"sysctl": least, "cmdline": {"isolcpus": "2-3", "nosoftlockup": True}},
        "memory": {"hugepages": {"2M": {"node0": 64}}, "thp": "never"},
        "log": {"journal_mib_max": 200},
        "thresholds": {"node.cpu.high": {"major": 80}},
    }
