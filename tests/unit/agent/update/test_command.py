"""``roost-agent update hold`` and ``release`` say what counts then."""

import pytest

from roost_agent.update import command

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
