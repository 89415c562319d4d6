"""``bmc.*``: what it costs to read board controllers by Redfish.

The child is the agent's own, as it is started; the controllers are a service of files over TLS in
a process of its own (tests/support/board_controllers.py), which answers at once: real ones are
slower, and cost the child no more. Its time is not counted.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from figure import QUICK, Figure, percentile

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from board_controllers import PASSWORD, SYSTEM, USER, UUID
from redfish_bmc import certificate, pin

from roost_agent.bmc.talk import Answer, Known, Request

SUPPORT = Path(__file__).parents[1] / "support"
CHILD = (sys.executable, "-P", "-m", "roost_agent.bmc.child")
SENSORS = 100
POLLS = 5 if QUICK else 25
BOARDS = 100 if QUICK else 1_000
SENSORS_EACH = 20
EVERY_S = 120  # hosts.md section 9


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Read one controller again and again, then a thousand once."""
    with tempfile.TemporaryDirectory(prefix="roost-bench-") as made:
        folder = Path(made)
        certificate(folder)
        for how, words in (("", "a request a sensor"), ("--expands", "collections given whole")):
            with service(folder, SENSORS, how) as port:
                spent = [poll(folder, port, 1)[0][0].took_ms for _ in range(POLLS)]
            say(f"{words}: median {percentile(spent, 50)} ms")
            if not how:
                note = f"median over {len(spent)}, session and TLS included; p99 "
                note += f"{percentile(spent, 99)}; four connections, a request a sensor"
                yield Figure("bmc.sensors_100_ms", percentile(spent, 50), "ms", "<= 200", note)
            else:
                yield Figure("bmc.sensors_100_whole_ms", percentile(spent, 50), "ms", "", words)
        with service(folder, SENSORS_EACH, "--expands") as port:
            answers, cpu_s = poll(folder, port, BOARDS)
        assert not [each.why for each in answers if each.fault], "each is read"
        say(f"{BOARDS} controllers: {cpu_s:.1f} s of processor time")
        cores = cpu_s * 1_000 / BOARDS / EVERY_S
        note = f"{BOARDS} controllers of {SENSORS_EACH} sensors in one child, every {EVERY_S} s"
        yield Figure("bmc.poll_1000_cores", round(cores, 3), "cores", "<= 0.3", note)


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


def poll(folder: Path, port: int, count: int) -> tuple[list[Answer], float]:
    """Read so many controllers that are known by one child; return its answers and its CPU s."""
    nodes = [f"n{number}" for number in range(count)]
    shown = pin(folder / "bmc.pem")
    text = "".join(
        f'[[bmc]]\nnode = "{node}"\nhost = "127.0.0.1"\nport = {port}\nuser = "{USER}"\n'
        f'password = "{PASSWORD}"\ntype = "redfish"\n'
        for node in nodes
    )
    file = folder / "bmc.toml"
    file.write_text(text)
    file.chmod(0o600)
    known = Known(type="redfish", pin=shown, uuid=UUID, system=SYSTEM, record=1)
    asked = Request(
        file=str(file), do="poll", nodes=nodes, known=dict.fromkeys(nodes, known), seconds=600
    )
    child = subprocess.Popen(CHILD, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(msgspec.json.encode(asked))
    child.stdin.close()
    answers = [msgspec.json.decode(line, type=Answer) for line in child.stdout]
    child.stdout.close()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return answers, used.ru_utime + used.ru_stime
