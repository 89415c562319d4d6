"""Proof: what was captured of a fleet, all of it, has no effect when it is said again.

Signer, centre, Mosquitto and agents are the product's own. Captured is every message between the
centre and its nodes (replay_wire.py), what boxes say to be let in, with their tokens and tickets
(replay_boxes.py), and what an operator does over the API, by a session and by a token
(replay_operator.py). All of the centre's database is looked at, table by table, before and after.
"""

import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import replay_boxes
import replay_operator
import replay_wire
from between import Between
from proof import Proof
from prove_hostile import hostile

PARTS = (replay_operator, replay_boxes, replay_wire)  # a node that ends is news for a while
OF_A_SHARE = (replay_operator, replay_boxes)  # messages take most of the time; see prove_hostile
WHOLE = 0.5


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Capture, and say it again."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    wrong: list[str] = []
    done: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="roost-replay-") as text, ExitStack() as stack:
        between = Between(Path(text), dice, forged=hostile, per_s=0)
        between.run(stack)
        for part in PARTS if share >= WHOLE else OF_A_SHARE:
            for what, times, faults in part.replayed(between, Path(text), dice):
                say(f"{times:,} {what}: {'; '.join(faults) or 'no effect'}")
                done[what] += times
                wrong += faults
    told = ", ".join(f"{count:,} {name}" for name, count in sorted(done.items()))
    note = f"said again to the fleet that it was captured of: {told}"
    yield Proof("replay.all", done.total(), len(wrong), seed, "; ".join([note, *wrong[:1]])[:400])
