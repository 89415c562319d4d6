"""A box that nobody attends waits until it is a node, whatever comes in between."""

from pathlib import Path

import msgspec

from roost_agent.config import JoinConfig
from roost_agent.enrol.centre import CentreError, RefusedError, UntrustedError
from roost_agent.enrol.join import UndecidedError
from roost_agent.enrol.unattended import Surroundings, wait_for_identity
from roost_agent.enrol.walk import Walk
from roost_agent.enrolled import FOLDER, Facts
from roost_protocol.claim_file import NAME, ClaimFile, encode
from roost_protocol.hardware import Hardware
from roost_protocol.join_token import JoinToken

TOKEN = str(JoinToken("abcdefghijkl", b"s" * 32, b"p" * 16))
FACTS = Facts(
    fleet_domain="edge.example", site="lab", node="n1", generation=1, box=1, hw_fp=Hardware(),
    brokers=(), enrolled_ms=1, not_after_ms=2, image_root="none", centre="https://c:1",
)  # fmt: skip


class Time:
    """Clock, sleep and dice of a wait; ``at`` are things that happen meanwhile."""

    def __init__(self, at=()):
        self.now_ms = 0
        self.at = dict(at)

    def boot_ms(self):
        return self.now_ms

    def sleep(self, seconds):
        self.now_ms += round(seconds * 1000)
        assert self.now_ms < 10**8
        for due in [each for each in self.at if each <= self.now_ms]:
            self.at.pop(due)()

    def uniform(self, low, high):
        return low


def wait(tmp_path, time, answers):
    told, asked = [], []

    def ask(invitation):
        asked.append((time.now_ms, invitation))
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    config = JoinConfig(claim_dirs=(f"{tmp_path}/*",), dns=False)
    walk = Walk(config, "/etc/roost", tmp_path / "state")
    ports = Surroundings(time, time, time.sleep, told.append, ask)
    return wait_for_identity(walk, ports, tmp_path / "state"), told, asked


def plug(tmp_path, name="usb", **said):
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    (folder / NAME).write_bytes(encode(ClaimFile("https://c:1", **{"token": TOKEN, **said})))


def test_a_medium_that_is_plugged_in_later_is_enough(tmp_path):
    time = Time({60_000: lambda: plug(tmp_path)})
    facts, told, asked = wait(tmp_path, time, [FACTS])
    assert facts is FACTS
    assert [at for at, _ in asked] == [60_000]
    assert len(told) == 2  # that nothing says where, and where it goes: no line for each look


def test_setbacks_of_every_kind_are_told_and_outlasted(tmp_path):
    plug(tmp_path)
    answers = [
        CentreError("away"), UntrustedError("another root"), RefusedError("claim-spent", "spent"),
        UndecidedError("nobody decided"), OSError(28, "No space left on device"), FACTS,
    ]  # fmt: skip
    facts, told, asked = wait(tmp_path, Time(), answers)
    assert facts is FACTS
    assert len(asked) == 6
    log = " ".join(told)
    assert all(word in log for word in ("away", "another root", "spent", "nobody", "No space"))


def test_without_a_pin_nobody_is_asked_until_one_comes(tmp_path):
    plug(tmp_path, token="")
    time = Time({600_000: lambda: plug(tmp_path, "other")})
    _, told, asked = wait(tmp_path, time, [FACTS])
    assert [at for at, _ in asked] == [600_000]
    assert "nothing says whom to trust" in told[0]


def test_who_joined_by_hand_meanwhile_is_a_node(tmp_path):
    def join():
        folder = tmp_path / "state" / FOLDER
        folder.mkdir(parents=True)
        Path(folder / "identity.json").write_bytes(msgspec.json.encode(FACTS))

    facts, _, asked = wait(tmp_path, Time({30_000: join}), [])
    assert (facts, asked) == (FACTS, [])
