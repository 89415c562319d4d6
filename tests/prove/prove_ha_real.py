"""Proof: real agents, guards and brokers, broken in every way that this machine allows.

``ha.scenarios``: the right node runs in the end, it was there within the bound, and nothing moved
that should not. ``ha.overlap``: what the services wrote where they run, in all of these runs.
A run that came out wrong while the machine stalled is not judged (ha_stage.py has the criterion),
is told, and is played again; one that was never judged is named in the note.
"""

import json
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from command import at_once
from ha_netns import WHY_NO_SITE
from ha_scenarios import plans
from ha_stage import CORE_MS, DISK_MS
from proof import Proof
from stall_meter import Stall

TRIAL = Path(__file__).with_name("ha_trial.py")
TIMES = 5
SECONDS = 840  # of all; what they do not suffice for is told
LANES = 4  # sites at once: they mostly wait, and more of them stall each other on two cores
Row = dict[str, Any]


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Play all scenarios; a share plays each less often, and at least once."""
    names = ("ha.scenarios", "ha.overlap")
    if WHY_NO_SITE:
        say(f"skipped: {WHY_NO_SITE}")
        for name in names:
            yield Proof(name, 0, 0, seed, f"skipped: {WHY_NO_SITE}")
        return
    times = max(1, round(TIMES * share))
    until = time.monotonic() + SECONDS * times / TIMES
    rows: list[Row] = []
    trials: list[subprocess.Popen[str]] = []

    def give_up() -> None:
        for trial in trials:
            trial.terminate()  # its session is its own: no Ctrl-C reaches it

    play = partial(played, trials, say, times, until)
    for found in at_once(LANES, play, plans(), give_up):
        rows += found
    yield scenarios(rows, times, seed, say)
    dual_ns = sum(row["overlap_ns"] for row in rows)
    yield Proof(
        "ha.overlap",
        runs=len(rows),
        failures=sum(row["overlap_ns"] > 0 for row in rows),
        seed=seed,
        note=f"P5: two turns of the service wrote at once for {dual_ns} ns in all runs, those that "
        "the machine spoilt among them",
    )


def played(
    trials: list[subprocess.Popen[str]],
    say: Callable[[str], None],
    times: int,
    until: float,
    name: str,
) -> list[Row]:
    """Play one plan in a process of its own; return its runs."""
    seconds = spell(name, until - time.monotonic())
    words = [sys.executable, str(TRIAL), str(times), str(seconds), name]
    rows: list[Row] = []
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        trials.append(process)
        assert process.stdout is not None
        try:
            for line in process.stdout:
                rows.append(json.loads(line))
                say(shown(rows[-1]))
        finally:
            process.terminate()  # which ends its site; of one that has ended nothing
    if process.returncode:
        raise RuntimeError(f"{name}: ended with status {process.returncode}")
    return rows


def spell(name: str, left_s: float) -> float:
    """Return how long a plan may take: its share of all lanes' time for what is still to begin."""
    sizes = {each: len(scenarios) for each, (_, scenarios) in plans().items()}
    to_begin = sum(list(sizes.values())[list(sizes).index(name) :])
    return max(0.0, left_s * min(1.0, LANES * sizes[name] / to_begin))


def shown(row: Row) -> str:
    """Return a run as a line of progress."""
    text = f"{row['verdict']:7}  {row['scenario']}: {row['gap_s']:.2f} s without an active"
    text += f" (ready {row['ready_s']:.1f}, played {row['act_s']:.1f} s)"
    if not row["wrong"]:
        return text
    excuse = f", {row['excuse']}" if row["excuse"] else ""
    return f"{text}; {row['wrong']}; stalled: {stalls(row)}{excuse}"


def stalls(*rows: Row) -> str:
    """Return the longest stalls of some runs."""
    core_ms, disk_ms = (max(row["stall"][key] for row in rows) for key in ("core_ms", "disk_ms"))
    return str(Stall(core_ms, disk_ms))


def scenarios(rows: list[Row], times: int, seed: int, say: Callable[[str], None]) -> Proof:
    """Return the proof of the outcomes."""
    verdicts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        verdicts[row["scenario"]][row["verdict"]] += 1
    every = [each.name for _, scenarios in plans().values() for each in scenarios]
    judged = {name: verdicts[name]["held"] + verdicts[name]["failed"] for name in every}
    failures = sum(found["failed"] for found in verdicts.values())
    stalled = sum(found["stalled"] for found in verdicts.values())
    takeovers = sum(row["new_turns"] for row in rows)
    note = f"P5 P6: {len(every)} scenarios on three real nodes, {takeovers} turns"
    if stalled:
        spoilt = [row for row in rows if row["verdict"] == "stalled"]
        note += (
            f"; {stalled} runs not judged, the machine was too loaded: {stalls(*spoilt)}"
            f" (criterion {CORE_MS} and {DISK_MS})"
        )
    for fewer in (name for name in every if judged[name] < times):
        say(f"judged {judged[fewer]} of {times} times: {fewer}")
    if never := [name for name in every if not judged[name]]:
        note += f"; NEVER JUDGED: {', '.join(never)}"
    return Proof("ha.scenarios", sum(judged.values()), failures, seed, note)
