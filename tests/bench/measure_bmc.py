"""``bmc.*``: what it costs to read board controllers by Redfish.

The children are the agent's own and the centre's, as they are started; the controllers are a
service of files over TLS in a process of its own (tests/support/board_controllers.py), which
answers at once: real ones are slower, and cost a child no more. Its time is not counted.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec
from figure import QUICK, Figure, percentile

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from board_controllers import PASSWORD, SYSTEM, USER, UUID
from redfish_bmc import certificate, pin

from roost_agent.bmc.talk import Answer, Known, Request
from roost_protocol.board_lines import MODULE, PollBoards, Polled, Told, read_word
from roost_protocol.boards import BoardAccess, SensorSettings

SUPPORT = Path(__file__).parents[1] / "support"
CENTRE = (sys.executable, "-P", "-m", MODULE)
CHILD = (sys.executable, "-P", "-m", "roost_agent.bmc.child")
SENSORS = 100
POLLS = 5 if QUICK else 25
BOARDS = 100 if QUICK else 1_000
SENSORS_EACH = 20
EVERY_S = 12 if QUICK else 120  # hosts.md section 9
START_S = 3
SPAN_S = 6 if QUICK else 60


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Read one controller again and again, then a thousand by the centre's child."""
    with tempfile.TemporaryDirectory(prefix="roost-bench-") as made:
        folder = Path(made)
        certificate(folder)
        for how, words in (("", "a request a sensor"), ("--expands", "collections given whole")):
            with service(folder, SENSORS, how) as port:
                spent = [poll(folder, port).took_ms for _ in range(POLLS)]
            say(f"{words}: median {percentile(spent, 50)} ms")
            if not how:
                note = f"median over {len(spent)}, session and TLS included; p99 "
                note += f"{percentile(spent, 99)}; four connections, a request a sensor"
                yield Figure("bmc.sensors_100_ms", percentile(spent, 50), "ms", "<= 200", note)
            else:
                yield Figure("bmc.sensors_100_whole_ms", percentile(spent, 50), "ms", "", words)
        with service(folder, SENSORS_EACH, "--expands") as port:
            told, cores = polled(folder, port)
        assert not [each.report.fault for each in told if each.report.fault], "each is read"
        due = BOARDS * SPAN_S / EVERY_S
        assert len(told) >= due * 0.9, f"{len(told)} boards of {due:.0f} were read in time"
        note = f"{BOARDS} controllers of {SENSORS_EACH} sensors by the centre's child, each every "
        note += f"{EVERY_S} s; its processor time over {SPAN_S} s, its start left out"
        yield Figure("bmc.poll_1000_cores", round(cores, 3), "cores", "<= 0.3", note)


def polled(folder: Path, port: int) -> tuple[list[Told], float]:
    """Have the centre's child poll for a while; return what it told then, and its cores."""
    access = BoardAccess(
        host="127.0.0.1", port=port, user=USER, password=PASSWORD, type="redfish"
    )  # fmt: skip
    shown = pin(folder / "bmc.pem")
    learned = {"type": "redfish", "pin": shown, "uuid": UUID, "system": SYSTEM, "record": 1}
    settings = SensorSettings(interval_s=EVERY_S)
    boards = [
        Polled(node=f"s{at // 10}.n{at}", access=access, sensors=settings, learned=learned)
        for at in range(BOARDS)
    ]
    told: list[Told] = []
    with subprocess.Popen(CENTRE, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        child.stdin.write(msgspec.json.encode(PollBoards(boards)) + b"\n")
        child.stdin.flush()
        reader = threading.Thread(target=hear, args=(child.stdout, told))
        reader.start()
        time.sleep(START_S)
        began, before_s, heard = time.monotonic(), spent_s(child.pid), len(told)
        time.sleep(SPAN_S)
        cores = (spent_s(child.pid) - before_s) / (time.monotonic() - began)
        found = told[heard:]
        child.stdin.close()
        reader.join()
    return found, cores


def hear(output: IO[bytes], told: list[Told]) -> None:
    """Keep what a child tells of boards."""
    told.extend(word for line in output if isinstance(word := read_word(line), Told))


def spent_s(pid: int) -> float:
    """Return the processor time of a process, s."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def service(folder: Path, sensors: int, how: str) -> Iterator[int]:
    """Yield the port of a service."""
    words = [sys.executable, str(SUPPORT / "board_service.py"), str(folder), str(sensors), how]
    with subprocess.Popen(
        [word for word in words if word], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        yield int(running.stdout.readline())
        running.stdin.close()
        running.wait(30)


def poll(folder: Path, port: int) -> Answer:
    """Read one controller that is known by a child of the agent's; return its answer."""
    shown = pin(folder / "bmc.pem")
    file = folder / "bmc.toml"
    file.write_text(
        f'[[bmc]]\nnode = "n0"\nhost = "127.0.0.1"\nport = {port}\nuser = "{USER}"\n'
        f'password = "{PASSWORD}"\ntype = "redfish"\n'
    )
    file.chmod(0o600)
    known = Known(type="redfish", pin=shown, uuid=UUID, system=SYSTEM, record=1)
    asked = Request(file=str(file), do="poll", nodes=["n0"], known={"n0": known}, seconds=60)
    done = subprocess.run(CHILD, input=msgspec.json.encode(asked), capture_output=True, check=True)
    return msgspec.json.decode(done.stdout, type=Answer)
