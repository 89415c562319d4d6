"""``update.site_wan_fetches``: how often a site of five fetches a release from afar.

Each node runs the children of an agent: ``fetch``, and ``serve`` once it has it. The nodes come one
after the other, the first has no neighbour that has it, as the agents let it be; counted is what
comes from the repository that stands for the centre, of what one node needs.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from figure import QUICK, Figure

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from install_stage import InstallStage
from lan_boxes import Fleet
from loopback_ports import free_port
from waiting import wait_until

from roost_agent.ha.lan import lan_of
from roost_agent.ports import SystemClock

NODES = 5
FILES, FILE_BYTES = (8, 100_000) if QUICK else (40, 500_000)
FETCH_S_MAX = 120.0


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Let five nodes of a site have one release."""
    with tempfile.TemporaryDirectory(prefix="roost-bench-") as name:
        folder = Path(name)
        stage = InstallStage(
            folder, repository=folder / "repository", now_ms=SystemClock().wall_ms()
        )
        files = {f"part{each}": os.urandom(FILE_BYTES) for each in range(FILES)}
        release = stage.release("1.0", files)
        blobs = (stage.repository / "blobs").rglob("*")
        whole = sum(each.stat().st_size for each in blobs if each.is_file())
        say(f"{NODES} nodes fetch {whole} bytes")
        spent = fetched(stage, Fleet(folder / "fleet"), release)
    note = f"{NODES} nodes, {FILES} files of {FILE_BYTES} bytes, over TLS on loopback"
    yield Figure("update.site_wan_fetches", round(spent / whole, 3), "of a release", "<= 1.0", note)


def fetched(stage: InstallStage, fleet: Fleet, release: str) -> int:
    """Return the bytes that came from afar, for all nodes together."""
    names = [f"n{each}" for each in range(1, NODES + 1)]
    known = {name: fleet.enrol(stage.folder / name, "edge", name) for name in names}
    lan = lan_of(known["n1"])
    assert lan is not None
    members = ",".join(lan.user(name, 1) for name in names)
    spent, near, lenders = 0, [], []
    try:
        for name in names:
            spent += one(stage, name, release, near)
            port = free_port()
            words = [f"--state-dir={stage.folder / name}", "--address=127.0.0.1"]
            words += [f"--port={port}", f"--members={members}"]
            lenders.append(subprocess.Popen([sys.executable, "-m", "roost_agent", "serve", *words]))
            wait_until(lambda at=port: listens(at), f"{name} lends")
            near.append(f"{name}@127.0.0.1:{port}")
    finally:
        for each in lenders:
            each.kill()
            each.wait()
    return spent


def one(stage: InstallStage, name: str, release: str, near: list[str]) -> int:
    """Have a node fetch; return the bytes that came from afar."""
    given = {
        "component": "app/demo", "version": "1.0", "digest": release,
        "source": stage.repository, "lan": ",".join(near), "state-dir": stage.folder / name,
        "trust-dir": stage.given.trust, "root": stage.given.root,
    }  # fmt: skip
    words = [f"--{key}={value}" for key, value in given.items()]
    done = subprocess.run(
        [sys.executable, "-m", "roost_agent", "fetch", *words],
        check=True, capture_output=True, timeout=FETCH_S_MAX,
    )  # fmt: skip
    return int(json.loads(done.stdout)["bytes"])


def listens(port: int) -> bool:
    """Say whether anybody listens on loopback, without a connection."""
    wanted = f"0100007F:{port:04X}"
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return any(row[1] == wanted and row[3] == "0A" for row in rows)
