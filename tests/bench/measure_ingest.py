"""``ingest.*``: beats a second through Mosquitto into one central, on the cores of their sender.

Sender, broker and central share the machine. A rate counts as held when for the length of a trial
at most one beat in a thousand is missing at the end and the lag is within its goal; the highest
that was held is the figure, and where the sender has no core left for more, what it sent. The lag
of a beat is central's clock, when it is in the view, less the sender's clock when it was written
to the socket: the node's ``clock_skew_ms`` in the API, asked for many times a second. The peer is
``bare.py``, driven the same way.
"""

import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from central import Central, cpu_s_of, load
from figure import QUICK, Figure, percentile
from mosquitto import Mosquitto
from stream import Sender, nodes

HERE = Path(__file__).parent
NODES = 10_000
TRIAL_S = 4 if QUICK else 10
HELD_PERMILLE = 999
LAG_MS_MAX = 500
GROWTH = 1.12
TRIALS_MAX = 8
LAG_EVERY_S = 0.02
DRAIN_S = 1.0
DRAIN_S_MAX = 15.0
SPENT = 0.95
MEET = 20_000  # a rate at which every node is met
START = 50_000
START_BARE = 90_000
FLUSH_S = 3  # central writes what changed every 2 s


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one rate.

    Attributes:
        rate: asked for; ``sent_per_s`` is what the sender could do beside its receiver.
        per_s: arrived.
        cpu_us: of the receiving process, for each beat.
    """

    rate: int
    sent_per_s: float
    per_s: float
    cpu_us: float
    lag_ms: float = 0

    @property
    def is_held(self) -> bool:
        """Whether as good as all arrived, in time."""
        arrived = self.per_s * 1000 >= self.sent_per_s * HELD_PERMILLE
        return arrived and self.lag_ms <= LAG_MS_MAX

    @property
    def is_sender_spent(self) -> bool:
        """Whether a higher rate would change nothing."""
        return self.sent_per_s < SPENT * self.rate

    def __str__(self) -> str:
        state = "held" if self.is_held else "not held"
        return (
            f"{self.rate:,}/s: {self.sent_per_s:,.0f}/s sent, {self.per_s:,.0f}/s came, "
            f"{self.cpu_us:.1f} us each, lag {self.lag_ms} ms: {state}"
        )


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Find the highest rate of central, then that of the bare parser."""
    with Mosquitto() as broker:
        sender = Sender(broker.port, NODES)
        with Central(broker.port) as central:
            trial_of_central(central, sender, MEET)
            best = highest(lambda rate: trial_of_central(central, sender, rate), START, say)
            time.sleep(FLUSH_S)
            stored = rows(central.data_dir / "roost.db")
        with bare(broker.port) as peer:
            most = highest(lambda rate: trial_of_bare(peer, sender, rate), START_BARE, say)
    note = f"{NODES:,} nodes, {stored:,} of them in SQLite; held for {TRIAL_S} s; "
    note += f"{best.cpu_us:.1f} us of a core each; {load()}"
    yield Figure("ingest.beats_per_s", round(best.per_s), "beats/s", ">= 50,000", note)
    yield Figure("ingest.lag_p99_ms", best.lag_ms, "ms", "<= 500", f"at {best.per_s:,.0f} beats/s")
    against = f"bare parser: {most.per_s:,.0f} beats/s, {most.cpu_us:.1f} us each"
    ratio = round(best.per_s / most.per_s, 2)
    yield Figure("ingest.ratio_to_bare_parser", ratio, "", ">= 0.5", against)


def highest(run: Callable[[int], Trial], start: int, say: Callable[[str], None]) -> Trial:
    """Go up from a rate until one is not held, or down until one is; return the best one held.

    The first rate has a second chance, for a machine that was not warm. Where none is held, what
    came of the lowest is returned.
    """
    rate, best = float(start), None
    for number in range(TRIALS_MAX):
        trial = run(round(rate))
        say(str(trial))
        if number == 0 and not trial.is_held:
            continue
        if trial.is_held and (best is None or trial.per_s > best.per_s):
            best = trial
        if best is not None and (not trial.is_held or trial.is_sender_spent or rate < start):
            return best
        rate = rate * GROWTH if trial.is_held else rate / GROWTH
    return best or trial


def trial_of_central(central: Central, sender: Sender, rate: int) -> Trial:
    """Send at a rate and look at what central has of it."""
    names, lags = list(nodes(NODES)), []
    chance = random.Random(rate)  # noqa: S311 - any node will do
    before, cpu_s = central.get("/status")["ingest"]["beats"], central.cpu_s()
    with sender.running(rate, TRIAL_S) as process:
        while process.poll() is None:
            time.sleep(LAG_EVERY_S)
            node = central.get(f"/nodes/{chance.choice(names)}") if before else None
            if node is not None:
                lags.append(-node["clock_skew_ms"])
        sent = sender.summary(process)
    came = settled(lambda: int(central.get("/status")["ingest"]["beats"])) - before
    return trial(rate, sent, came, central.cpu_s() - cpu_s, percentile(lags, 99))


def trial_of_bare(peer: subprocess.Popen[str], sender: Sender, rate: int) -> Trial:
    """Send at a rate and look at what the peer has of it."""
    before, cpu_s = count_of(peer), cpu_s_of(peer.pid)
    sent = sender.send(rate, TRIAL_S)
    return trial(rate, sent, settled(lambda: count_of(peer)) - before, cpu_s_of(peer.pid) - cpu_s)


def settled(count: Callable[[], int]) -> int:
    """Return a count once it no longer rises: what was late belongs to this trial."""
    deadline = time.monotonic() + DRAIN_S_MAX
    last = count()
    while True:
        time.sleep(DRAIN_S)
        last, before = count(), last
        if last == before or time.monotonic() > deadline:
            return last


def trial(rate: int, sent: dict[str, float], came: int, cpu_s: float, lag_ms: float = 0) -> Trial:
    """Return a trial from its counts."""
    seconds = sent["seconds"]
    cpu_us = 1_000_000 * cpu_s / max(came, 1)
    return Trial(rate, sent["sent"] / seconds, came / seconds, cpu_us, lag_ms)


@contextmanager
def bare(port: int) -> Iterator[subprocess.Popen[str]]:
    """Run the peer while the context lasts."""
    with subprocess.Popen(
        [sys.executable, str(HERE / "bare.py"), str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.terminate()


def count_of(peer: subprocess.Popen[str]) -> int:
    """Return how many beats the peer has decoded."""
    assert peer.stdin is not None
    assert peer.stdout is not None
    peer.stdin.write("\n")
    peer.stdin.flush()
    return int(peer.stdout.readline())


def rows(database: Path) -> int:
    """Return how many nodes SQLite has as heard."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("select count(*) from node where heard_ms > 0").fetchone()[0]
