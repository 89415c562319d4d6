"""What boxes say to be let in, captured in the clear and said again.

By a token, by six words with the ticket of who waits, and for a certificate that has ended. Said
again at once it brings the answer that was lost, if any: the same certificate, for the same key.
Said again once the nodes are revoked it brings nothing, nor does a spent token in another's hands.
"""

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from between import Between
from boxes import DeskBox
from ca import DOMAIN
from enrolling import returning
from fleet_stage import FleetStage
from replay_state import differences, state

from roost_agent.enrol.centre import Address, Centre, CentreError, RefusedError
from roost_protocol.enrol import Issued, TicketRequest, Waiting

SITE = "boxes"
ENROL, TICKET, EXPIRED = (f"/api/v1/{name}" for name in ("enrol", "enrol/ticket", "enrol/expired"))
ANSWER: Any = Issued | Waiting
DAY_MS = 86_400_000
SETTLE_S = 4.0  # until the alarm of a quarantine stands, or has ended
NODES = ("n0", "n1", "n2", "n3")
THROTTLED = "throttled"
NO_TICKET = "ticket"  # who asked again has another


class Door:
    """The listener of boxes; keeps what was said there and what was answered."""

    def __init__(self, stage: FleetStage) -> None:
        self._centre = Centre(Address.parse(stage.url))
        self._centre.trust(stage.pki.root_file.read_text(), DOMAIN)
        self.hello, self.close = self._centre.hello, self._centre.close
        self.said: list[tuple[str, msgspec.Struct, Any]] = []

    def ask(self, path: str, body: msgspec.Struct) -> Any:
        """Say it and return the answer, or the code of a refusal."""
        try:
            return self._centre.post(path, body, ANSWER)
        except RefusedError as err:
            return err.code
        except CentreError as err:  # five a minute that prove nothing, from one address
            if "prove nothing" not in str(err):
                raise
            return THROTTLED

    def kept(self, path: str, body: msgspec.Struct) -> Any:
        """Say it for the first time."""
        answer = self.ask(path, body)
        self.said.append((path, body, answer))
        return answer


def replayed(
    between: Between, _folder: Path, dice: random.Random
) -> Iterator[tuple[str, int, list[str]]]:
    """Yield what was said again, how much of it, and what that changed or brought."""
    between.stage.add_site(SITE, *NODES)
    with closing(Door(between.stage)) as door:
        yield from _said_again(between.stage, door, dice)


def _said_again(
    stage: FleetStage, door: Door, dice: random.Random
) -> Iterator[tuple[str, int, list[str]]]:
    token = _let_in(stage, door)
    orders = (door.said, door.said[::-1], dice.sample(door.said, len(door.said)))
    known = {_word(answer) for _, _, answer in door.said} | {NO_TICKET}
    time.sleep(SETTLE_S)
    before = state(stage.central.data_dir)
    for again in orders:
        answers = [(path, _word(door.ask(path, body))) for path, body, _ in again]
        faults = [f"{path}: {word}" for path, word in answers if word not in known]
        faults += differences(before, state(stage.central.data_dir))
        yield "requests of boxes, at once", len(again), faults
    for node in NODES:
        if stage.states(f"{SITE}.{node}"):
            stage.central.post(f"/api/v1/nodes/{SITE}.{node}/revoke", {"reason": "the proof"})
    time.sleep(SETTLE_S)
    before = state(stage.central.data_dir)
    answers = [door.ask(path, body) for path, body, _ in door.said]
    faults = [f"a revoked node got {_word(each)}" for each in answers if type(each) is Issued]
    faults += differences(before, state(stage.central.data_dir))
    yield "requests of boxes, their nodes revoked", _heard(answers), faults
    answers = [door.ask(ENROL, DeskBox(bytes(31) + b"t").request(door, token)) for _ in range(3)]
    faults = [f"a spent token brought {_word(each)}" for each in answers if type(each) is Issued]
    faults += differences(before, state(stage.central.data_dir))
    yield "spent tokens in another's hands", _heard(answers), faults


def _heard(answers: list[Any]) -> int:
    """Return how many of them were looked at; there must be some."""
    heard = sum(answer != THROTTLED for answer in answers)
    if not heard:
        raise AssertionError("nothing was looked at: too many requests before")
    return heard


def _let_in(stage: FleetStage, door: Door) -> str:
    """Have boxes let in in each way; return the token that one of them spent."""
    token = stage.token(SITE)
    first, second = DeskBox(b"1" * 32), DeskBox(b"2" * 32)
    door.kept(ENROL, first.request(door, token))
    waiting = door.kept(ENROL, second.request(door))
    [row] = [
        each
        for each in stage.central.get("/api/v1/enrolments")["items"]
        if each["state"] == "pending"
    ]
    slot = {"site": SITE, "node": "n3", "words": row["words"]}
    stage.central.post(f"/api/v1/enrolments/{row['id']}/approve", slot)
    door.kept(TICKET, TicketRequest(waiting.ticket))
    ended = DeskBox(b"3" * 32)
    issued = door.ask(ENROL, ended.request(door, stage.token(SITE)))
    with closing(sqlite3.connect(stage.central.data_dir / "roost.db", timeout=30)) as base, base:
        base.execute(
            "UPDATE identity SET not_after_ms = ?, state = 'expired_grace' WHERE node = ?",
            [issued.issued_ms - DAY_MS, f"{issued.site}.{issued.node}"],
        )
    door.kept(EXPIRED, returning(door, ended, ended.renewed()))
    return token


def _word(answer: Any) -> str:
    """Return what tells answers apart."""
    if isinstance(answer, Issued):
        of = sha256(answer.certificate.encode()).hexdigest()[:12]
        return f"{answer.site}.{answer.node}, generation {answer.generation}, certificate {of}"
    return "waiting" if isinstance(answer, Waiting) else str(answer)
