"""``update.agent_rss_mib``: an agent that could be updated, and is not: beside one that could not.

Both have an identity and take orders, have one path and the default intervals; the first has a root
of trust and a helper's socket, so its updates run.
"""

import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from figure import Figure
from measure_agent import SETTLE_S, agent, config, rss_mib
from mosquitto import Mosquitto

from roost_agent.enrolled import FACTS, FOLDER, REPORT_KEY, Facts
from roost_agent.orders.order_keys import FILE
from roost_protocol.hardware import Hardware
from roost_protocol.limits import REPORT_KEY_BYTES


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Run one after the other."""
    with tempfile.TemporaryDirectory(prefix="roost-bench-") as folder, Mosquitto() as broker:
        say("an agent that could not be updated")
        with socket.socket(socket.AF_UNIX) as helper:
            helper.bind(f"{folder}/helper.sock")
            helper.listen()
            plain = _resident(_enrolled(Path(folder), config(folder, broker.port, 1), "none"))
            say("one that could")
            able = _resident(_enrolled(Path(folder), config(folder, broker.port, 2), "trust"))
            if not (Path(folder) / "state2/updates/journal.db").exists():
                raise RuntimeError("its updates did not run")
    note = f"{plain:.1f} MiB of one that could not be updated, {able - plain:+.1f}"
    yield Figure("update.agent_rss_mib", round(able, 1), "MiB", "<= 32", note)


def _enrolled(folder: Path, path: Path, trust: str) -> Path:
    """Give an agent an identity, a helper, and a folder of root's trust, with a root or without."""
    number = path.stem.removeprefix("agent")
    identity = folder / f"state{number}" / FOLDER
    identity.mkdir(parents=True)
    facts = Facts(
        fleet_domain="bench.example", site="bench", node=f"n{number}", generation=1, box=1,
        hw_fp=Hardware(), brokers=(), enrolled_ms=1, not_after_ms=1 << 50, image_root="none",
        centre="https://127.0.0.1:1",
    )  # fmt: skip
    (identity / FACTS).write_bytes(msgspec.json.encode(facts))
    (identity / REPORT_KEY).write_bytes(bytes(REPORT_KEY_BYTES))
    (identity / FILE).write_text("[]")
    (folder / "trust").mkdir(exist_ok=True)
    (folder / "trust/state.json").write_text('{"v": 1, "node": "bench.n2"}')
    with path.open("a") as stream:
        stream.write(
            f'[settings]\nhelper = "{folder}/helper.sock"\n[updates]\ntrust = "{folder}/{trust}"\n'
            f'installed = "{folder}/installed"\nrequests = "{folder}"\nroot = "{folder}"\n'
        )
    return path


def _resident(path: Path) -> float:
    with agent(path) as process:
        time.sleep(2 * SETTLE_S)
        return rss_mib(process.pid)
