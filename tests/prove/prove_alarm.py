"""Proofs: alarms take effect once and none is stuck, whatever is lost, late, killed or put back."""

import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from alarm_scene import BEATS_MAX, AlarmingAgent, AlarmScene
from machine import proven
from proof import Proof

sys.path.insert(0, str(Path(__file__).parents[1] / "unit/central/alarms"))

from test_machine import AlarmMachine

RUNS = 1_000
STEPS = 50
KILLS = 100
RESTORES = 10
UNITS = 40  # alarms of one application, so that some flap and others do not
CALLS = 4  # of an application between two kills
ALIVE_S = (0.1, 1.2)  # between two kills: also while one of them still starts
AWAY_S = (0.0, 0.4)  # until what was killed is started again
PATIENCE_S = 60.0  # for the local API of an agent that has just started
SEVERITIES = ("minor", "major", "critical")


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Run the machine, kill processes, put old backups back."""
    yield machine(say, seed, share)
    yield kills(say, seed, share)
    yield backup_restore(say, seed, share)


def machine(say: Callable[[str], None], seed: int, share: float) -> Proof:
    """Run the machine against its oracle."""
    wanted = Proof(
        "alarm.machine",
        runs=RUNS,
        failures=0,
        seed=seed,
        note=f"P2: runs of {STEPS} steps of raise, change, clear, ack, shelve, mask, loss and "
        "repetition equal a reducer; two beats mend every set",
    )
    return proven(wanted, AlarmMachine, steps=STEPS, share=share, say=say)


def kills(say: Callable[[str], None], seed: int, share: float) -> Proof:
    """Kill agents, broker and centre while alarms flap; heal, and compare the sets."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    count = max(3, round(KILLS * share))
    hit: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="roost-alarm-kills-") as folder:
        scene = AlarmScene(Path(folder))
        try:
            scene.start()
            for number in range(count):
                flap(scene, dice)
                hit[kill_one(scene, dice)] += 1
                if (number + 1) % 25 == 0:
                    say(f"{number + 1} kills, {scene.steps().total():,} steps arrived")
            beats = scene.settle()
            wrong = scene.differences()
            steps, standing = scene.steps().total(), len(scene.shown())
        finally:
            scene.stop()
    for text in wrong[:5]:
        say(f"alarm.kills: {text}")
    return Proof(
        "alarm.kills",
        runs=count,
        failures=len(wrong) + (beats > BEATS_MAX),
        seed=seed,
        note=f"P1, P2: {', '.join(f'{name} {times}' for name, times in sorted(hit.items()))}; "
        f"{steps:,} raises and clears arrived, at the end {standing} alarms stand on the nodes "
        f"and at the centre alike, {beats} beats after the last receipt",
    )


def flap(scene: AlarmScene, dice: random.Random) -> None:
    """Have each application say a few things, whether or not anybody listens."""
    time.sleep(dice.uniform(*ALIVE_S))
    for agent in scene.agents:
        for _ in range(CALLS):
            severity = dice.choice(SEVERITIES) if dice.random() < 0.5 else None
            agent.say(f"app=pump,unit={dice.randrange(UNITS)}", severity)


def kill_one(scene: AlarmScene, dice: random.Random) -> str:
    """Kill one of them, start it again, and return what it was."""
    name = dice.choice(sorted(scene.actors))
    actor = dice.choice(scene.actors[name])
    actor.kill()
    time.sleep(dice.uniform(*AWAY_S))
    actor.start()
    return name


def backup_restore(say: Callable[[str], None], seed: int, share: float) -> Proof:
    """Take a backup, let alarms come and go, put it back under the centre; compare everything."""
    rounds = max(1, round(RESTORES * share))
    wrong: list[str] = []
    again = 0
    with tempfile.TemporaryDirectory(prefix="roost-alarm-backup-") as folder:
        scene = AlarmScene(Path(folder))
        backup = Path(folder) / "backup.db"
        try:
            scene.start()
            for number in range(rounds):
                for agent in scene.agents:
                    before_backup(agent, number)
                wrong += unsettled(scene)
                copy_database(scene.database, backup)
                kept = scene.steps()
                for agent in scene.agents:
                    after_backup(agent, number)
                wrong += unsettled(scene)
                told = scene.steps()
                again += (told - kept).total()
                put_back(scene, backup)
                wrong += unsettled(scene)
                wrong += [f"lost: {step}" for step in (told - scene.steps())]
                wrong += [f"twice: {step}" for step in (scene.steps() - told)]
                say(f"{number + 1} restores, {again:,} steps offered again")
        finally:
            scene.stop()
    for text in wrong[:5]:
        say(f"alarm.backup_restore: {text}")
    return Proof(
        "alarm.backup_restore",
        runs=rounds,
        failures=len(wrong),
        seed=seed,
        note=f"P12: {again:,} raises and clears of after a backup were offered again once it was "
        "put back; the set and the history are what they were, nothing stuck, nothing twice",
    )


def before_backup(agent: AlarmingAgent, number: int) -> None:
    """Raise what the backup holds."""
    agent.forget()
    for name in ("stays", "goes", "worsens"):
        say_surely(agent, f"app=r{number},unit={name}", "minor")


def after_backup(agent: AlarmingAgent, number: int) -> None:
    """Have come and go what the backup does not know."""
    say_surely(agent, f"app=r{number},unit=goes", None)
    say_surely(agent, f"app=r{number},unit=worsens", "critical")
    say_surely(agent, f"app=r{number},unit=new", "major")
    say_surely(agent, f"app=r{number},unit=short", "major")
    say_surely(agent, f"app=r{number},unit=short", None)


def say_surely(agent: AlarmingAgent, entity: str, severity: str | None) -> None:
    """Say something that the agent answers for."""
    taken = agent.say(entity, severity, seconds=PATIENCE_S)
    assert taken, f"{agent.node}: {agent.log.read_text()[-1_000:]}"


def unsettled(scene: AlarmScene) -> list[str]:
    """Wait for the two sides to agree; return where they do not within their beats."""
    beats = scene.settle()
    late = [f"{beats} beats until the sets were equal"] if beats > BEATS_MAX else []
    return late + scene.differences()


def copy_database(source: Path, target: Path) -> None:
    """Copy a database that is in use, as its operator would: by SQLite's own backup."""
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


def put_back(scene: AlarmScene, backup: Path) -> None:
    """Start the centre on an old database."""
    scene.central.kill()
    for path in scene.database.parent.glob(f"{scene.database.name}*"):
        path.unlink()
    copy_database(backup, scene.database)
    scene.central.start()
    scene.central.ready()
