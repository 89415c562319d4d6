"""Proof: a wiped temporary directory, kills and restarts keep SNMPv3 accepted.

A receiver of SNMPv3 traps remembers the boots and the time of the sender's engine and drops what
comes with less, in silence: a boot count that begins again mutes the feed. Debian's snmptrapd is
the judge; between two messages the process is killed and the temporary directory emptied, and each
engine claims to have run for 1,000 s less than the one before.
"""

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from loopback_ports import free_port
from proof import Proof
from snmp_receiver import AUTH, PRIV, TRAPD, Trapd
from waiting import wait_until

RESTARTS = 20
SENDER = Path(__file__).parents[1] / "support" / "snmp_sender.py"


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Restart, wipe and send, again and again."""
    if TRAPD is None:
        say("snmptrapd is not installed: nothing is proved")
        yield Proof("snmp.boots", runs=0, failures=1, seed=seed, note="snmptrapd is missing")
        return
    restarts = max(2, round(RESTARTS * share))
    with tempfile.TemporaryDirectory() as folder:
        dropped = _restarts(Path(folder), restarts, say)
    yield Proof(
        "snmp.boots",
        runs=restarts,
        failures=dropped,
        seed=seed,
        note="SNMPv3 traps accepted by snmptrapd after kill -9 and a wiped temporary directory",
    )


def _restarts(folder: Path, restarts: int, say: Callable[[str], None]) -> int:
    trapd = Trapd(folder, free_port())
    for name, text in (("auth", AUTH), ("priv", PRIV)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    engine = _send(folder, trapd.port, 0, wait=lambda: True)
    trapd.configure(
        f"createUser -e 0x{engine} noc SHA-256 {AUTH} AES {PRIV}", "authUser log noc priv"
    )
    trapd.start()
    dropped = 0
    try:
        for number in range(1, restarts + 1):
            try:
                _send(folder, trapd.port, number, wait=lambda: number in trapd.seqs())  # noqa: B023
            except AssertionError:
                dropped += 1
                say(f"restart {number}: the trap was dropped")
    finally:
        trapd.stop()
    return dropped


def _send(folder: Path, port: int, number: int, *, wait: Callable[[], bool]) -> str:
    """Run a sender until its trap was accepted, then kill it; returns its engine's id."""
    scratch = folder / "scratch"
    scratch.mkdir()
    process = subprocess.Popen(
        [sys.executable, SENDER, folder, str(port), str(number)],
        env={"TMPDIR": str(scratch), "PATH": "/usr/bin:/usr/sbin"},
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        engine = process.stdout.readline().strip()
        assert engine, "the sender does not start"
        wait_until(wait, "the trap is accepted", seconds=20)
        return engine
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        process.communicate()
        shutil.rmtree(scratch)
