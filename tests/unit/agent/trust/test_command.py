import io
import json
import sys

import pytest
from releases import custom, digest
from tuf_stage import DAY_MS, NOW_MS, Stage

from roost_agent.errors import AgentError
from roost_agent.trust import command
from roost_agent.verify import run
from roost_protocol.remedy import REMEDIES, Refusal


class Clock:
    def __init__(self, ms=NOW_MS):
        self.ms = ms

    def wall_ms(self):
        return self.ms


@pytest.fixture
def stage(tmp_path):
    made = Stage(tmp_path / "mirror")
    (tmp_path / "image.json").write_bytes(made.image.anchor)
    (tmp_path / "director.json").write_bytes(made.director.anchor)
    return made


@pytest.fixture
def say(tmp_path, monkeypatch, capsys):
    def said(mode, *words, given=b"", clock=None):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        where = ["--trust-dir", str(tmp_path / "trust"), "--mirror", str(tmp_path / "mirror")]
        status = command.run([mode, *words, *where], clock or Clock())
        return status, *capsys.readouterr()

    return said


@pytest.fixture
def anchored(tmp_path, stage, say):
    roots = [f"--{each}-root={tmp_path / each}.json" for each in ("image", "director")]
    assert say("anchor", "--node", "lab.n1", *roots)[0] == 0
    return roots


def test_a_release_is_judged_committed_and_shown(stage, say, anchored):
    what = custom(floor=2)
    raw = stage.sign_release(what)
    stage.assign(what, raw)
    stage.publish()
    status, out, err = say("release", given=raw)
    assert (status, err) == (0, "")
    assert json.loads(out)["digest"] == digest(raw)
    assert say("release", "--staged=yes", given=raw)[0] == 0
    assert say("commit", "--digest", digest(raw))[0] == 0
    state = json.loads(say("show")[1])
    assert (state["floors"], state["running"]) == ({"app/web": 2}, {"app/web": 2})


def test_a_no_is_its_code_with_why_and_what_to_do_and_status_1(stage, say, anchored):
    raw = stage.sign_release(custom())
    stage.publish()
    status, out, err = say("release", given=raw)
    assert status == 1
    why, what = err.splitlines()
    assert why.startswith("director: the director does not name app/web/2.0.json, or no more: lab")
    assert what == f"what to do: {REMEDIES[Refusal.DIRECTOR]}"
    assert json.loads(out)["code"] == "director"
    status, _, err = say("release", given=b"{}")
    assert (status, err.partition(":")[0]) == (1, "manifest")
    with pytest.raises(AgentError, match="accepted on this node"):
        say("commit", "--digest", digest(raw))


def test_roots_of_trust_are_written_once_and_only_roots_are(tmp_path, stage, say, anchored):
    with pytest.raises(AgentError, match="written once"):
        say("anchor", "--node", "lab.n1", *anchored)
    (tmp_path / "bad.json").write_bytes(b"{}")
    other = ["--trust-dir", str(tmp_path / "other")]
    with pytest.raises(AgentError, match="the image repository brings what is no metadata"):
        command.run(
            ["anchor", "--node=lab.n1", f"--image-root={tmp_path}/bad.json", anchored[1], *other],
            Clock(),
        )
    with pytest.raises(AgentError, match="no root of trust"):
        command.run(["anchor", "--node=lab.n1", "--image-root=/none", anchored[1], *other], Clock())
    with pytest.raises(AgentError, match="node"):
        command.run(["anchor", *anchored, *other], Clock())
    assert not (tmp_path / "other/state.json").exists()


def test_without_anchors_or_with_a_damaged_state_nothing_is_installed(tmp_path, stage, say):
    with pytest.raises(AgentError, match="verify anchor makes it"):
        say("release", given=stage.sign_release(custom()))
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust/state.json").write_bytes(b"{")
    with pytest.raises(AgentError, match="nothing is installed"):
        say("release", given=stage.sign_release(custom()))


def test_a_source_that_is_frozen_or_gone_is_told_once_what_it_said_has_ended(
    tmp_path, stage, say, anchored
):
    what = custom()
    stage.assign(what, stage.sign_release(what))
    stage.publish()
    words = [f"--source={tmp_path / 'mirror'}", f"--state-dir={tmp_path / 'state'}"]
    other = f"--mirror={tmp_path / 'other'}"
    where = [f"--trust-dir={tmp_path / 'trust'}", *words, other]
    assert command.run(["refresh", *where], Clock()) == 0
    later = Clock(NOW_MS + 8 * DAY_MS)
    assert said_of(say, ["refresh", *words], later) == "expired"  # the source stands still
    gone = ["refresh", where[0], f"--source={tmp_path / 'none'}", words[1], other]
    assert said_of(command.run, gone, Clock(), say) == "absent"
    assert said_of(command.run, gone, later, say) == "expired"  # so does what it said before


def said_of(run, words, clock, say=None):
    """Return the code of a refusal."""
    if say is None:
        status, _, err = run(*words, clock=clock)
    else:
        status = run(words, clock)
        err = say("show")[2]
    assert status == 1
    return err.partition(":")[0]


def test_an_unknown_mode_or_word_is_told_with_what_there_is(say):
    with pytest.raises(AgentError, match="release, refresh, commit"):
        run(["everything"])
    with pytest.raises(AgentError, match="yes or no"):
        say("release", "--staged=maybe")
