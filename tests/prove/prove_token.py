"""Proof: a token that is guessed, used again and raced by a thousand boxes lets in exactly one."""

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from box_crowd import ISSUED, Crowd
from boxes import DeskBox
from ca import DOMAIN
from fleet_stage import FleetStage
from proof import Proof

from roost_protocol.join_token import JoinToken, parse_token

BOXES = 1_000
LANES = 64
GUESSES = 200
SPENT, UNKNOWN, THROTTLED = "claim-spent", "claim-unknown", "throttled"


def prove(say: Callable[[str], None], seed: int, share: float) -> Iterator[Proof]:
    """Race the boxes at a real centre; then guess."""
    boxes, guesses = max(50, round(BOXES * share)), max(20, round(GUESSES * share))
    with tempfile.TemporaryDirectory(prefix="roost-token-") as text:
        stage = FleetStage(Path(text))
        with stage.running():
            stage.add_site("race", *(f"n{number}" for number in range(64)))
            token = parse_token(stage.token("race"))
            crowd = Crowd(stage.url, str(stage.pki.root_file), f"enrol.svc.{DOMAIN}", LANES)
            say(f"{boxes} boxes with one token, {LANES} at a time")
            raced = crowd.join((DeskBox(), token) for _ in range(boxes))
            say(f"{guesses} guesses")
            wrong = JoinToken(token.claim, bytes(32), token.pin)
            guessed = crowd.join((DeskBox(), wrong) for _ in range(guesses))
            kept = _identities(stage)
    say(f"raced {dict(raced)}, guessed {dict(guessed)}, {kept} identities")
    is_one = raced == {ISSUED: 1, SPENT: boxes - 1} and kept == 1
    is_shut = guessed[ISSUED] == 0 and set(guessed) == {UNKNOWN, THROTTLED}
    yield Proof(
        "token.race",
        runs=boxes + guesses,
        failures=(not is_one) + (not is_shut),
        seed=seed,
        note="boxes with one token: one is let in; guesses: none is, and the limit trips",
    )


def _identities(stage: FleetStage) -> int:
    with sqlite3.connect(f"file:{stage.central.data_dir}/roost.db?mode=ro", uri=True) as base:
        return int(base.execute("SELECT count(*) FROM identity").fetchone()[0])
