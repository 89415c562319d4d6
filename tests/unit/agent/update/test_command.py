"""``roost-agent update hold`` and ``release`` say what counts then."""

import pytest

from roost_agent.update import command
from roost_agent.update.events import Record, State
from roost_agent.update.journal import Journal
from roost_agent.update.kept import Kept
from roost_agent.update.step import Step
from roost_protocol.remedy import REMEDIES, Refusal

DAY_MS = 86_400_000


@pytest.fixture
def told(monkeypatch):
    """What the agent was asked, which holds until the first day of 1970 whatever is wanted."""
    asked = []

    def answer(_given, request):
        asked.append(request)
        return {"hold": {"until_ms": DAY_MS, "why": "stocktaking"} if len(asked) == 1 else None}

    monkeypatch.setattr(command, "asked", answer)
    return asked


def test_a_hold_says_until_when_it_counts_and_its_end_that_nothing_holds(told, capsys):
    words = ["hold", "--until", "2999-01-31T06:00Z", "--reason", "stocktaking"]
    assert command.run(words) == command.run(["release"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out == ["held       until 1970-01-02T00:00:00Z: stocktaking", "nothing holds"]
    assert told[0].why == "stocktaking"


@pytest.mark.parametrize("reason", ["", "x" * 201])
def test_a_hold_wants_a_reason_that_can_be_read(told, capsys, reason):
    with pytest.raises(SystemExit):
        command.run(["hold", "--until", "2999-01-31T06:00Z", "--reason", reason])
    assert "say why, in 1 to 200 characters" in capsys.readouterr().err
    assert told == []


@pytest.mark.parametrize(
    "words", [["--state-dir", "/state", "release"], ["release", "--state-dir", "/state"]]
)
def test_where_the_agent_is_may_be_said_before_the_verb_and_behind_it(monkeypatch, words):
    given = []
    monkeypatch.setattr(command, "asked", lambda said, _: given.append(said) or {"hold": None})
    command.run(words)
    assert (given[0].state_dir, given[0].config) == ("/state", "/etc/roost")


def test_a_job_that_fails_says_what_to_do(monkeypatch, capsys):
    job = {
        "job": "a" * 32, "attempt": 1, "release": "app/pump 2.0", "step": "cleanup", "for_s": 3,
        "state": "failed", "failure": "verify", "why": "verify: hardware: it is for others",
    }  # fmt: skip
    found = {"components": {}, "job": job, "hold": None, "faults": []}
    monkeypatch.setattr(command, "asked", lambda *_: found)
    command.run(["status"])
    assert f"what to do {REMEDIES[Refusal.HARDWARE]}\n" in capsys.readouterr().out
    found["job"] = job | {"failure": "", "why": ""}
    command.run(["status"])
    assert "what to do" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([("a", "cleanup", "verify", "floor: x"), ("a", "end", "cleanup", "")], Refusal.FLOOR),
        ([("a", "cleanup", "verify", "floor: x"), ("b", "end", "cleanup", "")], None),
    ],
)
def test_the_history_of_a_job_that_failed_ends_with_what_to_do(tmp_path, capsys, steps, told):
    journal = Journal(tmp_path / "updates")
    journal.open()
    for job in sorted({each[0] for each in steps}):
        journal.begin(job * 32, 1, b"offer", Kept())
    for job, step, ended, why in steps:
        record = Record(State(Step(step), 5, "b1"), Step(ended), why)
        journal.record(job * 32, 1, record, 1_000, "failed" if step == "end" else "")
    journal.close()
    assert command.run(["history", "--state-dir", str(tmp_path)]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert (last == f"what to do: {REMEDIES[told]}") if told else ("what to do" not in last)
