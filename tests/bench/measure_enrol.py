"""``enrol.per_s``: boxes that become nodes, over TLS, each with keys and connections of its own."""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from box_crowd import ISSUED, Crowd
from boxes import DeskBox
from ca import DOMAIN
from figure import QUICK, Figure
from fleet_stage import FleetStage
from measure_ha_guard import ticks

from roost_protocol.join_token import JoinToken, parse_token

SITES = 10 if QUICK else 100
NODES = 10  # of each site
LANES = 16


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Let in one site's boxes to warm up, then all others; the generator shares the cores."""
    with tempfile.TemporaryDirectory(prefix="roost-bench-") as text:
        stage = FleetStage(Path(text))
        with stage.running():
            say(f"{SITES * NODES} boxes, {LANES} at a time")
            boxes = _boxes(stage)
            crowd = Crowd(stage.url, str(stage.pki.root_file), f"enrol.svc.{DOMAIN}", LANES)
            crowd.join(boxes[:NODES])
            programs = {
                "centre": stage.central.pid,
                "signer": stage.signer.pid,
                "boxes": os.getpid(),
            }
            before, began = (
                {name: ticks(pid) for name, pid in programs.items()},
                time.perf_counter(),
            )
            answers = crowd.join(boxes[NODES:])
            spent_s = time.perf_counter() - began
            busy = {name: ticks(pid) - before[name] for name, pid in programs.items()}
    if answers != {ISSUED: len(boxes) - NODES}:
        raise AssertionError(f"not every box was let in: {answers}")
    done = answers[ISSUED]
    yield Figure(
        "enrol.per_s", round(done / spent_s), "1/s", ">= 100",
        "two TLS connections each, as a box has; processor time a box: "
        + ", ".join(f"{name} {spent / done * 1e3:.1f} ms" for name, spent in busy.items()),
    )  # fmt: skip


def _boxes(stage: FleetStage) -> list[tuple[DeskBox, JoinToken]]:
    found = []
    for site in (f"s{number}" for number in range(SITES + 1)):
        stage.add_site(site, *(f"n{number}" for number in range(NODES)))
        token = parse_token(stage.token(site, nodes_max=NODES))
        found += [(DeskBox(), token) for _ in range(NODES)]
    return found
